"""The Children Looked After return: child, episode, adoption and care-leaver files of one year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import last_day, year_code
from synth.geography.authorities import all_authorities
from synth.lives.admission import begins
from synth.lives.draw import within
from synth.lives.episodes import AWAY
from synth.lives.legal import STATUSES
from synth.lives.placements import ADOPTION, KINDS, LOCATIONS, placement_code
from synth.lives.plans import NEEDS
from synth.returns.addresses import placement_postcodes
from synth.returns.aftermath import adoptions, care_leavers
from synth.returns.columns import Form, Sheet, dates, numbers, yes_no
from synth.returns.endings import ending_codes
from synth.returns.roster import Roster, call, homes, subjects
from synth.returns.short_breaks import short_break_episodes
from synth.returns.traits import STATUSES as STANDINGS
from synth.returns.traits import disabled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.histories import History
    from synth.lives.streams import Streams
    from synth.lives.unfolding import Care

__all__ = ["cla_forms"]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Episode rows before they are put in order; arrays of one length, text except `child` and `start`."""

    child: NDArray[np.int64]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    started: NDArray[np.str_]
    legal: NDArray[np.str_]
    placement: NDArray[np.str_]
    postcode: NDArray[np.str_]
    ended: NDArray[np.str_]
    breaks: NDArray[np.str_]


def cla_forms(streams: Streams, behaviour: Behaviour, history: History, care: Care) -> dict[str, Sheet]:
    """Return the forms `child`, `episode`, `adoption` and `care_leaver`, ordered by authority and child."""
    year = care.year
    reason = ending_codes(streams, behaviour, history, care)
    rows = _joined(
        _care_rows(streams, behaviour, history, care, reason), _break_rows(streams, behaviour, history, year)
    )
    children = np.flatnonzero(np.bincount(rows.child))
    roster = call(streams, behaviour, history, children)
    # Files are ordered by authority and identifier, as an extract would be.
    order = np.lexsort((roster.local_id, roster.home))
    children, roster = children[order], roster.only(order)
    position = np.full(len(history.children["name"]), -1)
    position[children] = np.arange(len(children))
    return {
        "child": Sheet(_child_form(streams, behaviour, history, care, children, roster), roster.home, children),
        "episode": _episode_form(rows, position, roster, history, year),
        "adoption": adoptions(streams, behaviour, care, position, roster),
        "care_leaver": care_leavers(streams, behaviour, history, care, reason, position, roster),
    }


def _child_form(
    streams: Streams,
    behaviour: Behaviour,
    history: History,
    care: Care,
    children: NDArray[np.int64],
    roster: Roster,
) -> Form:
    year, n = care.year, len(children)
    looked_after = np.full(n, STANDINGS.index("looked_after"))
    nobody = np.zeros(n, bool)
    who = subjects(history, children, roster, looked_after, nobody, nobody, ~nobody)
    impaired, _ = disabled(streams, behaviour, who, year)
    ceased, shown = _status_ceased(streams, behaviour, history, care, children)
    return {
        "YEAR_CODE": np.full(n, year_code(year)),
        "LOCAL_AUTHORITY_CODE": roster.code,
        "SYSTEM_ID": roster.local_id,
        "UPN": roster.upn,
        "DOB": dates(roster.birth),
        "GNDR_CD": numbers(roster.sex),
        "ETHNICITY": roster.ethnicity,
        "DISABILITY_CODE": yes_no(impaired),
        "ASYLUM": yes_no(who.unaccompanied),
        "DATE_CEASED_UASC": dates(ceased, shown),
        "HOME_POSTCODE": roster.home_postcode,
        "DATE_OF_DATA_COLLECTION": np.full(n, f"01/05/{year}"),
    }


def _status_ceased(
    streams: Streams, behaviour: Behaviour, history: History, care: Care, children: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """When unaccompanied status ended for those whose claim was settled while they were looked after."""
    child = history.children
    start, end = child["care_start"][children], child["care_end"][children]
    name = child["name"][children]
    some = streams("unaccompanied status ceases").uniform(name) < behaviour.scalar(
        "unaccompanied.ceased_share", behaviour.profile.warm_up_from
    )
    low, high = behaviour.value("unaccompanied.days_to_decision", behaviour.profile.warm_up_from)
    ceased = start + within(streams("unaccompanied decision").uniform(name), low, high)
    shown = child["unaccompanied"][children] & some & (ceased < end) & (ceased <= last_day(care.year))
    return ceased, shown


def _episode_form(rows: _Rows, position: NDArray[np.int64], roster: Roster, history: History, year: int) -> Sheet:
    place = position[rows.child]
    order = np.lexsort((rows.start, place))
    place = place[order]
    fresh = begins(place)
    begin = np.maximum.accumulate(np.where(fresh, np.arange(len(place)), 0))
    shown = rows.end[order] <= last_day(year)
    columns = {
        "YEAR_CODE": np.full(len(place), year_code(year)),
        "LOCAL_AUTHORITY_CODE": roster.code[place],
        "SYSTEM_ID": roster.local_id[place],
        "EPISODE_NUMBER": numbers(np.arange(len(place)) - begin + 1),
        "EPISODE_START_DATE": dates(rows.start[order]),
        "REASON_EPISODE_STARTED_CODE": rows.started[order],
        "LEGAL_STATUS_CODE": rows.legal[order],
        "CATEGORY_OF_NEED_CODE": np.array(NEEDS)[history.children["need"][rows.child[order]]],
        "PLACEMENT_TYPE_CODE": rows.placement[order],
        "PLACEMENT_POSTCODE": rows.postcode[order],
        "EPISODE_END_DATE": dates(rows.end[order], shown),
        "REASON_EPISODE_FINISHED_CODE": np.where(shown, rows.ended[order], ""),
        "SHORT_BREAKS": rows.breaks[order],
    }
    return Sheet(columns, roster.home[place])


def _care_rows(streams: Streams, behaviour: Behaviour, history: History, care: Care, reason: NDArray[np.str_]) -> _Rows:
    """Episodes of single periods of care that are open on any day of the year; `reason` has one entry a period."""
    episodes = care.in_year()
    child = care.period["child"][episodes.period]
    placement, postcode = _places(streams, behaviour, history, care)
    away = episodes.away >= 0
    started = np.select(
        [episodes.first, episodes.new_legal & episodes.new_place, episodes.new_place], ["S", "B", "P"], "L"
    )
    ended = np.where(episodes.last, reason[episodes.period], "X1")
    return _Rows(
        child=child,
        start=episodes.start,
        end=episodes.end,
        started=started,
        legal=np.array(STATUSES)[episodes.legal],
        placement=np.where(away, np.array(AWAY)[np.maximum(episodes.away, 0)], placement[episodes.stay]),
        postcode=np.where(away, "", postcode[episodes.stay]),
        ended=ended,
        breaks=np.full(len(child), ""),
    )


def _places(
    streams: Streams, behaviour: Behaviour, history: History, care: Care
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Placement code and postcode of every stay."""
    stays = care.stays
    table = np.array([[placement_code(kind, location) for location in LOCATIONS] for kind in KINDS])
    adoption = stays.kind == ADOPTION
    code = table[np.where(adoption, 0, stays.kind), stays.location]
    consent = care.path.consent[stays.period]
    codes = np.where(consent, np.where(stays.by_carer, "A3", "A4"), np.where(stays.by_carer, "A5", "A6"))
    code = np.where(adoption, codes, code)

    everyone = all_authorities()
    order = history.homes.order[history.children["place"][care.period["child"][stays.period]]]
    reference = behaviour.profile.years[0]
    levels = np.array([behaviour.profile.level("looked_after", a.code, reference) for a in everyone])
    base = behaviour.profile.warm_up_from
    text = placement_postcodes(
        streams,
        levels,
        behaviour.value("placement.addresses_per_100", base),
        behaviour.scalar("placement.same_area_share", base),
        order,
        stays.kind,
        stays.location,
        np.maximum(stays.slot, 0.0),
        stays.key,
        stays.start,
    )
    # Addresses of adopters are often withheld, and where they live in the child's own area most of all.
    withheld = streams("adopters' postcodes left out").uniform(stays.key, stays.start) < behaviour.scalar(
        "placement.adoption_postcode_left_out_share", base
    )
    blank = adoption & withheld & (stays.location == LOCATIONS.index("inside"))
    # With parents inside the authority is at home.
    at_home = (stays.kind == KINDS.index("parents")) & (stays.location == LOCATIONS.index("inside"))
    children = care.period["child"][stays.period]
    text = np.where(blank, "", text)
    text[at_home] = homes(streams, history, children[at_home])
    # Adopted by the foster carer: the address of the stay before, unless it is left out from now on.
    same = np.flatnonzero(stays.slot < 0)
    text[same] = np.where(blank[same], "", text[same - 1])
    return code, text


def _break_rows(streams: Streams, behaviour: Behaviour, history: History, year: int) -> _Rows:
    """One row for each series of short breaks that is open on any day of the year."""
    found = short_break_episodes(streams, behaviour, history, year)
    return _Rows(
        child=found.child,
        start=found.start,
        end=found.end,
        started=np.full(len(found.child), "S"),
        legal=np.full(len(found.child), "V1"),
        placement=found.placement,
        postcode=found.postcode,
        ended=found.ended,
        breaks=numbers(found.breaks),
    )


def _joined(*blocks: _Rows) -> _Rows:
    return _Rows(*(np.concatenate([getattr(block, column) for block in blocks]) for column in _Rows.__slots__))
