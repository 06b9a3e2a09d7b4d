import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.dates import age_on, birthday, day
from synth.lives.behaviour import BANDS
from synth.lives.chances import Chances
from synth.lives.legal import LATER, STATUSES, LegalPath
from synth.lives.periods import DESTINATIONS
from synth.lives.placements import ADOPTION, KINDS, LOCATIONS, OPEN, Filling, placement_code

SEEDS = st.integers(0, 2**31)
YEARS = st.integers(2000, 2024)
FEW = settings(max_examples=15)
"""Each example is some hundred children with all their placements."""
FOSTER = [KINDS.index(kind) for kind in ("kin", "la_foster", "agency_foster", "concurrent")]
LENGTHS = ("short", "medium", "long", "very_long")
PARENTS = KINDS.index("parents")


def spans(found):
    """First day, day after the last, and whether another stay of the period follows."""
    stays = found.stays
    follows = np.append(stays.period[1:] == stays.period[:-1], False)
    return stays.start, np.where(follows, np.append(stays.start[1:], 0), found.end[stays.period]), follows


def code_of(found, row):
    stays = found.stays
    if stays.kind[row] == ADOPTION:
        consent, carer = found.path.consent[stays.period[row]], stays.by_carer[row]
        return {(True, True): "A3", (True, False): "A4", (False, True): "A5", (False, False): "A6"}[
            bool(consent), bool(carer)
        ]
    return placement_code(KINDS[stays.kind[row]], LOCATIONS[stays.location[row]])


@given(SEEDS, YEARS, st.sampled_from(["care", "unaccompanied"]))
@FEW
def test_stays_fill_the_period(periods, seed, year, kind):
    found = periods(seed, year, kind, 250)
    start, stop, _ = spans(found)
    first = np.append(True, found.stays.period[1:] != found.stays.period[:-1])
    assert (found.stays.period[first] == np.arange(len(found.end))).all()
    assert (start[first] == found.who.entry).all()
    assert (stop > start).all()
    assert ((found.stays.slot >= 0) & (found.stays.slot < 1) | (found.stays.slot == -1)).all()


def unlawful(found, guidance):
    """Every breach of what the guidance says about placements: pairs of code and status, or code and age."""
    start, stop, _ = spans(found)
    held = found.path.only(found.stays.period).during(start, stop)
    codes = [code_of(found, row) for row in range(len(start))]
    needs = guidance.allowed("placement_needs_legal_status")
    allows = guidance.allowed("legal_status_allows_placement")
    queried = guidance.allowed("legal_status_queried_with_placement")
    pairs = {(codes[row], STATUSES[status]) for row, status in zip(*np.nonzero(held), strict=True)}
    wrong = {
        (code, status)
        for code, status in pairs
        if status not in needs.get(code, {status})
        or code not in allows.get(status, {code})
        or code in queried.get(status, set())
    }
    birth = found.who.birth[found.stays.period]
    age, last_age = age_on(birth, start), age_on(birth, stop - 1)
    infant = guidance.limit("PLACEMENT_TYPE_CODE", "R3", "infant_max_age_years")
    parent = guidance.limit("PLACEMENT_TYPE_CODE", "R3", "parent_min_age_years")
    first_a8 = guidance.limit_date("PLACEMENT_TYPE_CODE", "A8", "first_start_date")
    least = {
        code: max(guidance.limit("PLACEMENT_TYPE_CODE", code, m) or 0 for m in ("min_age_years", "query_age_years"))
        for code in set(codes)
    }
    weeks = {code: guidance.limit("PLACEMENT_TYPE_CODE", code, "min_age_weeks") or 0 for code in set(codes)}
    for row, code in enumerate(codes):
        if age[row] < least[code] or start[row] - birth[row] < 7 * weeks[code]:
            wrong.add((code, int(age[row])))
        if code == "R3" and last_age[row] > infant and age[row] < parent:
            wrong.add((code, int(last_age[row])))
        if code == "A8" and start[row] < day(first_a8.year, first_a8.month, first_a8.day):
            wrong.add((code, "too early"))
    return wrong


@given(SEEDS, YEARS, st.sampled_from(["care", "unaccompanied"]))
@FEW
def test_the_guidance_allows_every_placement(periods, guidance, seed, year, kind):
    assert not unlawful(periods(seed, year, kind, 250), guidance)


@pytest.mark.parametrize("year", [2012, 2021])
def test_the_guidance_holds_whatever_the_profile_makes_likely(periods, changed, guidance, year):
    """Every kind of placement equally likely at every age and for every length: no breach still."""
    even = dict.fromkeys(KINDS, 1.0)
    lengths = {kind: dict.fromkeys(LENGTHS, 1.0) for kind in KINDS}
    wild = changed(
        placement__kind=dict.fromkeys((*BANDS, "unaccompanied"), even),
        placement__length_fit=lengths,
        placement__last_kind=dict.fromkeys(DESTINATIONS, even),
        placement__first=even,
        placement__on_remand=even,
    )
    assert not unlawful(periods(1, year, "care", 2500, wild), guidance)


@given(SEEDS, YEARS, st.sampled_from(["care", "unaccompanied"]))
@FEW
def test_a_move_is_a_move(periods, seed, year, kind):
    stays = periods(seed, year, kind, 250).stays
    again = (stays.period[1:] == stays.period[:-1]) & (stays.kind[1:] == stays.kind[:-1])
    apart = np.abs(stays.slot[1:] - stays.slot[:-1])[again]
    assert (apart >= 0.11 - 1e-9).all()
    for kind_ in (PARENTS, KINDS.index("concurrent"), ADOPTION):
        assert not (again & (stays.kind[1:] == kind_)).any()


@given(SEEDS, YEARS)
@FEW
def test_placement_for_adoption_begins_on_the_set_day_and_ends_the_period(periods, seed, year):
    found = periods(seed, year, "care", 250)
    stays, (start, _, follows) = found.stays, spans(found)
    here = np.flatnonzero(stays.kind == ADOPTION)
    adopted = np.flatnonzero(found.destination == DESTINATIONS.index("adoption"))
    assert (stays.period[here] == adopted).all()
    assert (start[here] == found.path.placed[adopted]).all()
    assert not follows[here].any()
    by_carer = here[stays.by_carer[here]]
    assert (stays.slot[by_carer] == -1).all(), "adopted by the carer: the address stays"
    assert (stays.location[by_carer] == stays.location[by_carer - 1]).all()
    assert np.isin(stays.kind[by_carer - 1], FOSTER).all()
    assert (stays.period[by_carer - 1] == stays.period[by_carer]).all()
    assert (np.delete(stays.slot, by_carer) >= 0).all()


@given(SEEDS, YEARS)
@FEW
def test_a_care_order_is_discharged_with_the_child_at_home(periods, behaviour, seed, year):
    found = periods(seed, year, "care", 250)
    stays, (start, _, follows) = found.stays, spans(found)
    ordered = (found.destination == DESTINATIONS.index("home")) & (found.path.at(found.end - 1) == STATUSES.index("C2"))
    last = np.flatnonzero(~follows)
    at_home = last[ordered[stays.period[last]]]
    assert (stays.kind[at_home] == PARENTS).all()
    assert (start[at_home] >= found.path.start[stays.period[at_home], STATUSES.index("C2")]).all()
    longest = behaviour.value("placement.home_before_discharge_days", year)[1]
    assert (found.end[stays.period[at_home]] - start[at_home] <= longest).all()


@given(SEEDS, st.lists(st.integers(0, 119), min_size=1, unique=True))
@FEW
def test_stays_are_the_same_whichever_other_periods_are_filled(periods, seed, chosen):
    found = periods(seed, 2018, "care", 120)
    rows = np.sort(chosen)
    some = found.stays_of(rows)
    kept = np.isin(found.stays.period, rows)
    for column in ("start", "kind", "location", "slot", "key", "by_carer"):
        assert (getattr(some, column) == getattr(found.stays, column)[kept]).all(), column


def test_siblings_placed_together_share_the_address(periods):
    found = periods(3, 2018, "care", 3000)
    stays = found.stays
    order = np.lexsort((stays.kind, stays.start, stays.key))
    key, start, kind = stays.key[order], stays.start[order], stays.kind[order]
    together = (key[1:] == key[:-1]) & (start[1:] == start[:-1]) & (kind[1:] == kind[:-1])
    first = found.who.entry[stays.period[order]] == start
    together &= first[1:]
    assert together.sum() > 100
    assert (stays.slot[order][1:] == stays.slot[order][:-1])[together].all()
    assert (stays.location[order][1:] == stays.location[order][:-1])[together].all()


@pytest.mark.parametrize("inside", [False, True])
def test_secure_homes_are_inside_only_where_there_is_one(periods, inside):
    made = periods(2, 2020, "care", 6000).stays_of(slice(None), inside)
    where = made.location[made.kind == KINDS.index("secure")]
    assert len(where)
    assert ((where == LOCATIONS.index("inside")) == inside).all()


def test_every_code_of_a_kind_is_in_the_code_set(guidance):
    codes = {placement_code(kind, location) for kind in KINDS for location in LOCATIONS}
    assert codes <= guidance.values("placement_type")


def test_every_kind_occurs(periods):
    kinds = set(periods(5, 2023, "care", 24_000).stays.kind.tolist())
    unusual = {KINDS.index(kind) for kind in ("employment", "other", "custody")}
    assert set(range(ADOPTION + 1)) - unusual <= kinds


def test_infants_grow_out_of_family_centres(periods):
    found = periods(7, 2020, "care", 6000)
    _, stop, _ = spans(found)
    centre = found.stays.kind == KINDS.index("family_centre")
    birth = found.who.birth[found.stays.period]
    infants = centre & (age_on(birth, found.stays.start) < 2)
    assert infants.any()
    assert (stop[infants] <= birthday(birth, 2)[infants]).all()


@given(SEEDS, YEARS, st.lists(st.integers(0, 6000), max_size=6))
@FEW
def test_filling_in_steps_is_filling_at_once(periods, seed, year, days):
    found = periods(seed, year, "care", 120)
    how = (found.streams, found.behaviour, found.guidance, found.who, found.destination, found.end, found.path)
    filling = Filling(Chances(*how, np.zeros(len(found.end), bool)))
    rows = np.arange(len(found.end))
    for after in sorted(days):
        filling.advance(rows, int(found.who.entry.min()) + after)
    filling.advance(rows, int(LATER))
    stays, _ = filling.stays()
    for column in ("period", "start", "kind", "location", "slot", "key", "by_carer"):
        assert (getattr(stays, column) == getattr(found.stays, column)).all(), column


def test_a_move_taken_back_did_not_happen(periods):
    """The stay before goes on to the same day, its kind open again; addresses and counts are as before the move."""
    found = periods(8, 2015, "care", 500)
    how = (found.streams, found.behaviour, found.guidance, found.who, found.destination, found.end, found.path)
    filling = Filling(Chances(*how, np.zeros(len(found.end), bool)))
    day = int(found.who.entry.max()) + 200
    hold = found.end > day
    filling.advance(np.arange(len(found.end)), day, hold)
    moved = np.flatnonzero(hold & (filling.steps > 1) & ~filling.given)
    assert len(moved) > 20
    at, steps, latest = filling.at[moved].copy(), filling.steps[moved].copy(), filling.current[moved].copy()
    first = filling.book["before"][latest]
    filling.take_back(moved, int(found.who.entry.min()))
    assert (filling.at[moved] == at).all()
    assert (filling.steps[moved] == steps - 1).all()
    assert (filling.current[moved] == first).all()
    assert (filling.book["kind"][first] == OPEN).all()
    assert filling.book["undone"][latest].all()
    assert (filling.stops()[first] == at).all()


def test_a_hastened_placement_finds_adopters_where_no_carer_fosters(periods):
    """A child that was to be adopted by its carer, but is placed sooner, from elsewhere, is adopted by others."""
    found = periods(11, 2016, "care", 1500)
    how = (found.streams, found.behaviour, found.guidance, found.who, found.destination, found.end, found.path)
    chances = Chances(*how, np.zeros(len(found.end), bool))
    filling, everyone = Filling(chances), np.arange(len(found.end))
    day = int(np.median(found.who.entry)) + 60
    filling.advance(everyone, day)
    waits = chances.by_carer & (found.path.placed > day + 30) & (found.path.placed < found.end)
    fostered = np.flatnonzero(waits & (filling.current >= 0) & np.isin(filling.kind, FOSTER))
    elsewhere, fostered = fostered[::2], fostered[1::2]
    assert min(len(elsewhere), len(fostered)) > 2
    filling.kind[elsewhere] = filling.book["kind"][filling.current[elsewhere]] = KINDS.index("family_centre")
    placed = found.path.placed.copy()
    placed[elsewhere] = placed[fostered] = day + 5
    filling.follow(LegalPath(found.path.start, placed, found.path.consent), everyone)
    filling.advance(everyone, int(LATER))
    stays, _ = filling.stays()
    adopted = stays.kind == ADOPTION
    assert adopted[np.isin(stays.period, elsewhere)].sum() == len(elsewhere)
    assert not stays.by_carer[adopted & np.isin(stays.period, elsewhere)].any()
    assert stays.by_carer[adopted & np.isin(stays.period, fostered)].all()
