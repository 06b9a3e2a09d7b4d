"""Published measures counted from generated returns, as the statisticians count them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import day_of_year_start, last_day
from synth.geography.areas import district_authority

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.files import Generated

__all__ = ["by_authority", "measures"]

_FOSTER = ("F1", "F2", "F3", "F4", "F5", "F6")
_RESIDENTIAL = ("H1", "H21", "H22", "H3", "H4", "H5")
_ADOPTION = ("A3", "A4", "A5", "A6")
_INSIDE = ("F1", "F2", "F3", "H1", "H3")
_OUTSIDE = ("F4", "F5", "F6", "H21", "H22", "H4")
_AWAY = ("M1", "M2", "M3")


class _Stock:
    """Episodes open on 31 March, short breaks left out, and each one's child."""

    def __init__(self, made: Generated) -> None:
        episode, child = made.forms["episode"], made.forms["child"]
        self.code, self.place = episode["PLACEMENT_TYPE_CODE"], episode["PLACEMENT_POSTCODE"]
        self.legal, self.authority = episode["LEGAL_STATUS_CODE"], episode["LOCAL_AUTHORITY_CODE"]
        self.open = (episode["EPISODE_END_DATE"] == "") & (self.legal != "V1")
        self.key = np.char.add(self.authority, episode["SYSTEM_ID"])
        known = np.char.add(child["LOCAL_AUTHORITY_CODE"], child["SYSTEM_ID"])
        order = np.argsort(known)
        self.child = order[np.searchsorted(known, self.key, sorter=order)]
        self.asylum = child["ASYLUM"][self.child] == "1"
        self.birth = _numbered(child["DOB"])[self.child]

    def share(self, flags: NDArray[np.bool_], of: NDArray[np.bool_] | None = None) -> float:
        """Return a percentage of the open episodes, or of some of them."""
        base = self.open if of is None else self.open & of
        return 100.0 * float((flags & base).sum()) / max(int(base.sum()), 1)

    def inside(self) -> NDArray[np.bool_]:
        """Say which placements lie in the home authority: by their code, or by the postcode where it is silent."""
        districts = district_authority()
        host = np.array([districts.get(p.partition(" ")[0], "") for p in self.place])
        return np.asarray(np.isin(self.code, _INSIDE) | (~np.isin(self.code, _OUTSIDE) & (host == self.authority)))


def measures(made: Generated) -> dict[str, float]:
    """Return counts and percentages under the names the profile's published figures use."""
    stock, episode = _Stock(made), made.forms["episode"]
    crcs = made.forms["crcs"]
    foster = np.isin(stock.code, _FOSTER)
    first, last = day_of_year_start(made.year), last_day(made.year)
    started, ended = _numbered(episode["EPISODE_START_DATE"]), _numbered(episode["EPISODE_END_DATE"])
    single = stock.legal != "V1"
    new = single & (episode["REASON_EPISODE_STARTED_CODE"] == "S") & (started >= first)
    ceased = single & (ended >= first)
    reason = episode["REASON_EPISODE_FINISHED_CODE"]
    age = (last - stock.birth) / 365.25
    looked_after, register = crcs["LOOKED_AFTER_CHILD"] == "1", crcs["CHILD_PROTECTION_REGISTER"] == "1"
    n = max(len(register), 1)
    return {
        "looked_after": float(stock.open.sum()),
        "care_and_support": float(len(register)),
        "legal_care_order": stock.share(np.isin(stock.legal, ["C1", "C2"])),
        "legal_section_76": stock.share(stock.legal == "V2"),
        "legal_remand": stock.share(np.isin(stock.legal, ["J1", "J2", "J3", "L1", "L2", "L3"])),
        "legal_other": stock.share(stock.legal == "E1"),
        "placement_foster": stock.share(foster | (stock.code == "A8")),
        "placement_parents": stock.share(stock.code == "P1"),
        "placement_residential": stock.share(np.isin(stock.code, _RESIDENTIAL)),
        "placement_adoption": stock.share(np.isin(stock.code, _ADOPTION)),
        "placement_other": stock.share(~foster & ~np.isin(stock.code, ["A8", "P1", *_RESIDENTIAL, *_ADOPTION])),
        "kinship_share_of_foster": stock.share(np.isin(stock.code, ["F1", "F4"]), foster),
        "inside_home_authority": stock.share(stock.inside()),
        "three_or_more_placements": _three_placements(stock, episode, started, first),
        "unaccompanied": stock.share(stock.asylum),
        "age_0_4": stock.share(age < 5),  # noqa: PLR2004  the published bands
        "age_10_15": stock.share((age >= 10) & (age < 16)),  # noqa: PLR2004
        "age_16_17": stock.share(age >= 16),  # noqa: PLR2004
        "ever_looked_after": float(len(np.unique(stock.key[single]))),
        "starts": float(len(np.unique(stock.key[new]))),
        "starts_abuse_or_neglect": 100.0 * float((episode["CATEGORY_OF_NEED_CODE"][new] == "N1").mean()),
        "leavers": float(len(np.unique(stock.key[ceased & (reason != "X1")]))),
        "endings_that_continue": 100.0 * float((reason[ceased] == "X1").mean()),
        "adoptions": float(np.isin(reason[ceased], ["E11", "E12"]).sum()),
        "ceased_home_or_other_guardian": float(np.isin(reason[ceased], ["E4", "E44"]).sum()),
        "ceased_independent_living": float(np.isin(reason[ceased], ["E5", "E6"]).sum()),
        "ceased_special_guardianship": float(np.isin(reason[ceased], ["E43", "E44"]).sum()),
        "crcs_looked_after": 100.0 * float(looked_after.sum()) / n,
        "crcs_register": 100.0 * float((register & ~looked_after).sum()) / n,
        "crcs_both": 100.0 * float((register & looked_after).sum()) / n,
        "crcs_abuse_or_neglect": 100.0 * float((crcs["CATEGORY_OF_NEED_CODE"] == "N1").sum()) / n,
        "crcs_disability": 100.0 * float((crcs["DISABILITY_NONE"] == "0").sum()) / n,
        "crcs_parental_mental_ill_health": 100.0
        * float((crcs["PARENTING_CAPACITY_MENTAL_ILL_HEALTH"] == "1").sum())
        / n,
    }


def by_authority(made: Generated) -> dict[str, tuple[int, int]]:
    """Return (care and support, looked after) counts of each authority by code."""
    stock, crcs = _Stock(made), made.forms["crcs"]["LOCAL_AUTHORITY_CODE"]
    return {
        a.code: (int((crcs == a.code).sum()), int((stock.open & (stock.authority == a.code)).sum()))
        for a in made.authorities
    }


def _three_placements(
    stock: _Stock, episode: dict[str, NDArray[np.str_]], started: NDArray[np.int64], first: int
) -> float:
    """Children of the stock with three or more placements in the year.

    The placement in force on 1 April counts, then each start with reason S, P or B; going missing and coming back
    do not.
    """
    away = np.isin(stock.code, _AWAY)
    same_child = np.append(False, stock.key[1:] == stock.key[:-1])
    back = same_child & np.append(False, away[:-1]) & (episode["REASON_EPISODE_STARTED_CODE"] == "P")
    fresh = np.isin(episode["REASON_EPISODE_STARTED_CODE"], ["S", "P", "B"]) & (started >= first) & ~away & ~back
    counted = (fresh | (started < first)) & (stock.legal != "V1")
    placements = np.bincount(stock.child, counted, stock.child.max(initial=0) + 1)
    return stock.share(placements[stock.child] >= 3)  # noqa: PLR2004


def _numbered(dates: NDArray[np.str_]) -> NDArray[np.int64]:
    """Read dd/mm/yyyy as days since 1970, blank as a day long before."""
    known = dates != ""
    distinct, back = np.unique(dates[known], return_inverse=True)
    iso = [f"{text[6:]}-{text[3:5]}-{text[:2]}" for text in distinct]
    found = np.full(len(dates), -(10**6), np.int64)
    found[known] = np.array(iso, "datetime64[D]").astype(np.int64)[back] if len(distinct) else 0
    return found
