"""Forms of one year as they are written down by hand, a child at a time.

All dates hang on the year asked for, so that every child has the same age in every year's return. Year Y runs
from 1 April of Y-1 to 31 March of Y.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.guidance import load

if TYPE_CHECKING:
    from synth.guidance import Item

__all__ = [
    "AT_HOME",
    "CARDIFF",
    "IN_BRISTOL",
    "IN_CARDIFF",
    "IN_NEWPORT",
    "IN_POWYS",
    "POWYS",
    "Book",
    "birth",
    "code",
    "day",
    "upn",
]

_APRIL = 4
CARDIFF, POWYS = "552", "524"
IN_CARDIFF, IN_NEWPORT, IN_POWYS, IN_BRISTOL = "CF11 9LJ", "NP20 4UR", "LD1 5LG", "BS1 4ND"
AT_HOME = "CF14 2AB"
"""Where the families of most children live: another street than their carers."""
LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


def upn(serial: int) -> str:
    """Return a pupil number first issued in Cardiff, its check letter worked out apart from the program."""
    digits = f"681400{serial:06d}"
    total = sum(place * int(digit) for place, digit in enumerate(digits, start=2))
    return LETTERS[total % 23] + digits


def day(year: int, month: int, dom: int) -> str:
    """Return a day of the collection year: April to December fall in the calendar year before."""
    return f"{dom:02d}/{month:02d}/{year - 1 if month >= _APRIL else year}"


def birth(year: int, age: int, month: int, dom: int) -> str:
    """Return a birth date that makes the child this old on 31 March of the year."""
    return f"{dom:02d}/{month:02d}/{year - age - (1 if month >= _APRIL else 0)}"


def code(year: int) -> str:
    """Return the year code of a collection year: 202223 for the one that ends in 2023."""
    return f"{year - 1}{year % 100:02d}"


class Book:
    """The forms of one year as they are being written down, a child at a time."""

    def __init__(self, year: int, mode: str = "") -> None:
        self.year = year
        self.guides = {"cla": load("cla", year), "crcs": load("crcs", year, mode)}
        self.forms: dict[str, list[dict[str, str]]] = {
            form: [] for form in ("child", "episode", "adoption", "care_leaver", "crcs")
        }

    def d(self, month: int, dom: int, back: int = 0) -> str:
        """Return a day of the year, or of one `back` years before."""
        return day(self.year - back, month, dom)

    def child(self, who: str, dob: str, *, la: str = CARDIFF, gender: str = "1", number: str = "", **more: str) -> None:
        """Write a row of the child form; `more` replaces items."""
        self.forms["child"].append(
            {
                "YEAR_CODE": code(self.year),
                "LOCAL_AUTHORITY_CODE": la,
                "SYSTEM_ID": who,
                "UPN": number,
                "DOB": dob,
                "GNDR_CD": gender,
                "ETHNICITY": "WHTE",
                "DISABILITY_CODE": "0",
                "ASYLUM": "0",
                "HOME_POSTCODE": AT_HOME,
                "DATE_OF_DATA_COLLECTION": f"01/05/{self.year}",
                **more,
            }
        )

    def episode(
        self,
        who: str,
        number: int,
        reason: str,
        start: str,
        status: str,
        place: str,
        postcode: str,
        end: str = "",
        finish: str = "",
        *,
        need: str = "N1",
        la: str = CARDIFF,
        breaks: str = "",
    ) -> None:
        """Write an episode; without `end` it is open."""
        self.forms["episode"].append(
            {
                "YEAR_CODE": code(self.year),
                "LOCAL_AUTHORITY_CODE": la,
                "SYSTEM_ID": who,
                "EPISODE_NUMBER": str(number),
                "EPISODE_START_DATE": start,
                "REASON_EPISODE_STARTED_CODE": reason,
                "LEGAL_STATUS_CODE": status,
                "CATEGORY_OF_NEED_CODE": need,
                "PLACEMENT_TYPE_CODE": place,
                "PLACEMENT_POSTCODE": postcode,
                "EPISODE_END_DATE": end,
                "REASON_EPISODE_FINISHED_CODE": finish,
                "SHORT_BREAKS": breaks,
            }
        )

    def adoption(self, who: str, care: str, decision: str, match: str, placed: str, adopted: str, **more: str) -> None:
        """Write an adoption by its dates; `more` replaces items."""
        self.forms["adoption"].append(
            {
                "LOCAL_AUTHORITY_CODE": CARDIFF,
                "SYSTEM_ID": who,
                "DATE_LATEST_CARE": care,
                "DATE_DECISION": decision,
                "DATE_MATCH": match,
                "DATE_PLACED": placed,
                "DATE_ADOPTED": adopted,
                "FOSTER_CARE": "0",
                "NB_ADOPTR": "2",
                "SEX_ADOPTR": "MF",
                "LS_ADOPTR": "L11",
                **more,
            }
        )

    def leaver(self, who: str, ceased: str, accommodation: str, activity: str) -> None:
        """Write a care leaver of the second category, with a plan and an adviser."""
        self.forms["care_leaver"].append(
            {
                "LOCAL_AUTHORITY_CODE": CARDIFF,
                "SYSTEM_ID": who,
                "DATE_CEASED": ceased,
                "ACCOM": accommodation,
                "ACTIV": activity,
                "CATEGORY_YP": "2",
                "PATHWAY_PLAN": "1",
                "PERSONAL_ADVISER": "1",
            }
        )

    def census(
        self,
        who: str,
        dob: str,
        age: int,
        *,
        la: str = CARDIFF,
        gender: str = "1",
        number: str = "",
        **more: str,
    ) -> None:
        """Write a census row: `more` replaces items; a plan begun a year and a half ago and still active."""
        items = self.guides["crcs"].items("crcs")
        flags = [i.name for i in items if i.name.startswith(("DISAB", "PARENT"))]
        row = {
            "YEAR_CODE": code(self.year),
            "LOCAL_AUTHORITY_CODE": la,
            "CHILD_CODE": who,
            "UPN": number,
            "DATE_OF_BIRTH": dob,
            "GENDER": gender,
            "ETHNIC_ORIGIN_CODE": "WHTE",
            "ASYLUM_SEEKER_CODE": "0",
            "CHILD_PROTECTION_REGISTER": "0",
            "LOOKED_AFTER_CHILD": "0",
            "CATEGORY_OF_NEED_CODE": "N1",
            "LANGUAGE": "ENG",
            "YOUTH_OFFENDING": "0",
            "CHILD_HEALTH_SURVEILLANCE_CHECKS": "1",
            "HEALTH_IMMUNISATIONS": "1",
            "HEALTH_DENTAL_CHECK": "1",
            "HEALTH_SUBSTANCE_MISUSE": "0",
            "HEALTH_MENTAL_HEALTH": "0",
            "HEALTH_AUTISTIC_SPECTRUM_DISORDER": "0",
            **dict.fromkeys(flags, "0"),
            "DISABILITY_NONE": "1",
            "PARENTING_CAPACITY_DOMESTIC_ABUSE": "1",
            "DATE_OF_DATA_COLLECTION": f"01/05/{self.year}",
            "HOME_POSTCODE": AT_HOME,
            "PLAN_START_DATE": self.d(10, 3, back=1),
            "PLAN_ACTIVE_31_MARCH": "1",
            "CPR_DURING_YEAR": "0",
            "LOOKED_AFTER_DURING_YEAR": "0",
            **{i.name: i.outside_age_code for i in items if _outside(i, age)},
            **more,
        }
        self.forms["crcs"].append(row)

    def frames(self) -> dict[str, pl.DataFrame]:
        """Return the text of every form: exactly the items in force, blank cells null."""
        made = {}
        for g in self.guides.values():
            for form in g.forms:
                names = [item.name for item in g.items(form)]
                rows = [{n: row.get(n) or None for n in names} for row in self.forms[form]]
                made[form] = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))
        return made


def _outside(item: Item, age: int) -> bool:
    """Say whether an item has a code for children of other ages, and a child of this age is one of them."""
    limits = (item.min_age is not None and age < item.min_age) or (item.max_age is not None and age > item.max_age)
    return bool(item.outside_age_code) and limits
