import numpy as np
import pytest
from chance import fits_share

from synth.dates import age_on, birthday, day, day_of_year_start, last_day, quarter_day
from synth.geography.authorities import parse_authorities
from synth.lives.histories import live, lives
from synth.lives.homes import Homes
from synth.lives.people import MALE, is_taken_over
from synth.lives.periods import DESTINATIONS, DRAWN
from synth.lives.plans import CLOSURES, NEEDS
from synth.lives.streams import Streams
from synth.simulate import simulate

THREE = "Powys,Cardiff,Merthyr Tydfil"
HOME = DESTINATIONS.index("home")
FINAL = [DESTINATIONS.index(name) for name in ("adoption", "died", "transfer")]
BOTH = (2017, 2024)
SPELLS = ("plans", "periods", "registrations", "series")


@pytest.fixture(scope="module", params=[(1, "22"), (5, THREE)], ids=["wales", "three"])
def history(request, world):
    seed, names = request.param
    return world(2024, seed, names, BOTH if names == THREE else ()).history


def of_child(history, spells, column):
    return history.children[column][spells["child"]]


def led(periods):
    """Where each period led in the end."""
    home = np.where(periods["early"], HOME, periods["destination"])
    return np.where(periods["instead"] >= 0, periods["instead"], home)


def counted(history, spells, day, begun_by=None):
    """Children in a spell on a day, by authority."""
    here = (spells["start"] <= (day if begun_by is None else begun_by)) & (spells["end"] > day)
    return np.bincount(of_child(history, spells, "place")[here], minlength=len(history.homes))


@pytest.mark.parametrize("year", range(2017, 2025))
def test_stocks_meet_their_levels_exactly(history, profile, year):
    levels = {
        kind: [profile.level(kind, authority.code, year) for authority in history.homes.authorities]
        for kind in ("looked_after", "care_and_support")
    }
    assert counted(history, history.periods, last_day(year)).tolist() == levels["looked_after"]
    supported = counted(history, history.plans, last_day(year), quarter_day(year))
    assert supported.tolist() == levels["care_and_support"]


FALLS = [("Ceredigion", 2018), ("Caerphilly", 2018), ("Denbighshire", 2021), ("Powys", 2017)]


@pytest.fixture(scope="module")
def falls(behaviour):
    """Five worlds of authorities whose stock falls steeply, by year."""
    homes = Homes(parse_authorities(",".join(name for name, _ in FALLS)), tuple(range(5)))
    return {history.year: history for history in lives(Streams(201), behaviour, homes, (2017, 2018, 2021))}


@pytest.mark.parametrize("world", range(5))
@pytest.mark.parametrize(("name", "year"), FALLS)
def test_stocks_follow_a_steep_fall(falls, profile, world, name, year):
    """Published totals that fall faster than children would leave of themselves are met all the same."""
    history = falls[year]
    (authority,) = parse_authorities(name)
    place = world * len(FALLS) + history.homes.authorities.index(authority)
    found = (
        int(counted(history, history.periods, last_day(year))[place]),
        int(counted(history, history.plans, last_day(year), quarter_day(year))[place]),
    )
    code = authority.code
    assert found == (profile.level("looked_after", code, year), profile.level("care_and_support", code, year))


def test_warm_up_years_meet_their_levels_too(history, profile):
    """A stock falls only by children leaving: a level that drops faster than that cannot be met."""
    for year in range(profile.warm_up_from + 1, 2017):
        found = counted(history, history.periods, last_day(year))
        assert (found >= [profile.level("looked_after", a.code, year) for a in history.homes.authorities]).all()


def test_nothing_lasts_beyond_childhood_or_begins_before_birth(history):
    for table in SPELLS:
        spells = getattr(history, table)
        birth = of_child(history, spells, "birth")
        assert (spells["end"] <= birthday(birth, 18) - 1).all(), table
        assert (spells["start"] >= birth).all(), table
        assert (spells["end"] > spells["start"]).all(), table


def test_no_child_is_twice_in_one_kind_of_spell(history):
    for table in SPELLS:
        spells = getattr(history, table)
        order = np.lexsort((spells["start"], spells["child"]))
        child, start, end = (spells[column][order] for column in ("child", "start", "end"))
        again = child[1:] == child[:-1]
        assert (start[1:] > end[:-1])[again].all(), table
    periods = history.periods
    order = np.lexsort((periods["start"], periods["child"]))
    first = np.append(True, periods["child"][order][1:] != periods["child"][order][:-1])
    number = periods["number"][order]
    assert (number[first] == (periods["under"][order][first] != DRAWN)).all(), "or the second, for one taken over"
    assert (np.diff(number)[~first[1:]] == 1).all(), "periods are counted in order"


def covered(history, spells):
    """Say whether each spell lies within one plan of the child."""
    plans = history.plans
    order = np.lexsort((plans["start"], plans["child"]))
    keys = plans["child"][order] * 100_000 + plans["start"][order]
    place = np.searchsorted(keys, spells["child"] * 100_000 + spells["start"], side="right") - 1
    plan = order[np.maximum(place, 0)]
    return (plans["child"][plan] == spells["child"]) & (plans["end"][plan] >= spells["end"])


@pytest.mark.parametrize("table", ["periods", "registrations", "series"])
def test_every_spell_lies_within_a_plan(history, table):
    assert covered(history, getattr(history, table)).all()


def test_plans_usually_begin_before_care(history):
    periods, plans = history.periods, history.plans
    first = periods["number"] == 0
    alone = of_child(history, periods, "unaccompanied")
    begins = np.isin(periods["child"] * 100_000 + periods["start"], plans["child"] * 100_000 + plans["start"])
    assert 0 < begins[first & ~alone].mean() < 0.5
    assert begins[first & alone].all()


def test_nobody_comes_back_from_adoption_death_or_another_authority(history):
    periods = history.periods
    final = np.isin(led(periods), FINAL)
    gone = np.full(len(history.children["name"]), np.iinfo(np.int32).max)
    gone[periods["child"][final]] = periods["end"][final]
    for table in SPELLS:
        spells = getattr(history, table)
        assert (spells["end"] <= gone[spells["child"]]).all(), table
        assert (spells["start"] < gone[spells["child"]]).all(), table


def test_plans_close_for_the_reason_life_gives(history):
    plans, periods = history.plans, history.periods
    because = np.array(CLOSURES)[plans["ends_because"]]
    last = {}
    for child, end, destination in zip(periods["child"], periods["end"], led(periods), strict=True):
        last[int(child), int(end)] = DESTINATIONS[destination]
    expected = {"adoption": "RC1", "died": "RC2", "transfer": "RC5"}
    seen = set()
    for child, end, reason in zip(plans["child"], plans["end"], because, strict=True):
        ended = last.get((int(child), int(end)))
        if ended in expected:
            assert reason == expected[ended]
            seen.add(reason)
        elif reason in expected.values():
            raise AssertionError(f"{reason} without {ended}")
    assert "RC1" in seen
    adult = because == "RC6"
    assert (plans["end"][adult] == birthday(of_child(history, plans, "birth")[adult], 18) - 1).all()
    assert (of_child(history, plans, "need")[adult] == NEEDS.index("N2")).all()


def test_only_abuse_and_neglect_lead_to_the_register(history):
    assert (of_child(history, history.registrations, "need") == NEEDS.index("N1")).all()


def test_unaccompanied_children_are_boys_of_an_age_and_meet_their_totals(history, profile):
    child, periods = history.children, history.periods
    alone = child["unaccompanied"]
    assert (child["need"][alone] == NEEDS.index("N8")).all()
    assert fits_share(child["sex"][alone] == MALE, profile.at("household.male_share.unaccompanied", 2020))
    theirs = of_child(history, periods, "unaccompanied")
    assert (age_on(of_child(history, periods, "birth")[theirs], periods["start"][theirs]) >= 10).all()
    for year in (2019, 2023, 2024):
        here = {column: values[theirs] for column, values in periods.items()}
        wanted = [profile.target("unaccompanied", authority.code, year)[0] for authority in history.homes.authorities]
        found = counted(history, here, last_day(year))
        # A number that falls is followed only as fast as children leave.
        assert (found >= wanted).all()
        assert found.sum() <= 1.01 * sum(wanted)


def test_short_break_series_are_apart_from_care(history):
    assert of_child(history, history.series, "short_breaks").all()
    assert not of_child(history, history.periods, "short_breaks").any()


def test_siblings_who_enter_together_follow_one_lead(history):
    periods = history.periods
    family = of_child(history, periods, "family")
    assert (periods["lead"] >> np.uint64(3) == family).all(), "the lead is a child of the family"
    names, births = history.children["name"], history.children["birth"]
    known = np.argsort(names)
    place = known[np.minimum(np.searchsorted(names, periods["lead"], sorter=known), len(names) - 1)]
    assert (names[place] == periods["lead"]).all()
    assert (births[place] == periods["lead_birth"]).all(), "by whose age the proceedings go"
    order = np.lexsort((periods["lead"], periods["start"], family))
    same = (family[order][1:] == family[order][:-1]) & (periods["start"][order][1:] == periods["start"][order][:-1])
    assert same.sum() > 100
    assert (periods["lead"][order][1:] == periods["lead"][order][:-1])[same].all()


def test_children_of_a_family_live_in_one_authority(history):
    child = history.children
    moved = is_taken_over(child["family"])
    family, place = child["family"][~moved], child["place"][~moved]
    order = np.argsort(family, kind="stable")
    same = family[order][1:] == family[order][:-1]
    assert (place[order][1:] == place[order][:-1])[same].all()
    assert len(np.unique(child["name"][~moved])) == len(family)
    assert np.unique(child["name"][moved], return_counts=True)[1].max() <= 2, "but for one taken over by another"


def test_later_years_change_nothing_that_happened(world):
    """What begins by 31 March 2022 is the same whether lives go on to 2022 or to 2024."""
    early, late = world(2022).history, world(2024).history
    for column in ("place", "name", "family", "birth", "sex", "need", "unaccompanied", "short_breaks"):
        n = len(early.children[column])
        assert (late.children[column][:n] == early.children[column]).all(), column
    for table in SPELLS:
        before, after = (
            {column: values[spells["start"] <= last_day(2022)] for column, values in spells.items()}
            for spells in (getattr(early, table), getattr(late, table))
        )
        for column in before.keys() - {"end", "ends_because", "early", "instead"}:
            assert np.array_equal(before[column], after[column]), (table, column)
        ended = before["end"] <= last_day(2022)
        assert (after["end"][ended] == before["end"][ended]).all(), table
        assert (after["end"][~ended] > last_day(2022)).all(), table
        if table == "periods":
            assert (after["early"][ended] == before["early"][ended]).all()
            moved = after["end"] != before["end"]
            assert 0 < moved.mean() < 0.05, "few leave on another day than drawn, sooner or later"


def test_other_authorities_change_nothing(world):
    """Children of three authorities are the same among all 22; rows are numbered anew, so names are compared."""
    every, three = world(2024).history, world(2024, 1, THREE).history

    def lives(history, table):
        spells = getattr(history, table)
        names = history.children["name"][spells["child"]]
        codes = np.array([int(a.code) for a in history.homes.authorities])[of_child(history, spells, "place")]
        keep = np.isin(codes, [int(a.code) for a in three.homes.authorities])
        return np.array(sorted(zip(names[keep], spells["start"][keep], spells["end"][keep], strict=True)))

    for table in SPELLS:
        assert np.array_equal(lives(every, table), lives(three, table)), table


def test_every_year_is_ticked_once(profile, behaviour):
    years = []
    live(Streams(1), behaviour, Homes(parse_authorities("Merthyr Tydfil")), 2017, years.append)
    assert years == list(range(profile.warm_up_from + 1, 2018))


def test_some_children_come_into_care_from_a_plan_they_held(history):
    """As far as the year has room for those it is meant to take from plans of 1 April."""
    periods, plans = history.periods, history.plans
    for year in (2018, 2021, 2024):
        first = day_of_year_start(year)
        held = plans["child"][(plans["start"] < first) & (plans["end"] >= first)]
        came = (periods["start"] >= first) & (periods["start"] <= last_day(year))
        assert np.isin(periods["child"][came], held).mean() > 0.08, year
    assert (periods["number"][came] > 0).any(), "some come back into care"


def test_some_of_those_who_go_home_come_back(world):
    """One in five after a year and over a third after six in England (Goldacre and others 2022).

    The count of children looked after at any time in 2018-19 (T13) leaves room for somewhat fewer in Wales.
    """
    history = world(2024).history
    periods, last = history.periods, day(2024, 3, 31)
    order = np.lexsort((periods["start"], periods["child"]))
    child, start, end = (periods[column][order] for column in ("child", "start", "end"))
    again = np.where(np.append(child[1:] == child[:-1], False), np.append(start[1:], last), last) - end
    home = (led(periods)[order] == HOME) & (end < birthday(history.children["birth"][child], 17))

    def back(within, first):
        seen = home & (end >= first) & (end + within < last)
        assert seen.sum() > 2000
        return (again[seen] <= within).mean()

    # Eight standard errors of a share of 2,000 are 7 points at most; the bounds lie farther from what is drawn: wrong
    # for another seed less than once in 10^12.
    assert 0.10 <= back(365, day(2016, 4, 1)) <= 0.20
    assert 0.22 <= back(6 * 365, day(2012, 4, 1)) <= 0.38


def test_leaving_has_two_peaks(world):
    """In 2021 34.5 per cent of the leavers in Wales went home, and 24.9 had stayed until 18 (CASCADE)."""
    history = world(2024).history
    periods = history.periods
    left = (periods["end"] >= day(2020, 4, 1)) & (periods["end"] <= day(2021, 3, 31))
    grown = periods["end"] == birthday(of_child(history, periods, "birth"), 18) - 1
    assert 0.20 <= grown[left].mean() <= 0.32
    stayed = (periods["end"] - periods["start"])[left & ~grown]
    # between two fifths and three quarters, with three standard errors on either side
    error = 3 * np.sqrt(0.25 / len(stayed))
    assert 0.4 - error <= (stayed <= 2 * 365).mean() <= 0.75 + error


@pytest.mark.parametrize(("year", "seed", "names"), [(2017, 5, THREE), (2024, 5, THREE), (2021, 3, "Merthyr Tydfil")])
def test_what_is_forgotten_of_the_warm_up_makes_no_difference(monkeypatch, world, profile, year, seed, names):
    whole = world(year, seed, names, BOTH if names == THREE else ())
    known = []

    def forgetting(*given):
        for history in lives(*given):
            known.append(len(history.children["name"]))
            yield history

    monkeypatch.setattr("synth.simulate.lives", forgetting)
    made = simulate(profile, whole.authorities, year, seed)
    assert known[0] < 0.8 * len(whole.history.children["name"])
    for name, form in whole.made.forms.items():
        for column, values in form.items():
            assert made.forms[name][column].tolist() == values.tolist(), (name, column)
