"""Edges of children's histories: which ways out are open to whom, first and last days, what nobody draws twice."""

from dataclasses import replace

import numpy as np
import pytest
from chance import fits_share
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from test_otherwise import breaches, every, proceedings

from synth.dates import age_on, birthday, day, day_of_year_start, last_day
from synth.geography.authorities import parse_authorities
from synth.lives.behaviour import BANDS, Behaviour
from synth.lives.chances import Chances
from synth.lives.episodes import Spells, away_from, cut, with_spells_away
from synth.lives.histories import live
from synth.lives.homes import Homes, order_of, world_of
from synth.lives.legal import LATER, ROUTES, STATUSES, LegalPath, entering
from synth.lives.otherwise import Proceedings
from synth.lives.people import age_group
from synth.lives.periods import DESTINATIONS, DRAWN, Entrants, outcome
from synth.lives.placements import KINDS, OPEN, Filling, Stays
from synth.lives.streams import Streams
from synth.lives.transfers import transfers
from synth.simulate import simulate
from synth.working_days import is_working_day

SEEDS = st.integers(0, 2**31)
FEW = settings(max_examples=8)
CODE = {name: n for n, name in enumerate(DESTINATIONS)}
V2, C1, C2, E1, L1, L2, J1 = range(len(STATUSES))
WAYS_OUT = dict.fromkeys((*BANDS, "unaccompanied"), dict.fromkeys(DESTINATIONS, 1.0))
"""Every way out equally likely at every age."""
WAYS_IN = dict.fromkeys(BANDS, dict.fromkeys(ROUTES, 1.0))


@pytest.fixture(scope="module")
def wild(changed):
    """Behaviour that excludes nothing itself."""
    return changed(care__destination=WAYS_OUT, legal__route=WAYS_IN)


def entrants(birth, entry, **columns):
    """Children who come alone, for the first time, under no order, but for what `columns` say."""
    n = len(birth)
    name = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(8)
    columns = {
        "name": name,
        "lead": name,
        "lead_birth": np.asarray(birth, np.int32),
        "number": np.zeros(n, np.int32),
        "birth": np.asarray(birth, np.int32),
        "entry": np.broadcast_to(np.asarray(entry, np.int32), n).copy(),
        "unaccompanied": np.zeros(n, bool),
        "under": np.full(n, DRAWN, np.int8),
    } | columns
    return Entrants(*(columns[column] for column in Entrants.__slots__))


# -- where periods lead ------------------------------------------------------------------------------------------


def led_to(wild, births, entry=None, **columns):
    entry = day(2019, 6, 3) if entry is None else entry
    who = entrants(births, entry, **columns)
    found = outcome(Streams(3), wild, who, 2020)
    return who, found, {DESTINATIONS[n] for n in np.unique(found.destination)}


TEENS = np.repeat(np.arange(day(2003, 6, 1), day(2007, 6, 1), 73), 60)
"""Of twelve to sixteen on 3 June 2019."""


def test_custody_comes_to_one_child_of_a_family_and_from_the_age_on(wild):
    who, found, ways = led_to(wild, TEENS)
    assert ways == set(DESTINATIONS)
    age = age_on(who.birth, who.entry)
    from_age = int(wild.scalar("care.custody_from_age", 2020))
    sentenced = found.destination == CODE["custody"]
    assert age[sentenced].min() == from_age
    lead = np.full(len(TEENS), 9**9, np.uint64)
    assert led_to(wild, TEENS, lead=lead)[2] == set(DESTINATIONS) - {"custody"}


def test_on_the_birthday_itself_a_child_is_old_enough(wild):
    from_age = int(wild.scalar("care.custody_from_age", 2020))
    born = np.full(400, day(2019 - from_age, 6, 3))
    assert "custody" in led_to(wild, born)[2]
    assert "custody" not in led_to(wild, born + 1)[2]


def test_who_comes_back_is_never_sent_to_another_authority_and_lives(wild):
    again = np.ones(len(TEENS), np.int32)
    assert led_to(wild, TEENS, number=again)[2] == set(DESTINATIONS) - {"died", "transfer"}


def test_care_that_is_taken_over_goes_on_for_long(wild):
    n = len(TEENS)
    who, found, ways = led_to(wild, TEENS, number=np.ones(n, np.int32), under=np.zeros(n, np.int8))
    assert ways == {"home", "guardian_carer", "guardian_other", "grows_up"}
    drawn = led_to(wild, TEENS)[1]
    assert np.median((found.end - who.entry)[found.destination == CODE["home"]]) > 2 * np.median(
        (drawn.end - who.entry)[drawn.destination == CODE["home"]]
    )


@given(SEEDS, st.integers(2000, 2024))
@FEW
def test_orders_that_end_a_stay_are_made_on_working_days(periods, behaviour, seed, year):
    found = periods(seed, year, "care", 250)
    length = found.end - found.who.entry
    most = behaviour.scalar("care.stay.any_day_up_to", year)
    by_order = np.isin(found.destination, [CODE[name] for name in ("home", "guardian_carer", "guardian_other")])
    # the next working day is never a week away
    assert is_working_day(found.end[by_order & (length > most + 7)]).all()


def test_a_child_who_came_for_days_goes_home_on_any_day(periods, behaviour):
    found = periods(5, 2015, "care", 1000)
    days = found.end - found.who.entry
    most = behaviour.scalar("care.stay.any_day_up_to", 2015)
    short = (found.destination == CODE["home"]) & (days <= most)
    assert 0.1 < (~is_working_day(found.end[short])).mean() < 0.5
    assert days[short].min() == 2


def test_stays_that_lead_home_last_as_long_as_the_profile_says(changed):
    """Some are short and the others long; where care is taken over all of them are long."""
    home = changed(care__destination={band: {"home": 1.0} for band in (*BANDS, "unaccompanied")})
    n = 5000
    births = np.full(n, day(2014, 6, 1))
    band = [BANDS[age_group(births[:1].astype(np.int32), np.array([day(2019, 6, 3)], np.int32))[0]]]
    share = home.vector("care.stay.short_share", 2020, band)[0]
    short, long = (home.value(f"care.stay.{kind}", 2020) for kind in ("short", "long"))
    for under, part in ((DRAWN, share), (0, 0.0)):
        who = entrants(births, day(2019, 6, 3), under=np.full(n, under, np.int8))
        length = outcome(Streams(6), home, who, 2020).end - who.entry
        for days in (20, 100, 400, 1000):
            below = [ndtr(np.log(days / kind["median_days"]) / kind["sigma"]) for kind in (short, long)]
            expected = part * below[0] + (1 - part) * below[1]
            # a day of court may come some days later
            assert (length <= days).mean() == pytest.approx(expected, abs=0.04), (under, days)


def test_independence_begins_four_weeks_after_the_sixteenth_birthday_or_entry_and_before_the_eighteenth(wild):
    entry = day(2019, 6, 3)
    for born, first in ((day(2001, 8, 1), entry + 28), (day(2003, 9, 1), day(2019, 9, 29))):
        births = np.full(6000, born)
        _, found, _ = led_to(wild, births)
        alone = found.end[found.destination == CODE["independent"]]
        eve = birthday(births[:1], 18)[0] - 1
        assert first <= alone.min() <= first + 10
        # on the eve of the birthday it is growing up
        assert eve - 12 <= alone.max() <= eve - 1
        assert np.median(alone) == pytest.approx((first + eve) / 2, abs=0.1 * (eve - first))
        # what is drawn never reaches the eve by itself: as many are independent as the weights say
        assert fits_share(found.destination == CODE["independent"], (1 - 1 / (eve - first + 1)) / len(DESTINATIONS))
        if eve - first < 50:
            assert (alone.min(), alone.max()) == (first, eve - 1)


# -- ways in -----------------------------------------------------------------------------------------------------


def routes(wild, guidance, who, destination, end):
    """Return which ways in are open, shape (n, routes), by name."""
    case, placed = entering(Streams(1), wild, guidance, who, np.asarray(destination, np.int8), end, 2020)
    return case, {name: case.routes()[:, n] > 0 for n, name in enumerate(ROUTES)}, placed


def test_each_way_in_is_open_to_whom_the_law_lets(wild, guidance):
    """Every child of an age, on every weekday, to every end: what is open is what the conditions say one by one."""
    entry = np.arange(day(2019, 6, 3), day(2019, 6, 10))
    births = np.arange(day(2002, 7, 1), day(2018, 6, 1), 97)
    ends = np.array([2, 13, 14, 40, 300, 500])
    grid = np.meshgrid(births, entry, ends, np.arange(len(DESTINATIONS)), [0, 1], indexing="ij")
    birth, first, length, destination, other = (column.ravel() for column in grid)
    lead = np.arange(1, len(birth) + 1, dtype=np.uint64) * np.uint64(8) + other.astype(np.uint64)
    who = entrants(birth, first, lead=lead)
    end = (first + length).astype(np.int32)
    case, is_open, placed = routes(wild, guidance, who, destination, end)

    adopted, consent = destination == CODE["adoption"], case.consent
    assert 0 < consent.sum() < adopted.sum()
    assert (consent <= adopted).all()
    assert ((case.order_day < LATER) == (adopted & ~consent)).all()
    assert ((placed < LATER) == adopted).all()
    agreed = np.isin(destination, [CODE["custody"], CODE["independent"]]) | consent
    in_time = first + wild.scalar("legal.days_before_last_order", 2020) < birthday(who.birth, 17) - 1
    working = is_working_day(who.entry)
    brief = length < wild.scalar("legal.brief_stay_days", 2020)
    longest = wild.value("legal.remand_days", 2020)[1]
    remand = age_on(who.birth, who.entry) >= wild.scalar("legal.remand_from_age", 2020)
    remand &= np.isin(destination, [CODE["home"], CODE["custody"]]) & (length <= longest) & (other == 0)
    expected = {
        "C1": ~agreed & in_time & working,
        "C2": ~agreed & in_time & working & ~adopted & ~brief,
        "L2": ~agreed & in_time,
        "L1": ~agreed,
        "J1": remand,
    }
    for name, rows in expected.items():
        assert (is_open[name] == rows).all(), name
        assert rows.any(), name
    # Custody from agreement may follow remand at once; whoever has no other way comes by agreement.
    assert is_open["V2"].all()


def test_a_status_brought_along_goes_on(wild, guidance):
    under = np.arange(6, dtype=np.int8)
    who = entrants(np.full(6, day(2008, 1, 1)), day(2019, 6, 9), under=under)
    case, is_open, _ = routes(wild, guidance, who, np.zeros(6), who.entry + 400)
    assert np.column_stack([is_open[name] for name in ROUTES]).tolist() == np.eye(6, dtype=bool).tolist()
    assert case.way_in().tolist() == under.tolist()


def test_unaccompanied_children_come_by_agreement_alone(wild, guidance):
    who = entrants(TEENS, day(2019, 6, 3), unaccompanied=np.ones(len(TEENS), bool))
    found = outcome(Streams(2), wild, who, 2020)
    _, is_open, _ = routes(wild, guidance, who, found.destination, found.end)
    assert {name for name, rows in is_open.items() if rows.any()} == {"V2"}


# -- statuses ----------------------------------------------------------------------------------------------------


@given(SEEDS, st.integers(2000, 2024))
@FEW
def test_orders_keep_their_times(periods, behaviour, seed, year):
    found = periods(seed, year, "care", 400)
    start, entry, end = found.path.start, found.who.entry, found.end
    begun, final, placing = start[:, C1], start[:, C2], start[:, E1]
    least, longest = behaviour.value("legal.interim_order_days", year)
    alone = (begun < LATER) & (placing == LATER)
    last = birthday(found.who.birth, 17) - 1
    # a care order ends proceedings within their time, but for those who are nearly too old; round Christmas and Easter
    # courts may not have sat for some days
    assert (final[alone] < LATER).all()
    took, room = (final - begun)[alone], (last - begun)[alone]
    assert ((took <= longest) & (took >= np.minimum(least, room) - 12)).all()
    assert (final[alone] <= last[alone]).all()
    both = (final < LATER) & (placing < LATER)
    assert (final[both] < placing[both]).all()
    assert (placing[(begun < LATER) & (placing < LATER)] > begun[(begun < LATER) & (placing < LATER)]).all()
    remanded = start[:, J1] < LATER
    shortest, most = behaviour.value("legal.remand_days", year)
    assert ((end - start[:, J1])[remanded] <= most).all()
    later = remanded & (start[:, J1] > entry)
    assert (found.destination[later] == CODE["custody"]).all()
    assert ((end - start[:, J1])[later] >= int(shortest)).all()


def test_as_many_go_to_court_from_agreement_as_the_profile_says(changed, guidance):
    """But for those on their way to a placement order, who all do, and small children who stay for years."""
    often = changed(
        legal__agreement_to_court=dict.fromkeys(BANDS, 0.4),
        legal__agreement_to_court_if_home=0.5,
        legal__adoption_by_consent_share=0.0,
    )
    n = 6000
    who = entrants(np.full(n, day(2012, 3, 1)), day(2019, 6, 3))
    destination = np.tile([CODE["home"], CODE["guardian_other"], CODE["adoption"]], n // 3).astype(np.int8)
    case, _ = entering(Streams(1), often, guidance, who, destination, who.entry + np.int32(300), 2020)
    turns, on = case.proceedings(who.entry)
    assert fits_share(turns[::3], 0.2)
    assert fits_share(turns[1::3], 0.4)
    assert turns[2::3].all()
    assert (on > who.entry).all()
    assert is_working_day(on).all()
    # two years later they cannot be left on agreement alone any more
    case, _ = entering(Streams(1), often, guidance, who, destination, who.entry + np.int32(1000), 2020)
    assert case.proceedings(who.entry)[0].all()
    # unless they are no longer small
    grown = entrants(np.full(n, day(2006, 3, 1)), day(2019, 6, 3))
    case, _ = entering(Streams(1), often, guidance, grown, destination, grown.entry + np.int32(1000), 2020)
    assert fits_share(case.proceedings(grown.entry)[0][1::3], 0.4)


@pytest.mark.parametrize("before", [0.0, 0.3, 1.0])
def test_a_care_order_comes_before_the_placement_order_as_often_as_the_profile_says(changed, guidance, before):
    some = changed(legal__full_order_before_placement_order_share=before, legal__adoption_by_consent_share=0.0)
    n = 4000
    who = entrants(np.full(n, day(2018, 3, 1)), day(2019, 6, 3))
    destination = np.full(n, CODE["adoption"], np.int8)
    case, _ = entering(Streams(1), some, guidance, who, destination, who.entry + np.int32(1500), 2020)
    start = case.drawn(np.full(n, ROUTES.index("C1")))
    _, longest = some.value("legal.interim_order_days", 2020)
    apart = start[:, E1] - start[:, C1]
    two = start[:, C2] < LATER
    assert (start[:, E1] < LATER).all()
    assert two[apart >= longest].all(), "no interim order lasts for longer"
    assert (start[two, C2] < start[two, E1]).all()
    low, _ = some.value("legal.full_order_before_placement_order_days", 2020)
    shorter = (apart < longest) & (apart > 150 + low)
    assert shorter.sum() > 300
    if before == 0.3:
        assert fits_share(two[shorter], before)
    else:
        assert (two[shorter] == (before == 1.0)).all()


@given(SEEDS, st.integers(2000, 2024))
@FEW
def test_small_children_are_not_left_on_agreement_alone_for_years(periods, behaviour, seed, year):
    found = periods(seed, year, "care", 400)
    start, who, end = found.path.start, found.who, found.end
    most = int(behaviour.scalar("legal.agreement_alone_at_most_days", year))
    oldest = int(behaviour.scalar("legal.agreement_alone_from_age", year))
    small = birthday(who.birth, oldest) > who.entry + most
    open_court = ~found.path.consent & ~np.isin(found.destination, [CODE["custody"], CODE["independent"]])
    agreed = (start < LATER).sum(axis=1) - (start[:, L1] < LATER) == 1
    alone = agreed & (start[:, V2] < LATER) & open_court & small & (end - who.entry > most)
    # but for those whose day in court would come after the end
    assert alone.sum() <= 0.1 * (open_court & small & (end - who.entry > most)).sum()


# -- a status on a day -------------------------------------------------------------------------------------------


def path_of(*rows):
    """Return paths from {status: day}."""
    start = np.full((len(rows), len(STATUSES)), LATER, np.int32)
    for row, days in enumerate(rows):
        for status, begun in days.items():
            start[row, status] = begun
    return LegalPath(start, np.full(len(rows), LATER, np.int32), np.zeros(len(rows), bool))


def test_a_status_holds_from_its_first_day_to_the_eve_of_the_next():
    path = path_of({V2: 100, C1: 110})
    held = {at: int(path.at(np.array([at], np.int32))[0]) for at in (100, 109, 110, 111, 5000)}
    assert held == {100: V2, 109: V2, 110: C1, 111: C1, 5000: C1}

    def during(first, last):
        return np.flatnonzero(path.during(np.array([first], np.int32), np.array([last], np.int32))[0]).tolist()

    assert during(100, 110) == [V2]
    assert during(100, 111) == [V2, C1]
    assert during(110, 200) == [C1]


# -- spells away -------------------------------------------------------------------------------------------------


def test_who_goes_away_has_been_there_and_comes_back_well_before_the_stay_ends(changed):
    always = changed(missing__share_of_stays=1.0, missing__from_age=10)
    margin = int(always.scalar("missing.days_before_and_after", 2015))
    low, high = always.value("missing.days", 2015)
    n = 20_000
    name = np.arange(n, dtype=np.uint64)
    start = np.full(n, day(2015, 5, 4), np.int32)
    room = (3 * margin + np.arange(n) % 60 - 20).astype(np.int32)
    birth = np.full(n, day(2000, 1, 1), np.int32)
    rows, leave, back, kind = away_from(Streams(1), always, name, birth, start, start + room)
    assert (np.diff(rows) > 0).all()
    assert (leave - start[rows] >= margin).all()
    assert (start[rows] + room[rows] - back >= margin).all()
    assert set((back - leave).tolist()) == set(range(low, high + 1))
    assert set(kind.tolist()) == {0, 1, 2}
    # more than three margins beside the days away, and all of those
    assert (room[rows] - (back - leave) > 3 * margin).all()
    assert np.isin(np.flatnonzero(room > 3 * margin + high), rows).all()


def test_nobody_goes_away_before_the_age(changed):
    always = changed(missing__share_of_stays=1.0, missing__from_age=12)
    n = 3000
    start = np.full(n, day(2015, 5, 4), np.int32)
    birth = (day(2003, 5, 4) + np.arange(n) % 400).astype(np.int32)
    rows, leave, _, _ = away_from(
        Streams(1), always, np.arange(n, dtype=np.uint64), birth, start, start + np.int32(500)
    )
    age = age_on(birth[rows], leave)
    assert age.min() == 12
    # and whoever is of the age all along may
    assert np.isin(np.flatnonzero(birth == day(2003, 5, 4)), rows).all()


def test_no_order_is_made_while_a_child_is_away(changed):
    """An order on every day of some weeks: only who goes before or after them goes away."""
    always = changed(missing__share_of_stays=1.0, missing__from_age=0)
    n = 4000
    name = np.arange(1, n + 1, dtype=np.uint64)
    entry = np.full(n, day(2015, 5, 4), np.int32)
    end = entry + np.int32(300)
    who = entrants(np.full(n, day(2003, 1, 1)), entry, name=name)
    order = (entry + 30 + np.arange(n) % 240).astype(np.int32)
    path = path_of(*({V2: int(entry[0]), C1: int(one)} for one in order))
    stays = Stays(
        np.arange(n), entry, np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n), name, np.zeros(n, bool)
    )
    spells = with_spells_away(Streams(1), always, who, stays, path, end)
    away = np.flatnonzero(spells.away >= 0)
    leave, back, made = spells.start[away], spells.start[away + 1], order[spells.period[away]]
    assert ((made < leave) | (made > back)).all()
    # on the eve or the day after there is nothing against it
    assert (made == leave - 1).any()
    assert (made == back + 1).any()
    # and all others go
    rows, leave, back, _ = away_from(Streams(1), always, name, who.birth, entry, end)
    free = (order[rows] < leave) | (order[rows] > back)
    assert rows[free].tolist() == spells.period[away].tolist()


def test_two_changes_on_one_day_make_one_episode_of_the_later_ones():
    path = path_of({V2: 100, C1: 105, C2: 120}, {V2: 100})
    spells = Spells(
        np.array([0, 0, 0, 1]), np.array([100, 105, 110, 100], np.int32), np.array([7, 8, 9, 4]), np.full(4, -1)
    )
    found = cut(path, spells, np.array([100, 100], np.int32), np.array([130, 102], np.int32))
    assert found.start.tolist() == [100, 105, 110, 120, 100]
    assert found.end.tolist() == [105, 110, 120, 130, 102]
    assert found.legal.tolist() == [V2, C1, C1, C2, V2]
    assert found.stay.tolist() == [7, 8, 9, 9, 4]
    assert found.new_legal.tolist() == [True, True, False, True, True]
    assert found.new_place.tolist() == [True, True, True, False, True]
    assert found.first.tolist() == [True, False, False, False, True]
    assert found.last.tolist() == [False, False, False, True, True]


def test_nothing_is_cut_out_of_no_periods():
    none = np.zeros(0, np.int32)
    spells = Spells(none.astype(np.int64), none, none.astype(np.int64), none.astype(np.int64))
    found = cut(path_of(), spells, none, none)
    assert [len(getattr(found, column)) for column in found.__slots__] == [0] * len(found.__slots__)


def test_an_authority_may_have_nobody_in_care(profile):
    """A profile may say so of a small authority; without targets nobody is in care before either."""
    (authority,) = parse_authorities("Merthyr Tydfil")
    levels = tuple(
        replace(level, value=0, low=0.0) if (level.kind, level.authority) == ("looked_after", authority.code) else level
        for level in profile.levels
    )
    made = simulate(replace(profile, levels=levels, targets=()), (authority,), 2017, 1)
    assert len(made.forms["crcs"]["CHILD_CODE"]) > 100
    for form in ("child", "episode", "adoption", "care_leaver"):
        assert {len(column) for column in made.forms[form].values()} == {0}, form


def test_the_register_holds_children_and_nobody_who_never_came_on_it(behaviour):
    history = live(Streams(1), behaviour, Homes(parse_authorities("Merthyr Tydfil")), 2017)
    start, end = history.registrations["start"], history.registrations["end"]
    assert (end > start).all()
    assert ((start <= last_day(2017)) & (end > last_day(2017))).sum() > 10


def test_who_was_to_go_home_late_in_a_year_of_too_few_starts_stays_on(profile):
    """Wanted are as many children as ever, and no starts in the one year for which the profile counts them.

    Children stay on then and no sooner, under statuses that may go on, after half a year in care or a quarter of one.
    """
    year, targets = 2010, []
    for target in profile.targets:
        if target.table == "starts" and target.year == year:
            targets.append(replace(target, counts=dict.fromkeys(target.counts, (0,))))
        elif target.table != "starts":
            targets.append(target)
    homes = Homes(parse_authorities("Cardiff,Swansea,Rhondda Cynon Taf"))
    behaviour = Behaviour(replace(profile, targets=tuple(targets)))
    for seed in (1, 2):
        history = live(Streams(seed), behaviour, homes, year + 1)
        period = history.periods
        rows = np.flatnonzero(period["end"] > period["drawn_end"])
        drawn_end, end = period["drawn_end"][rows], period["end"][rows]
        assert len(rows) > 5
        # A stay that was drawn to go on may have been cut short in the year first, and is drawn out all the same.
        in_year = (drawn_end >= day_of_year_start(year)) & (drawn_end <= last_day(year))
        assert (in_year | period["early"][rows]).all()
        assert in_year.any()
        longest = int(behaviour.scalar("care.staying_longer_days", year))
        assert ((end > last_day(year)) & (end <= last_day(year) + longest + 7)).all()
        assert set(period["destination"][rows].tolist()) <= {CODE["home"], CODE["independent"]}
        shortest = int(behaviour.scalar("care.early_leaving_after_days", year)) // 2
        assert (drawn_end - period["start"][rows] > shortest).all()
        held = history.courts.paths(history.children, period, rows).at(drawn_end - 1)
        assert set(held.tolist()) <= {V2, C2}


# -- stays -------------------------------------------------------------------------------------------------------


def filling_of(found, rows):
    """Return the stays of some periods, none begun."""
    who, path = found.who.only(rows), found.path.only(rows)
    how = (found.streams, found.behaviour, found.guidance, who, found.destination[rows], found.end[rows], path)
    return Filling(Chances(*how, np.zeros(len(rows), bool)))


@given(SEEDS, st.integers(1, 119), st.integers(0, 900))
@FEW
def test_periods_taken_in_later_are_filled_as_from_the_first(periods, seed, first, after):
    found = periods(seed, 2018, "care", 120)
    everyone = np.arange(len(found.end))
    late, at_once = filling_of(found, everyone[:first]), filling_of(found, everyone)
    late.advance(everyone[:first], int(found.who.entry.min()) + after)
    late.take_in(at_once.chances)
    for filling in (late, at_once):
        filling.advance(everyone, int(LATER))
    (one, here), (other, there) = late.stays(), at_once.stays()
    for column in ("period", "start", "kind", "location", "slot", "key", "by_carer"):
        assert (getattr(one, column) == getattr(other, column)).all(), column
    assert (late.stops()[here] == at_once.stops()[there]).all()
    begins = np.append(True, one.period[1:] != one.period[:-1])
    assert ((late.book["before"][here] < 0) == begins).all(), "the first stay of a period has none before it"
    assert (late.steps == at_once.steps).all()
    assert (late.given == at_once.given).all()


def test_who_is_where_nobody_stays_long_moves_on_when_the_period_goes_on(periods):
    found = periods(8, 2015, "care", 2000)
    everyone = np.arange(len(found.end))
    filling = filling_of(found, everyone)
    filling.advance(everyone, int(LATER))
    passing, given = filling.chances.rules.passing[filling.kind.clip(0, len(KINDS) - 1)], filling.given.copy()
    last, count = filling.current.copy(), len(filling.book)
    rows = everyone[filling.kind < len(KINDS)]
    # some of them do not stay to the end as it was drawn: nothing is said about these
    filling.at[rows[::3]] -= 1
    moved = filling.stay_on(rows, found.end[rows], found.end[rows] + np.int32(50))
    expected = np.setdiff1d(rows[passing[rows] & ~given[rows]], rows[::3])
    assert moved.tolist() == expected.tolist()
    assert len(moved) > 5
    assert len(filling.book) == count + len(moved)
    new = filling.current[moved]
    assert (filling.book["kind"][new] == OPEN).all()
    assert (filling.book["before"][new] == last[moved]).all()
    assert (filling.book["start"][new] == found.end[moved]).all()
    assert (filling.at[moved] == found.end[moved] + 50).all()


def chains(filling):
    """Return the numbers of the stays of each period, in order."""
    found = {}
    for number, (period, undone) in enumerate(zip(filling.book["period"], filling.book["undone"], strict=True)):
        if not undone:
            found.setdefault(int(period), []).append(number)
    return found


def test_a_stay_taken_back_leaves_the_period_as_it_was_when_the_one_before_began(periods):
    found = periods(9, 2015, "care", 1500)
    everyone, since, today = np.arange(len(found.end)), last_day(2014) + 120, last_day(2015)
    held = np.ones(len(everyone), bool)

    def filled(first):
        filling = filling_of(found, everyone)
        filling.advance(everyone[first : first + 1], today, held)
        filling.advance(everyone, today, held)
        return filling, chains(filling)

    def waiting(filling, stays):
        return len(stays) > 1 and filling.book["kind"][stays[-1]] == OPEN

    # The very first stay of the book is one before those that are taken back, too.
    filling, chain = filled(0)
    start = filling.book["start"]
    late = [p for p, one in chain.items() if waiting(filling, one) and len(one) > 2 and start[one[-2]] > since]
    filling, chain = filled(late[0])
    assert chain[late[0]][0] == 0
    rows = np.array([p for p, one in chain.items() if waiting(filling, one) and not filling.given[p]])
    start, kind, slot = (filling.book[column].copy() for column in ("start", "kind", "slot"))
    at, steps = filling.at.copy(), filling.steps.copy()
    filling.take_back(rows, since + 1)
    assert (filling.at == at).all()
    assert (filling.steps[rows] == steps[rows] - 1).all()
    opened, firsts = 0, 0
    for row in rows.tolist():
        *earlier, last, gone = chain[row]
        assert filling.book["undone"][gone]
        assert filling.current[row] == last
        if start[last] <= since:
            assert filling.book["kind"][last] == kind[last] == filling.kind[row]
            continue
        opened, firsts = opened + 1, firsts + (not earlier)
        assert filling.book["kind"][last] == OPEN
        assert filling.book["planned"][last] == at[row]
        assert filling.kind[row] == (kind[earlier[-1]] if earlier else -1)
        assert filling.slot[row] == (slot[earlier[-1]] if earlier else 0.0)
    assert 0 < firsts < opened < len(rows)


# -- other courses before the courts -----------------------------------------------------------------------------


def test_what_was_chosen_one_year_has_other_lawful_courses_the_next(periods):
    """Proceedings, and placement orders in vain, may be put off past the day that is counted, or hastened to it."""
    now = proceedings(periods(5, 2020, "care", 2500), 2021)
    spread = int(now.behaviour.scalar("care.put_off_days", now.year)) + 7
    put_off, revoked, chosen = 0, 0, []
    ways_in = every(proceedings(periods(5, 2020, "care", 2500), 2020))
    assert all((other.cost > 0).all() for other in ways_in), "nor does another way in"
    for other in every(now):
        assert (other.cost > 0).all(), "only the path as it stands costs nothing"
        assert (other.cost < 40).all()
        was, begun = now.path.start[other.rows, C1], other.path.start[:, C1]
        put_off += ((was <= now.day) & (begun > now.day) & (begun <= now.day + spread)).sum()
        in_vain = (other.path.start[:, E1] <= now.day) & (now.path.start[other.rows, E1] == LATER)
        chosen.append(other.only(in_vain & (other.path.start[:, C2] > now.day) & (other.path.start[:, C2] < LATER)))
    assert put_off
    for one in chosen:
        how = (now.streams, now.behaviour, now.guidance, now.year + 1)
        rows = one.rows
        after = Proceedings(*how, now.who.only(rows), now.destination[rows], now.end[rows], one.path)
        for other in every(after):
            assert not breaches(after, other)
            was, then = after.path.start[other.rows, C2], other.path.start[:, C2]
            stands = other.path.start[:, E1] == after.path.start[other.rows, E1]
            late = (was > after.past) & (was <= after.day) & (then > after.day) & (then <= after.day + spread)
            revoked += (stands & late & (then < after.end[other.rows] - 1)).sum()
    assert revoked


# -- taken over --------------------------------------------------------------------------------------------------


@given(SEEDS, st.sampled_from([2005, 2019, 2023]))
@FEW
def test_care_that_passes_begins_and_passes_on_working_days_of_one_year(behaviour, seed, year):
    # so many worlds that nobody at all is hardly possible: some three a world
    found = transfers(Streams(seed), behaviour, tuple(range(10)), year)
    first, last = day_of_year_start(year), last_day(year)
    shortest, _ = behaviour.value("transfers.days_in_care", year)
    assert len(found.entry)
    assert is_working_day(found.entry).all()
    assert is_working_day(found.handover).all()
    assert (found.entry >= first).all()
    # so that the receiver has the child for a while before the count
    assert (found.handover <= last - shortest // 2 + 5).all()
    assert (found.plan_start >= found.members.birth).all()
    assert (found.members.name >> np.uint64(3) == found.members.family).all(), "names are those of the family"
    assert len(np.unique(found.members.name)) == len(found.entry)
    # sender and receiver are authorities of one world
    assert (world_of(found.sender) == world_of(found.receiver)).all()
    assert set(order_of(found.receiver).tolist()) <= set(range(22))
    assert set(world_of(found.sender).tolist()) <= set(range(10))
    with_sender, with_receiver = found.with_sender(), found.with_receiver()
    assert (with_sender.number == 0).all()
    assert (with_receiver.number == 1).all()
    assert (with_sender.entry == found.entry).all()
    assert (with_receiver.entry == found.handover).all()
    assert (with_sender.under == DRAWN).all()
    assert (with_receiver.under == found.under).all()
