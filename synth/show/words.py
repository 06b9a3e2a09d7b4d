"""Words for reading a life: dates and spans, short wordings of codes, lines of text, made-up first names."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import textwrap
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from faker.generator import Generator
from faker.providers.person.en_GB import Provider

if TYPE_CHECKING:
    from synth.guidance import Guidance

__all__ = [
    "CATEGORIES",
    "DISABILITIES",
    "PARENTAL",
    "WIDTH",
    "aged",
    "away",
    "came_under",
    "date_of",
    "ending",
    "event",
    "fact",
    "first_name",
    "flags",
    "health",
    "label",
    "legal",
    "list_of",
    "moved",
    "need",
    "placed",
    "shown",
    "span",
    "wrap",
]

Row: TypeAlias = dict[str, str]
"""One row of a form as text; a blank cell is an empty string."""

WIDTH, _FACT, _EVENT = 100, 14, 26
"""Columns of a line, and where the text of a fact and of an event begins."""
_JOINED = "\N{NO-BREAK SPACE}"
"""Stands inside dates and postcodes until lines are broken."""

_LEGAL = {
    "C1": ("under an interim care order", "interim care order"),
    "C2": ("under a full care order", "full care order"),
    "E1": ("under a placement order", "placement order"),
    "V1": ("for a series of short breaks", "series of short breaks"),
    "V2": ("by agreement", "now by agreement"),
    "J1": ("on remand", "remanded"),
    "J2": ("detained by the police", "detained by the police"),
    "J3": ("under a youth rehabilitation order", "youth rehabilitation order"),
    "L1": ("under police protection", "police protection"),
    "L2": ("under an emergency protection order", "emergency protection order"),
    "L3": ("under a child assessment order", "child assessment order"),
}
"""Legal status -> how a child comes or is looked after, and what has changed."""

_NEEDS = {
    "N1": "abuse or neglect",
    "N2": "the child's disability or illness",
    "N3": "a parent's illness, disability or addiction",
    "N4": "family in acute stress",
    "N5": "family dysfunction",
    "N6": "unacceptable behaviour",
    "N7": "low income",
    "N8": "absent parenting",
    "N9": "adoption disruption",
}

_PLACES = {
    "F1": ("with", "relatives or friends, inside the authority"),
    "F2": ("with", "foster carers of the authority, inside it"),
    "F3": ("with", "agency foster carers, inside the authority"),
    "F4": ("with", "relatives or friends, outside the authority"),
    "F5": ("with", "foster carers of the authority, outside it"),
    "F6": ("with", "agency foster carers, outside the authority"),
    "A3": ("for adoption by", "the foster carers, with consent"),
    "A4": ("for adoption with", "new parents, with consent"),
    "A5": ("for adoption by", "the foster carers"),
    "A6": ("for adoption with", "new parents"),
    "A8": ("with", "would-be adopters who foster first"),
    "P1": ("at home with", "parents"),
    "P2": ("in", "independent living"),
    "P3": ("in", "residential employment"),
    "H1": ("in", "a secure unit, inside the authority"),
    "H21": ("in", "a secure unit, elsewhere in Wales"),
    "H22": ("in", "a secure unit, outside Wales"),
    "H3": ("in", "a children's home, inside the authority"),
    "H4": ("in", "a children's home, outside the authority"),
    "H5": ("in", "a hostel or supported housing"),
    "R1": ("in", "a residential care home"),
    "R2": ("in", "hospital or nursing care"),
    "R3": ("in", "a family centre or mother and baby unit"),
    "R5": ("in", "a young offender institution or prison"),
    "S1": ("in", "a residential school"),
    "M1": ("away from placement:", "in a refuge"),
    "M2": ("away from placement:", "whereabouts known"),
    "M3": ("away from placement:", "whereabouts unknown"),
    "Z1": ("in", "another kind of placement"),
}
"""Placement type -> how the child stands to it, and what it is."""

_ENDINGS = {
    "E2": "Died",
    "E4": "Went home to parents or relatives",
    "E8": "Ceased to be looked after for another reason",
    "E10": "Turned 18 and stays with the foster carers",
}
"""Endings of which the label is too long or too blunt to be read aloud; the others use their label."""

CATEGORIES = {
    "CPR_NEGLECT": "neglect",
    "CPR_PHYSICAL_ABUSE": "physical abuse",
    "CPR_SEXUAL_ABUSE": "sexual abuse",
    "CPR_FINANCIAL_ABUSE": "financial abuse",
    "CPR_EMOTIONAL_ABUSE": "emotional abuse",
}
DISABILITIES = {
    "DISABILITY_MOBILITY": "mobility",
    "DISABILITY_MANUAL_DEXTERITY": "dexterity",
    "DISABILITY_PHYSICAL_COORDINATION": "coordination",
    "DISABILITY_CONTINENCE": "continence",
    "DISABILITY_LIFT_CARRY_OBJECTS": "lifting and carrying",
    "DISABILITY_SPEECH_HEARING_EYE_SIGHT": "speech/hearing/sight",
    "DISABILITY_MEMORY": "memory",
    "DISABILITY_PERCEPTION_RISK_DANGER": "sense of danger",
}
_HEALTH = {
    "CHILD_HEALTH_SURVEILLANCE_CHECKS": "health checks",
    "HEALTH_IMMUNISATIONS": "immunised",
    "HEALTH_DENTAL_CHECK": "dental check",
    "HEALTH_MENTAL_HEALTH": "mental health problem",
    "HEALTH_SUBSTANCE_MISUSE": "substance misuse",
    "HEALTH_AUTISTIC_SPECTRUM_DISORDER": "autism",
    "YOUTH_OFFENDING": "offending",
}
PARENTAL = {
    "PARENTING_CAPACITY_DOMESTIC_ABUSE": "domestic abuse",
    "PARENTING_CAPACITY_SUBSTANCE_ALCOHOL_MISUSE": "drugs or alcohol",
    "PARENTING_CAPACITY_MENTAL_ILL_HEALTH": "mental ill health",
    "PARENTING_CAPACITY_PHYSICAL_ILL_HEALTH": "physical ill health",
    "PARENTING_CAPACITY_LEARNING_DISABILITIES": "learning disability",
}

# The name library has no Welsh given names; a third of the children get one of these.
_WELSH = {
    "1": "Aled Aneurin Bedwyr Cai Carwyn Cian Dafydd Deio Dylan Elis Emrys Gethin Gruffydd Gwilym"
    " Harri Hefin Huw Iestyn Ieuan Ifan Iolo Jac Llew Lloyd Macsen Morgan Osian Owain Rhodri Tomos Tudur",
    "2": "Alys Angharad Anwen Betsan Beca Branwen Bronwen Cadi Carys Catrin Ceri Efa Elan Eleri Elin Erin"
    " Ffion Gwen Gwenllian Heledd Lleucu Lowri Mabli Mali Mared Megan Nansi Nel Nia Non Rhiannon Seren Tegan",
}
_ONE_WELSH_IN = 3

_MONTHS_TO_18 = 18 * 12
_DAYS_UNTIL, _WEEKS_UNTIL_MONTHS, _MONTHS_UNTIL = 21, 3, 24
"""Spans are given in days under 21 days, in weeks under three months, in months under two years."""


def date_of(text: str) -> dt.date | None:
    """Read dd/mm/yyyy; None for anything else."""
    try:
        return dt.datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007  a calendar day has no time zone
    except ValueError:
        return None


def shown(when: dt.date | None, text: str = "") -> str:
    """Write a day as 3 Sep 2021; what is no day stands as it was found, nothing as a dash."""
    return f"{when.day}{_JOINED}{when:%b}{_JOINED}{when.year}" if when else text or "-"


def _months(start: dt.date, end: dt.date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)


def span(start: dt.date | None, end: dt.date | None, *, words: bool = False) -> str:
    """Say how long from one day to another: 9 days, 7 weeks, 14 months, 3y 2m (in `words`: 3 years 2 months).

    Empty where a day is missing; an end before its start is said with its days below zero.
    """
    if start is None or end is None:
        return ""
    days, months = (end - start).days, _months(start, end)
    if days < _DAYS_UNTIL:
        return _many(days, "day")
    if months < _WEEKS_UNTIL_MONTHS:
        return _many(days // 7, "week")
    if months < _MONTHS_UNTIL:
        return _many(months, "month")
    years, rest = divmod(months, 12)
    if words or not rest:
        return _many(years, "year") + (f" {_many(rest, 'month')}" if rest else "")
    return f"{years}y {rest}m"


def aged(birth: dt.date | None, on: dt.date | None) -> str:
    """Say how old a child is: before birth, 5 days old, 14 months old, aged 10; empty if a day is missing."""
    if birth is None or on is None:
        return ""
    if on < birth:
        return "before birth"
    years = _months(birth, on) // 12
    if _months(birth, on + dt.timedelta(days=1)) == _MONTHS_TO_18 > _months(birth, on):
        return "a day short of 18"
    return f"aged {years}" if years > 1 else "newborn" if on == birth else f"{span(birth, on)} old"


def _many(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def list_of(words: list[str]) -> str:
    """Join words: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def label(g: Guidance, code_set: str, code: str) -> str:
    """Return the guidance's label of a code, without its brackets and capital, and the code itself."""
    found = next((c.label for c in g.codes(code_set) if c.code == code), "")
    if not found:
        return f"unknown code {code}" if code else "not recorded"
    short = re.split(r"[;:] | \(", found)[0].replace(" - ", ", ")
    # A name keeps its capital: Welsh, British Sign Language, NHS.
    if code_set not in {"language", "ethnicity"} and not short[:2].isupper():
        short = short[:1].lower() + short[1:]
    return f"{short} ({code})"


def legal(code: str) -> str:
    """Say what a change of legal status brought: interim care order (C1)."""
    return f"{_LEGAL.get(code, ('', 'legal status'))[1]} ({code or 'none'})"


def came_under(code: str) -> str:
    """Say under what a child is looked after: by agreement (V2)."""
    return f"{_LEGAL.get(code, ('under legal status', ''))[0]} ({code or 'none'})"


def need(code: str) -> str:
    """Say a category of need: abuse or neglect (N1)."""
    return f"{_NEEDS.get(code, 'need')} ({code or 'none'})"


def away(code: str) -> bool:
    """Say whether a placement type means that the child is away from the agreed placement."""
    return code.startswith("M")


def placed(code: str, postcode: str) -> str:
    """Say where a child is: with relatives or friends, inside the authority (F1, CF11 6AB)."""
    stands, place = _PLACES.get(code, ("in", "placement type"))
    bracket = ", ".join(part for part in (code, postcode.replace(" ", _JOINED)) if part) or "none"
    return f"{stands} {place} ({bracket})"


def moved(code: str, postcode: str) -> str:
    """Say where a child went: moved to a residential school (S1), moved home to parents (P1, CF11 6AB)."""
    where = placed(code, postcode)
    if away(code):
        return where
    if code.startswith("A") and code != "A8":
        return f"placed {where}"
    if code == "P1":
        return "moved home to" + where.removeprefix("at home with")
    return "moved to" + where[where.index(" ") :]


def ending(g: Guidance, code: str) -> str:
    """Say why a period ceased, with a capital: Adopted, consent dispensed with (E12)."""
    if code in _ENDINGS:
        return f"{_ENDINGS[code]} ({code})"
    words = label(g, "reason_episode_ceased", code)
    return words[:1].upper() + words[1:]


@cache
def _namer() -> Provider:
    return Provider(Generator())


def first_name(identifier: str, sex: str) -> str:
    """Make up a first name from the identifier alone: a boy's for sex 1, a girl's for 2, else either."""
    number = int.from_bytes(hashlib.blake2b(identifier.encode(), digest_size=8).digest(), "little")
    number, third = divmod(number, _ONE_WELSH_IN)
    sex = sex if sex in _WELSH else "12"[number % 2]
    if third == 0:
        names = _WELSH[sex].split()
        return names[number // 2 % len(names)]
    namer = _namer()
    namer.generator.seed_instance(number)
    return str(namer.first_name_male() if sex == "1" else namer.first_name_female())


def flags(row: Row, words: dict[str, str]) -> list[str]:
    """Return the words of those items of a row that are 1."""
    return [word for item, word in words.items() if row.get(item) == "1"]


def health(row: Row) -> str:
    """Say which health items are so, which are not, and which cannot be said and why."""
    groups: dict[str, list[str]] = {}
    for item, words in _HEALTH.items():
        groups.setdefault(row.get(item, ""), []).append(words)
    kinds = {"1": "", "0": "no: ", "80": "not for this age: ", "88": "not known: ", "": "blank: "}
    return "; ".join(start + ", ".join(groups[code]) for code, start in kinds.items() if code in groups)


def fact(name: str, text: str) -> list[str]:
    """Return the lines of a fact, its name in the margin."""
    return wrap(f"  {name}", text, _FACT)


def event(when: str, lasted: str, text: str) -> list[str]:
    """Return the lines of an event, its day and how long it lasted in the margin."""
    return wrap(f"  {when:>11}  {lasted:<9}", text, _EVENT)


def wrap(start: str, text: str, indent: int = 0) -> list[str]:
    """Break a text into lines; the first begins with `start`, all are indented."""
    first = f"{start:<{indent}}"
    lines = textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * indent, break_long_words=False)
    return [line.replace(_JOINED, " ") for line in lines]
