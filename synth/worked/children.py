"""A dozen and more children written by hand, a sentence each, as a domain expert would tell them."""

from __future__ import annotations

from synth.worked.book import IN_BRISTOL, IN_CARDIFF, IN_NEWPORT, IN_POWYS, POWYS, Book, birth, upn

__all__ = ["CHILDREN"]

CPR_FLAGS = (
    "CPR_NEGLECT",
    "CPR_PHYSICAL_ABUSE",
    "CPR_SEXUAL_ABUSE",
    "CPR_FINANCIAL_ABUSE",
    "CPR_EMOTIONAL_ABUSE",
)


def _ann(b: Book, _: bool) -> None:
    """Ann, 8, has lived with the same foster carers under a care order for three years."""
    dob = birth(b.year, 8, 6, 14)
    b.child("C001", dob, gender="2", number=upn(1))
    b.episode("C001", 1, "P", b.d(5, 2, back=3), "C2", "F2", IN_CARDIFF)
    b.census("C001", dob, 8, gender="2", number=upn(1), LOOKED_AFTER_CHILD="1")


def _ben(b: Book, _: bool) -> None:
    """Ben, 1, came in by agreement in May, an interim order followed, and in November he moved to Newport."""
    dob = birth(b.year, 1, 3, 2)
    b.child("C002", dob)
    b.episode("C002", 1, "S", b.d(5, 10), "V2", "F1", IN_CARDIFF, b.d(7, 12), "X1")
    b.episode("C002", 2, "L", b.d(7, 12), "C1", "F1", IN_CARDIFF, b.d(11, 1), "X1")
    b.episode("C002", 3, "P", b.d(11, 1), "C1", "F5", IN_NEWPORT)
    b.census("C002", dob, 1, LOOKED_AFTER_CHILD="1", PLAN_START_DATE=b.d(4, 20))


def _cai(b: Book, _: bool) -> None:
    """Cai, 13, went home before Christmas and was back, in a children's home, in February."""
    dob = birth(b.year, 13, 11, 30)
    b.child("C003", dob, number=upn(3))
    b.episode("C003", 1, "S", b.d(9, 1), "V2", "F3", IN_CARDIFF, b.d(12, 20), "E4", need="N5")
    b.episode("C003", 2, "S", b.d(2, 5), "V2", "H3", IN_CARDIFF, need="N5")
    b.census("C003", dob, 13, number=upn(3), LOOKED_AFTER_CHILD="1", CATEGORY_OF_NEED_CODE="N5")


def _dee(b: Book, whole_year: bool) -> None:
    """Dee, 2, under a placement order since last January, was placed in June and adopted in February."""
    dob = birth(b.year, 2, 12, 9)
    b.child("C004", dob, gender="2")
    b.episode("C004", 1, "L", b.d(1, 15, back=1), "E1", "F2", IN_CARDIFF, b.d(6, 10), "X1")
    b.episode("C004", 2, "P", b.d(6, 10), "E1", "A6", "", b.d(2, 20), "E12")
    b.adoption("C004", b.d(3, 3, back=2), b.d(12, 20, back=1), b.d(5, 20), b.d(6, 10), b.d(2, 20))
    if whole_year:
        closed = {"PLAN_ACTIVE_31_MARCH": "0", "PLAN_CLOSED_DATE": b.d(2, 20), "REASON_FOR_CLOSURE": "RC1"}
        b.census("C004", dob, 2, gender="2", **closed, PLAN_START_DATE=b.d(3, 1, back=2))


def _eve(b: Book, whole_year: bool) -> None:
    """Eve came in at three weeks in April and was adopted, by two women, before the year was out."""
    dob = birth(b.year, 1, 3, 15)
    b.child("C005", dob, gender="2")
    b.episode("C005", 1, "S", b.d(4, 5), "C1", "F2", IN_CARDIFF, b.d(8, 1), "X1")
    b.episode("C005", 2, "L", b.d(8, 1), "E1", "F2", IN_CARDIFF, b.d(9, 20), "X1")
    b.episode("C005", 3, "P", b.d(9, 20), "E1", "A6", "", b.d(3, 25), "E12")
    pair = {"SEX_ADOPTR": "FF", "LS_ADOPTR": "L12"}
    b.adoption("C005", b.d(4, 5), b.d(7, 20), b.d(9, 1), b.d(9, 20), b.d(3, 25), **pair)
    if whole_year:
        closed = {"PLAN_ACTIVE_31_MARCH": "0", "PLAN_CLOSED_DATE": b.d(3, 25), "REASON_FOR_CLOSURE": "RC1"}
        b.census("C005", dob, 1, gender="2", **closed, PLAN_START_DATE=b.d(4, 2))


def _fay(b: Book, _: bool) -> None:
    """Fay, 9, has many impairments and stays nine times a year with the same carers; that is not being looked after."""
    dob = birth(b.year, 9, 8, 1)
    b.child("C006", dob, gender="2", number=upn(6), DISABILITY_CODE="1")
    b.episode("C006", 1, "S", b.d(6, 1, back=1), "V1", "F2", IN_CARDIFF, need="N2", breaks="9")
    flags = ("MOBILITY", "MANUAL_DEXTERITY", "CONTINENCE", "LIFT_CARRY_OBJECTS")
    facts = {"DISABILITY_NONE": "0", "CATEGORY_OF_NEED_CODE": "N2", **{f"DISABILITY_{name}": "1" for name in flags}}
    b.census("C006", dob, 9, gender="2", number=upn(6), **facts)


def _gus(b: Book, whole_year: bool) -> None:
    """Gus turned 18 in December and stays with his foster carers."""
    dob = birth(b.year, 18, 12, 10)
    b.child("C007", dob, number=upn(7))
    b.episode("C007", 1, "S", b.d(9, 9, back=3), "V2", "F2", IN_CARDIFF, b.d(12, 9), "E10")
    b.leaver("C007", b.d(12, 9), "Z1", "F1")
    if whole_year:
        closed = {"PLAN_ACTIVE_31_MARCH": "0", "PLAN_CLOSED_DATE": b.d(12, 9), "REASON_FOR_CLOSURE": "RC6"}
        b.census("C007", dob, 18, number=upn(7), **closed)


def _hadi(b: Book, _: bool) -> None:
    """Hadi, 16, came alone to seek asylum in June, lives in a hostel and was given leave in January."""
    dob = birth(b.year, 16, 4, 21)
    b.child("C008", dob, ASYLUM="1", HOME_POSTCODE="", ETHNICITY="OOTH", DATE_CEASED_UASC=b.d(1, 20))
    b.episode("C008", 1, "S", b.d(6, 30), "V2", "H5", IN_CARDIFF, need="N8")
    facts = {"ASYLUM_SEEKER_CODE": "1", "ETHNIC_ORIGIN_CODE": "OOTH", "CATEGORY_OF_NEED_CODE": "N8"}
    b.census("C008", dob, 16, LOOKED_AFTER_CHILD="1", HOME_POSTCODE="", PLAN_START_DATE=b.d(6, 30), **facts)


def _ivo(b: Book, _: bool) -> None:
    """Ivo, 15, was remanded in July to a secure unit in England."""
    dob = birth(b.year, 15, 10, 10)
    b.child("C009", dob, number=upn(9))
    b.episode("C009", 1, "S", b.d(7, 7), "J1", "H22", IN_BRISTOL, need="N6")
    facts = {"YOUTH_OFFENDING": "1", "CATEGORY_OF_NEED_CODE": "N6"}
    b.census("C009", dob, 15, number=upn(9), LOOKED_AFTER_CHILD="1", **facts)


def _jo(b: Book, _: bool) -> None:
    """Jo, 5, lives with her mother under a care order, in Powys."""
    dob = birth(b.year, 5, 5, 5)
    b.child("P010", dob, la=POWYS, gender="2", number=upn(10), HOME_POSTCODE=IN_POWYS)
    b.episode("P010", 1, "P", b.d(3, 1, back=1), "C2", "P1", IN_POWYS, la=POWYS)
    b.census("P010", dob, 5, la=POWYS, gender="2", number=upn(10), LOOKED_AFTER_CHILD="1", HOME_POSTCODE=IN_POWYS)


def _kit(b: Book, whole_year: bool) -> None:
    """Kit, 6, left care in September when his grandparents, who fostered him, became special guardians."""
    dob = birth(b.year, 6, 2, 11)
    b.child("C011", dob, number=upn(11))
    b.episode("C011", 1, "S", b.d(1, 8, back=2), "C2", "F1", IN_CARDIFF, b.d(9, 15), "E43")
    if whole_year:
        closed = {"PLAN_ACTIVE_31_MARCH": "0", "PLAN_CLOSED_DATE": b.d(9, 15), "REASON_FOR_CLOSURE": "RC4"}
        b.census("C011", dob, 6, number=upn(11), **closed)


def _lou(b: Book, _: bool) -> None:
    """Lou, 14, was away from her placement for three days in May and is on the register too."""
    dob = birth(b.year, 14, 7, 19)
    b.child("C012", dob, gender="2", number=upn(12))
    b.episode("C012", 1, "P", b.d(8, 8, back=1), "C2", "F6", IN_NEWPORT, b.d(5, 14), "X1")
    b.episode("C012", 2, "P", b.d(5, 14), "C2", "M3", "", b.d(5, 17), "X1")
    b.episode("C012", 3, "P", b.d(5, 17), "C2", "F6", IN_NEWPORT)
    register = {"CHILD_PROTECTION_REGISTER": "1", "CPR_DATE": b.d(10, 12)}
    register |= dict.fromkeys(CPR_FLAGS, "0") | {"CPR_SEXUAL_ABUSE": "1", "CPR_DURING_YEAR": "1"}
    b.census("C012", dob, 14, gender="2", number=upn(12), LOOKED_AFTER_CHILD="1", **register)


def _mei(b: Book, whole_year: bool) -> None:
    """Mei, 3, was taken into police protection in January; an emergency and an interim order followed."""
    dob = birth(b.year, 3, 9, 27)
    b.child("C013", dob, gender="2", ETHNICITY="ASAB")
    b.episode("C013", 1, "S", b.d(1, 3), "L1", "F2", IN_CARDIFF, b.d(1, 5), "X1")
    b.episode("C013", 2, "L", b.d(1, 5), "L2", "F2", IN_CARDIFF, b.d(1, 11), "X1")
    b.episode("C013", 3, "B", b.d(1, 11), "C1", "F5", IN_NEWPORT)
    if whole_year:
        facts = {"ETHNIC_ORIGIN_CODE": "ASAB", "PLAN_START_DATE": b.d(1, 3), "LOOKED_AFTER_CHILD": "1"}
        b.census("C013", dob, 3, gender="2", **facts)


def _nia(b: Book, _: bool) -> None:
    """Nia, 17, moved to a flat of her own in October and still has a plan."""
    dob = birth(b.year, 17, 9, 3)
    b.child("C014", dob, gender="2", number=upn(14))
    b.episode("C014", 1, "P", b.d(2, 2, back=1), "V2", "P2", IN_CARDIFF, b.d(10, 21), "E6", need="N4")
    b.leaver("C014", b.d(10, 21), "V1", "F2")
    b.census("C014", dob, 17, gender="2", number=upn(14), CATEGORY_OF_NEED_CODE="N4", HEALTH_MENTAL_HEALTH="88")


def _sami(b: Book, _: bool) -> None:
    """Sami, 16, came alone to seek asylum a year and a half ago and lives with foster carers."""
    dob = birth(b.year, 16, 7, 2)
    b.child("C015", dob, number=upn(15), ASYLUM="1", HOME_POSTCODE="", ETHNICITY="BBAC")
    b.episode("C015", 1, "S", b.d(10, 4, back=1), "V2", "F2", IN_CARDIFF, need="N8")
    facts = {
        "ASYLUM_SEEKER_CODE": "1",
        "ETHNIC_ORIGIN_CODE": "BBAC",
        "CATEGORY_OF_NEED_CODE": "N8",
        "HOME_POSTCODE": "",
    }
    b.census("C015", dob, 16, number=upn(15), LOOKED_AFTER_CHILD="1", PLAN_START_DATE=b.d(10, 4, back=1), **facts)


def _oli(b: Book, _: bool) -> None:
    """Oli, 4, has been on the register for neglect since August."""
    register = {"CHILD_PROTECTION_REGISTER": "1", "CPR_DATE": b.d(8, 23)}
    register |= dict.fromkeys(CPR_FLAGS, "0") | {"CPR_NEGLECT": "1", "CPR_DURING_YEAR": "1"}
    b.census("C021", birth(b.year, 4, 10, 2), 4, **register)


def _peg(b: Book, _: bool) -> None:
    """Peg was born in November; her plan began two weeks later."""
    b.census("C022", birth(b.year, 0, 11, 3), 0, gender="2", PLAN_START_DATE=b.d(11, 17))


def _rhys(b: Book, _: bool) -> None:
    """Rhys, 15, has autism and two impairments, and speaks no Welsh."""
    flags = {"DISABILITY_NONE": "0", "DISABILITY_MEMORY": "1", "DISABILITY_PERCEPTION_RISK_DANGER": "1"}
    facts = {"HEALTH_AUTISTIC_SPECTRUM_DISORDER": "1", "CATEGORY_OF_NEED_CODE": "N2"}
    b.census("C023", birth(b.year, 15, 1, 31), 15, number=upn(23), **flags, **facts)


def _sian(b: Book, _: bool) -> None:
    """Siân, 11, in Powys, lives in a family in chronic difficulty."""
    facts = {"CATEGORY_OF_NEED_CODE": "N5", "HOME_POSTCODE": IN_POWYS}
    b.census("P024", birth(b.year, 11, 6, 6), 11, la=POWYS, gender="2", number=upn(24), **facts)


CHILDREN = (
    _ann,
    _ben,
    _cai,
    _dee,
    _eve,
    _fay,
    _gus,
    _hadi,
    _ivo,
    _jo,
    _kit,
    _lou,
    _mei,
    _nia,
    _sami,
    _oli,
    _peg,
    _rhys,
    _sian,
)
