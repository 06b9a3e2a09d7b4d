"""What is recorded about a child beside dates: ethnicity, disability, health, parents' difficulties, and their ties.

Each trait is a latent normal crossing a threshold. The latents have a part that stays with the child (or, for the
parents' difficulties, the family) and a part that drifts from year to year, so flags persist as real ones do; traits
that go together share components. What the guidance rules out is settled by the thresholds themselves: they are
infinite where a code cannot be, and where at least one of a group must be set, the likeliest one is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import Days, age_on, birthday, last_day
from synth.geography.authorities import all_authorities
from synth.guidance import load
from synth.lives.behaviour import BANDS, Behaviour
from synth.lives.draw import choose, normal, within
from synth.lives.homes import Homes, order_of
from synth.lives.people import ETHNICITIES, MALE, age_group
from synth.lives.plans import NEEDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from synth.lives.streams import Streams

__all__ = ["DISABILITIES", "PARENTAL", "STATUSES", "Subjects", "Traits", "languages", "traits"]

STATUSES = ("looked_after", "register", "other")
DISABILITIES = (
    "MOBILITY",
    "MANUAL_DEXTERITY",
    "PHYSICAL_COORDINATION",
    "CONTINENCE",
    "LIFT_CARRY_OBJECTS",
    "SPEECH_HEARING_EYE_SIGHT",
    "MEMORY",
    "PERCEPTION_RISK_DANGER",
)
PARENTAL = (
    "SUBSTANCE_ALCOHOL_MISUSE",
    "LEARNING_DISABILITIES",
    "MENTAL_ILL_HEALTH",
    "PHYSICAL_ILL_HEALTH",
    "DOMESTIC_ABUSE",
)
HEALTH = (
    "YOUTH_OFFENDING",
    "CHILD_HEALTH_SURVEILLANCE_CHECKS",
    "HEALTH_IMMUNISATIONS",
    "HEALTH_DENTAL_CHECK",
    "HEALTH_SUBSTANCE_MISUSE",
    "HEALTH_MENTAL_HEALTH",
)

_TROUBLED = ("YOUTH_OFFENDING", "HEALTH_SUBSTANCE_MISUSE", "HEALTH_MENTAL_HEALTH")
_TRIO = ("SUBSTANCE_ALCOHOL_MISUSE", "MENTAL_ILL_HEALTH", "DOMESTIC_ABUSE")
_ILL = ("SUBSTANCE_ALCOHOL_MISUSE", "LEARNING_DISABILITIES", "MENTAL_ILL_HEALTH", "PHYSICAL_ILL_HEALTH")
_AGES = np.arange(19)
"""Ages on 31 March: who reached 18 in the year is still told of where a whole year is collected."""
_LARGEST_LIFT, _HALVINGS = 3.0, 24
"""Standard deviations a threshold is moved at most to meet a target, and steps to find by how much."""
_MEMORY = 6
"""Years of drift remembered; older shocks weigh next to nothing."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """The children described; arrays of one length.

    `home` names the authority and its world (see `homes`); `ethnic` indexes ETHNICITIES, `need` NEEDS and `status`
    STATUSES; `remanded` marks children on remand, in a secure home or in custody during the year, `counted` those a
    census date counts.
    """

    home: NDArray[np.int64]
    name: NDArray[np.uint64]
    family: NDArray[np.uint64]
    birth: Days
    sex: NDArray[np.int8]
    ethnic: NDArray[np.int8]
    need: NDArray[np.int8]
    unaccompanied: NDArray[np.bool_]
    status: NDArray[np.int64]
    on_register: NDArray[np.bool_]
    remanded: NDArray[np.bool_]
    counted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Traits:
    """Flags of each child, one boolean column a trait (rows as in Subjects).

    `health` holds codes ready for the return but for the age rule: "1", "0" (also where the child is too young for the
    item) or "88" (not available).
    """

    autism: NDArray[np.bool_]
    disabilities: NDArray[np.bool_]
    parental: NDArray[np.bool_]
    health: dict[str, NDArray[np.str_]]
    language: NDArray[np.str_]


def disabled(
    streams: Streams, behaviour: Behaviour, who: Subjects, year: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return (has an impairment, is on the autistic spectrum) on 31 March.

    A plan for the child's own disability or illness (N2) shows one or the other; autism is not recorded under the
    age the profile gives.
    """
    own = who.need == NEEDS.index("N2")
    group = age_group(who.birth, last_day(year))
    share = np.where(
        own,
        behaviour.scalar("disability.share_n2", year),
        behaviour.vector("disability.share_other", year, BANDS)[np.minimum(group, len(BANDS) - 1)],
    )
    share = share * np.where(who.sex == MALE, 1.0, behaviour.scalar("disability.girls_to_boys", year))
    share = share * np.where(who.unaccompanied, behaviour.scalar("disability.unaccompanied_factor", year), 1.0)
    tendency = _stable(streams, "disability", who.name)
    impaired = tendency > _threshold(share)
    onset = birthday(
        who.birth,
        within(streams("autism known").uniform(who.name), *behaviour.value("autism.known_at_age", year)),
    )
    autistic = np.where(own, behaviour.scalar("autism.share_n2", year), behaviour.scalar("autism.share_other", year))
    autistic = autistic * np.where(who.sex == MALE, 1.0, behaviour.scalar("autism.girls_to_boys", year))
    tie = behaviour.scalar("autism.tie_with_disability", year)
    latent = tie * tendency + np.sqrt(1 - tie**2) * _stable(streams, "autism", who.name)
    known = onset <= last_day(year)
    autism = (latent > _threshold(autistic)) & known
    return impaired | (own & ~autism), autism


def traits(streams: Streams, behaviour: Behaviour, who: Subjects, year: int) -> Traits:
    """Draw everything recorded about each child on 31 March of `year`."""
    impaired, autism = disabled(streams, behaviour, who, year)
    return Traits(
        autism,
        _impairments(streams, behaviour, who, impaired, year),
        _parental(streams, behaviour, who, year),
        _health(streams, behaviour, who, year),
        languages(streams, behaviour, year, who.family, order_of(who.home), who.ethnic, who.unaccompanied),
    )


def _stable(streams: Streams, purpose: str, who: NDArray[np.uint64]) -> NDArray[np.float64]:
    return normal(streams(f"{purpose}, lasting").uniform(who))


def _drifting(
    streams: Streams, behaviour: Behaviour, purpose: str, who: NDArray[np.uint64], year: int
) -> NDArray[np.float64]:
    """Return standard normals with a lasting part and a first-order autoregressive part over collection years."""
    shares = behaviour.value("traits.lasting_share", year)
    lasting = float(shares.get(purpose.removeprefix("parental "), shares["others"]))
    keeps = behaviour.scalar("traits.drift_kept_a_year", year)
    weights = keeps ** np.arange(_MEMORY)
    weights /= np.sqrt((weights**2).sum())
    stream = streams(f"{purpose}, drifting")
    drift = sum(weight * normal(stream.uniform(who, year - back)) for back, weight in enumerate(weights))
    return np.asarray(np.sqrt(lasting) * _stable(streams, purpose, who) + np.sqrt(1 - lasting) * drift)


def _threshold(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the value a standard normal exceeds with probability `share` (0: never)."""
    return -normal(np.asarray(share, dtype=np.float64))


def _impairments(
    streams: Streams, behaviour: Behaviour, who: Subjects, impaired: NDArray[np.bool_], year: int
) -> NDArray[np.bool_]:
    """Types of impairment, shape (n, 8): at least one for every disabled child, none for others."""
    share = behaviour.vector("disability.types", year, DISABILITIES)
    tie = behaviour.scalar("disability.types_tie", year)
    rows = np.flatnonzero(impaired)
    name = who.name[rows]
    common = _stable(streams, "severity", name)
    latents = [
        np.sqrt(tie) * common + np.sqrt(1 - tie) * _stable(streams, f"impairment {kind}", name) for kind in DISABILITIES
    ]
    from_age = behaviour.vector("disability.from_age", year, DISABILITIES)
    seen = age_on(who.birth[rows], last_day(year))[:, None] >= from_age
    over = np.where(seen, np.stack(latents, axis=1) - _threshold(share), -np.inf)
    found = np.zeros((len(impaired), len(DISABILITIES)), bool)
    found[rows] = over > 0
    found[rows, over.argmax(axis=1)] = True
    return found


def _parental(streams: Streams, behaviour: Behaviour, who: Subjects, year: int) -> NDArray[np.bool_]:
    """Parents' difficulties, shape (n, 5): the same for all children of a family, none known for unaccompanied ones."""
    threshold = _threshold(behaviour.table("parental.share", year, STATUSES, PARENTAL))[who.status]
    shift = behaviour.table("parental.shift_by_need", year, NEEDS, PARENTAL)[who.need]
    tie = behaviour.scalar("parental.trio_tie", year)
    family, back = np.unique(who.family, return_inverse=True)
    trio = _drifting(streams, behaviour, "parental trio", family, year)
    latents = []
    for factor in PARENTAL:
        own = _drifting(streams, behaviour, f"parental {factor}", family, year)
        latents.append(np.sqrt(tie) * trio + np.sqrt(1 - tie) * own if factor in _TRIO else own)
    over = np.stack(latents, axis=1)[back] - threshold + shift
    return _meeting(behaviour, who, year, lambda lift: _recorded(who, over, lift))


def _meeting(
    behaviour: Behaviour,
    who: Subjects,
    year: int,
    recorded: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
) -> NDArray[np.bool_]:
    """Return the difficulties with the mental ill health of parents as frequent in each authority as its target says.

    Counted are those a census date counts, whoever else is described: they are the same in either collection.

    All families of an authority come nearer to the threshold, or further from it, by the same; more lift never takes
    the mark from a family that has it, so halving finds the lift.
    """
    targets = behaviour.targets("mental_ill_health", year, Homes(all_authorities()))
    homes, group = np.unique(who.home, return_inverse=True)
    flat = np.zeros(len(homes))
    if targets is None:
        return recorded(flat[group])
    wanted = targets[order_of(homes), 0]
    low, high = flat - _LARGEST_LIFT, flat + _LARGEST_LIFT
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = recorded(middle[group])[:, PARENTAL.index("MENTAL_ILL_HEALTH")]
        enough = np.bincount(group[found & who.counted], minlength=len(homes)) >= wanted
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return recorded(high[group])


def _recorded(who: Subjects, over: NDArray[np.float64], lift: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which difficulties are recorded, parents' mental ill health being `lift` nearer to its threshold."""
    over = over.copy()
    over[:, PARENTAL.index("MENTAL_ILL_HEALTH")] += lift
    found = over > 0
    rows = np.arange(len(over))
    # A child on the register has at least one; parental illness as the reason (N3) names at least one illness.
    found[rows[who.on_register], over[who.on_register].argmax(axis=1)] = True
    ill = [PARENTAL.index(factor) for factor in _ILL]
    named = who.need == NEEDS.index("N3")
    found[rows[named], np.array(ill)[over[named][:, ill].argmax(axis=1)]] = True
    return np.asarray(found & ~who.unaccompanied[:, None])


def _health(streams: Streams, behaviour: Behaviour, who: Subjects, year: int) -> dict[str, NDArray[np.str_]]:
    """Health and conduct items as codes; shares change with age from the first age an item applies to up to 17.

    Nobody younger is described.
    """
    age = age_on(who.birth, last_day(year))
    first_age = {item.name: item.min_age or 0 for item in load("crcs", year).items("crcs")}
    tie = behaviour.scalar("health.trouble_tie", year)
    trouble, old = np.zeros(len(age)), np.flatnonzero(age >= min(first_age[item] for item in _TROUBLED))
    trouble[old] = _drifting(streams, behaviour, "trouble", who.name[old], year)
    shifts = {
        name: behaviour.vector(f"health.{name}", year, HEALTH)
        for name in ("girls_shift", "conduct_shift", "remand_shift")
    }
    girl, conduct = who.sex != MALE, who.need == NEEDS.index("N6")
    columns = {}
    for n, item in enumerate(HEALTH):
        ends = np.log(behaviour.table(f"health.{item.lower()}", year, STATUSES, ("first", "last")))
        begins = first_age[item]
        grown = np.clip((_AGES - begins) / (17 - begins), 0.0, 1.0)
        share = np.exp(ends[:, :1] + grown * (ends[:, 1:] - ends[:, :1]))
        rows = np.flatnonzero(age >= begins)
        latent = _drifting(streams, behaviour, item, who.name[rows], year)
        if item in _TROUBLED:
            latent = np.sqrt(tie) * trouble[rows] + np.sqrt(1 - tie) * latent
        for some, shift in ((girl, "girls_shift"), (conduct, "conduct_shift"), (who.remanded, "remand_shift")):
            latent = latent + np.where(some[rows], shifts[shift][n], 0.0)
        codes = np.full(len(age), "0", "U2")
        codes[rows[latent > _threshold(share)[who.status[rows], age[rows]]]] = "1"
        if item != "HEALTH_IMMUNISATIONS":
            u = streams(f"{item} not available").uniform(who.name[rows], year)
            codes[rows[u < behaviour.scalar("health.not_available_share", year)]] = "88"
        columns[item] = codes
    return columns


def languages(
    streams: Streams,
    behaviour: Behaviour,
    year: int,
    family: NDArray[np.uint64],
    order: NDArray[np.int64],
    ethnic: NDArray[np.int8],
    unaccompanied: NDArray[np.bool_],
) -> NDArray[np.str_]:
    """Return the preferred language of families: Welsh by authority, another language by ethnic group.

    `order` is the place of each one's authority in official order, `ethnic` indexes ETHNICITIES.
    """
    codes = [authority.code for authority in all_authorities()]
    welsh = behaviour.vector("language.welsh_by_authority", year, codes)[order]
    other = behaviour.vector("language.other_by_ethnicity", year, ETHNICITIES)[ethnic]
    other = np.where(unaccompanied, behaviour.scalar("language.other_unaccompanied", year), other)
    elsewhere = behaviour.scalar("language.welsh_outside_white_group", year)
    welsh = np.where(ethnic == 0, welsh, welsh * elsewhere) * ~unaccompanied
    signed = np.full(len(welsh), behaviour.scalar("language.sign_language", year))
    weights = np.stack([welsh, other, signed, np.maximum(1 - welsh - other - signed, 0.0)], axis=1)
    return np.array(["CYM", "OTH", "BSL", "ENG"])[choose(streams("language").uniform(family), weights)]
