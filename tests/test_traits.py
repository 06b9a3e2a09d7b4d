from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from chance import fits, fits_share
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from synth.dates import age_on, birthday, day, last_day
from synth.geography.authorities import all_authorities
from synth.guidance import load
from synth.lives.people import ETHNICITIES, FEMALE, MALE, ethnicity
from synth.lives.plans import NEEDS
from synth.lives.streams import Streams
from synth.returns.traits import (
    DISABILITIES,
    HEALTH,
    PARENTAL,
    STATUSES,
    Subjects,
    disabled,
    traits,
)

CODES = [authority.code for authority in all_authorities()]
SEEDS = st.integers(0, 2**31)
N2, N3, N1 = (NEEDS.index(code) for code in ("N2", "N3", "N1"))
N = 20_000


def children(n=N, **same):
    """Children who differ in everything, but for what is stated to be the same for all."""
    name = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(8)
    drawn = Streams(99)
    status = np.arange(n) % 3
    columns = {
        "home": np.arange(n) % 22,
        "name": name,
        "family": name // np.uint64(8),
        "birth": np.linspace(day(2005, 4, 2), day(2022, 3, 1), n).astype(np.int32),
        "sex": np.where(drawn("sex").uniform(name) < 0.5, MALE, FEMALE).astype(np.int8),
        "ethnic": np.zeros(n, np.int8),
        "need": np.floor(drawn("need").uniform(name) * 9).astype(np.int8),
        "unaccompanied": drawn("alone").uniform(name) < 0.03,
        "status": status,
        "remanded": drawn("remanded").uniform(name) < 0.02,
        "counted": np.ones(n, bool),
        "on_register": status == STATUSES.index("register"),
    }
    for column, value in same.items():
        columns[column] = np.full(n, value, columns[column].dtype)
    return Subjects(**columns)


def seen(behaviour, who, seed=1, year=2022):
    return traits(Streams(seed), behaviour, who, year)


@given(SEEDS, st.integers(2017, 2024))
@settings(max_examples=15)
def test_what_the_guidance_ties_together_is_so(behaviour, seed, year):
    who = children(4000)
    found = seen(behaviour, who, seed, year)
    own = who.need == N2
    assert (found.disabilities.any(axis=1) | found.autism)[own].all(), "N2 shows an impairment or autism"
    together = ~who.unaccompanied
    assert found.parental.any(axis=1)[who.on_register & together].all(), "the register has a parental factor"
    illness = [PARENTAL.index(factor) for factor in PARENTAL if factor != "DOMESTIC_ABUSE"]
    assert found.parental[:, illness].any(axis=1)[(who.need == N3) & together].all(), "N3 names an illness"
    assert not found.parental[who.unaccompanied].any(), "nobody knows the parents of unaccompanied children"
    impaired, autism = disabled(Streams(seed), behaviour, who, year)
    assert (found.disabilities.any(axis=1) == impaired).all(), "a type for every disabled child, none for others"
    assert (found.autism == autism).all()
    youngest = behaviour.value("autism.known_at_age", year)[0]
    assert (age_on(who.birth, last_day(year))[autism] >= youngest).all()
    assert set(np.unique(np.stack(list(found.health.values())))) <= {"0", "1", "88"}
    assert "88" not in found.health["HEALTH_IMMUNISATIONS"]


@given(SEEDS, st.lists(st.integers(0, 199), min_size=1, unique=True))
@settings(max_examples=15)
def test_a_child_is_described_the_same_whoever_else_is(behaviour, seed, chosen):
    who, rows = children(200), np.array(chosen)
    some = Subjects(*(getattr(who, column)[rows] for column in Subjects.__slots__))
    every, alone = seen(behaviour, who, seed), seen(behaviour, some, seed)
    for column in ("autism", "disabilities", "parental", "language"):
        assert (getattr(every, column)[rows] == getattr(alone, column)).all(), column
    assert all((every.health[item][rows] == alone.health[item]).all() for item in HEALTH)


def table_of(behaviour, name, factor):
    """A status table with every share multiplied."""
    table = behaviour.value(name, 2022)
    return {
        row: {column: min(share * factor, 0.99) for column, share in shares.items()} for row, shares in table.items()
    }


@pytest.mark.parametrize("factor", [0.3, 0.8, 1.2])
def test_flags_grow_with_their_share(behaviour, changed, factor):
    """A child who shows a trait at a low share shows it at any higher one."""
    values = {f"health__{item.lower()}": table_of(behaviour, f"health.{item.lower()}", factor) for item in HEALTH}
    values["parental__share"] = table_of(behaviour, "parental.share", factor)
    values["disability__share_other"] = {
        band: share * factor for band, share in behaviour.value("disability.share_other", 2022).items()
    }
    values["disability__share_n2"] = min(behaviour.scalar("disability.share_n2", 2022) * factor, 1)
    for name in ("share_n2", "share_other"):
        values[f"autism__{name}"] = min(behaviour.scalar(f"autism.{name}", 2022) * factor, 1)
    who = children(need=N1)
    who = replace(who, on_register=np.zeros(N, bool), unaccompanied=np.zeros(N, bool))
    less, more = seen(changed(**values), who), seen(behaviour, who)
    if factor > 1:
        less, more = more, less
    for column in ("autism", "parental"):
        few, many = getattr(less, column), getattr(more, column)
        assert (few <= many).all(), column
        assert few.sum() < many.sum(), column
    assert (less.disabilities.any(axis=1) <= more.disabilities.any(axis=1)).all()
    for item in HEALTH:
        few, many = (found.health[item] == "1" for found in (less, more))
        assert (few <= many).all(), item


@pytest.fixture(scope="module")
def many(behaviour):
    """Return 60,000 children of a sex and age with what is seen of them: the same for every item of health."""

    @cache
    def described(sex, age):
        birth = day(2022 - age, 1, 15)
        who = children(60_000, sex=sex, need=N1, remanded=False, birth=birth)
        return who, seen(behaviour, who)

    return described


@pytest.mark.parametrize("item", HEALTH)
@pytest.mark.parametrize("sex", [MALE, FEMALE])
def test_health_is_as_frequent_as_the_profile_says(behaviour, many, item, sex):
    """At the first age it applies to and at 17; for girls the latent is shifted, the threshold the same."""
    shares = behaviour.table(f"health.{item.lower()}", 2022, STATUSES, ("first", "last"))
    shift = behaviour.vector("health.girls_shift", 2022, (item,))[0] if sex == FEMALE else 0.0
    unknown = 0.0 if item == "HEALTH_IMMUNISATIONS" else behaviour.scalar("health.not_available_share", 2022)
    first = load("crcs", 2022).item("crcs", item).min_age or 0
    for column, age in enumerate((first, 17)):
        who, described = many(sex, age)
        codes = described.health[item]
        assert fits_share(codes == "88", unknown) if unknown else not (codes == "88").any()
        for status in range(3):
            rows = (who.status == status) & (codes != "88")
            assert fits_share(codes[rows] == "1", float(ndtr(ndtri(shares[status, column]) + shift)))


def test_conduct_and_remand_show_in_health(behaviour):
    plain = children(need=N1, remanded=False, birth=day(2007, 6, 1))
    usual = seen(behaviour, plain).health
    for name, who in (
        ("conduct", replace(plain, need=np.full(N, NEEDS.index("N6"), np.int8))),
        ("remand", replace(plain, remanded=np.ones(N, bool))),
    ):
        shifts = behaviour.vector(f"health.{name}_shift", 2022, HEALTH)
        for item, shift in zip(HEALTH, shifts, strict=True):
            few, many = (np.array(found[item] == "1") for found in (usual, seen(behaviour, who).health))
            if shift < 0:
                few, many = many, few
            assert (few <= many).all(), item
            assert shift == 0 or few.sum() < many.sum(), item


def test_parents_difficulties_are_as_frequent_as_the_profile_says(behaviour):
    who = children(60_000, need=N1, unaccompanied=False, on_register=False)
    found = seen(behaviour, who).parental
    shares = behaviour.table("parental.share", 2022, STATUSES, PARENTAL)
    shift = behaviour.table("parental.shift_by_need", 2022, NEEDS, PARENTAL)[N1]
    for status in range(3):
        for column, factor in enumerate(PARENTAL):
            expected = float(ndtr(ndtri(shares[status, column]) + shift[column]))
            assert fits_share(found[who.status == status, column], expected), factor


def test_disability_and_autism_are_as_frequent_as_the_profile_says(behaviour):
    who = children(60_000, sex=MALE, need=N1, birth=day(2010, 6, 1), unaccompanied=False)
    impaired, autism = disabled(Streams(1), behaviour, who, 2022)
    assert fits_share(impaired, behaviour.vector("disability.share_other", 2022, ("10-15",))[0])
    assert fits_share(autism, behaviour.scalar("autism.share_other", 2022))
    girls = disabled(Streams(2), behaviour, replace(who, sex=np.full(60_000, FEMALE, np.int8)), 2022)
    for flags, share in zip(girls, (impaired, autism), strict=True):
        assert flags.sum() < share.sum(), "boys more often"


def test_difficulties_of_the_trio_go_together(behaviour):
    found = seen(behaviour, children(60_000, need=N1, unaccompanied=False, on_register=False, status=0)).parental
    tied = [PARENTAL.index(f) for f in ("SUBSTANCE_ALCOHOL_MISUSE", "MENTAL_ILL_HEALTH", "DOMESTIC_ABUSE")]
    linked = np.corrcoef(found.T)
    for a in tied:
        for b in tied:
            assert a == b or linked[a, b] > 0.08
    assert abs(linked[tied[0], PARENTAL.index("PHYSICAL_ILL_HEALTH")]) < 0.03


def test_flags_persist_from_year_to_year(behaviour):
    who = children(unaccompanied=False, on_register=False, birth=day(2010, 1, 1))
    by_year = {year: seen(behaviour, who, year=year) for year in (2017, 2021, 2022)}

    def kept(flags_of, before):
        first, then = flags_of(by_year[before]), flags_of(by_year[2022])
        return then[first].mean(), then.mean()

    for column in range(len(PARENTAL)):
        near, share = kept(lambda found, c=column: found.parental[:, c], 2021)
        far, _ = kept(lambda found, c=column: found.parental[:, c], 2017)
        assert share < far < near < 1, PARENTAL[column]
        assert near > (1 + share) / 2.4, "most stay as they were"
    for item in HEALTH:
        near, share = kept(lambda found, i=item: found.health[i] == "1", 2021)
        assert share < near < 1, item
        # Nobody is described before the item applies.
        if (load("crcs", 2022).item("crcs", item).min_age or 0) <= 2017 - 2010 - 1:
            far, _ = kept(lambda found, i=item: found.health[i] == "1", 2017)
            assert share < far < near, item
        else:
            assert not (by_year[2017].health[item] == "1").any(), item
    assert (by_year[2021].disabilities == by_year[2022].disabilities).mean() > 0.99
    assert (by_year[2021].autism <= by_year[2022].autism).mean() > 0.999, "autism does not go away"


def test_autism_becomes_known_once_and_stays(behaviour):
    who = children(need=N1, birth=day(2015, 1, 1))
    before = np.zeros(N, bool)
    for year in range(2017, 2025):
        autism = disabled(Streams(1), behaviour, who, year)[1]
        assert (before <= autism).all()
        before = autism
    known_by = behaviour.value("autism.known_at_age", 2024)[1]
    assert birthday(who.birth[:1], known_by)[0] <= last_day(2024), "known to all by then"
    assert before.any()


def test_a_family_shares_what_is_the_familys(behaviour):
    who = children(need=N1, status=0, unaccompanied=False, on_register=False, home=21)
    who = replace(who, family=who.family // np.uint64(2))
    group = ethnicity(Streams(1), behaviour, who.home, who.family, who.unaccompanied)
    found = seen(behaviour, replace(who, ethnic=group))
    alike = who.family[1:] == who.family[:-1]
    assert alike.sum() > N / 3
    assert (found.parental[1:] == found.parental[:-1])[alike].all()
    assert (found.language[1:] == found.language[:-1])[alike].all()
    assert (group[1:] == group[:-1])[alike].all()


def test_ethnic_groups_are_as_the_profile_says(behaviour):
    base = behaviour.profile.warm_up_from
    family = np.arange(40_000, dtype=np.uint64)
    for alone in (False, True):
        for order in (0, 21):
            group = ethnicity(Streams(1), behaviour, np.full(40_000, order), family, np.full(40_000, alone))
            weights = behaviour.table("ethnicity.by_authority", base, CODES, ETHNICITIES)[order]
            weights = behaviour.vector("ethnicity.unaccompanied", base, ETHNICITIES) if alone else weights
            assert fits(np.bincount(group, minlength=len(ETHNICITIES)), weights)


def test_welsh_is_spoken_where_it_is_and_by_whom(behaviour):
    who = children(40_000, unaccompanied=False, home=CODES.index("514"))
    group = ethnicity(Streams(1), behaviour, who.home, who.family, who.unaccompanied)
    language = seen(behaviour, replace(who, ethnic=group)).language
    white = group == ETHNICITIES.index("WHTE")
    assert fits_share(language[white] == "CYM", behaviour.vector("language.welsh_by_authority", 2022, ("514",))[0])
    elsewhere = behaviour.scalar("language.welsh_outside_white_group", 2022)
    others = behaviour.vector("language.welsh_by_authority", 2022, ("514",))[0] * elsewhere
    assert fits_share(language[~white] == "CYM", others)
    assert set(np.unique(language)) <= {"CYM", "ENG", "OTH", "BSL"}
    alone = seen(behaviour, children(unaccompanied=True)).language
    assert (alone == "OTH").mean() > 0.9


def test_impairments_are_those_of_the_profile(behaviour):
    who = children(40_000, need=N2, sex=MALE, birth=day(2010, 1, 1))
    found = seen(behaviour, who).disabilities
    shares = behaviour.vector("disability.types", 2022, DISABILITIES)
    impaired = found.any(axis=1)
    seen_shares = found[impaired].mean(axis=0)
    assert (np.argsort(seen_shares)[[0, -1]] == np.argsort(shares)[[0, -1]]).all()
    assert (seen_shares >= shares - 0.02).all(), "at least one each lifts them a little"
    assert (seen_shares <= shares + 0.2).all()
