"""The children of a year: everyone in either return once, with what the returns say of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import Days, age_on, last_day
from synth.geography.authorities import all_authorities
from synth.lives.people import ETHNICITIES, NOT_OBTAINED
from synth.returns.kin import Kin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.files import Generated

__all__ = ["Children", "children_of", "days_of"]

_SAME = {
    "LOCAL_AUTHORITY_CODE": "LOCAL_AUTHORITY_CODE",
    "CHILD_CODE": "SYSTEM_ID",
    "UPN": "UPN",
    "DATE_OF_BIRTH": "DOB",
    "GENDER": "GNDR_CD",
    "ETHNIC_ORIGIN_CODE": "ETHNICITY",
    "HOME_POSTCODE": "HOME_POSTCODE",
}
"""Items of the census -> items of the child form that say the same."""
_FIRST_NEED = "N2"


@dataclass(frozen=True, slots=True)
class Children:
    """Children ordered by authority and local identifier, as the returns are; arrays of one length.

    Text columns are cells of the return; `order` is the authority's place in official order, `ethnic` indexes
    ETHNICITIES, `family` is the family's number. `born` is the birth day, `age` that on 31 March in completed years.
    `in_crcs` and `in_cla` say which return a child is in, `alone` that it is unaccompanied, `impaired` that it is
    recorded as disabled or on the autistic spectrum, `own_need` that its own disability or illness is why it is known;
    `looked_after` that it is on 31 March, short breaks aside.
    """

    code: NDArray[np.str_]
    person: NDArray[np.str_]
    upn: NDArray[np.str_]
    dob: NDArray[np.str_]
    gender: NDArray[np.str_]
    ethnicity: NDArray[np.str_]
    postcode: NDArray[np.str_]
    order: NDArray[np.int64]
    ethnic: NDArray[np.int64]
    sex: NDArray[np.int64]
    born: Days
    age: NDArray[np.int32]
    family: NDArray[np.uint64]
    kin: Kin
    in_crcs: NDArray[np.bool_]
    in_cla: NDArray[np.bool_]
    alone: NDArray[np.bool_]
    impaired: NDArray[np.bool_]
    own_need: NDArray[np.bool_]
    looked_after: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.code)


def days_of(text: NDArray[np.str_]) -> Days:
    """Read dates dd/mm/yyyy, none of them blank."""
    signs = np.ascontiguousarray(text.astype("U10")).view("U1").reshape(len(text), -1)
    signs = np.ascontiguousarray(signs[:, [6, 7, 8, 9, 5, 3, 4, 2, 0, 1]])
    signs[:, [4, 7]] = "-"
    return signs.view("U10").ravel().astype("datetime64[D]").astype(np.int32)


def children_of(made: Generated) -> Children:
    """Return the children of a generated year."""
    crcs, child = made.forms["crcs"], made.forms["child"]
    of_care, of_child = len(crcs["CHILD_CODE"]), len(child["SYSTEM_ID"])
    cells = {item: np.concatenate((crcs[item], child[other])) for item, other in _SAME.items()}
    key = np.char.add(cells["LOCAL_AUTHORITY_CODE"], cells["CHILD_CODE"])
    # The first row of each is that of the census where there is one.
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    in_crcs, in_cla, alone, impaired, own_need, looked_after = (np.zeros(len(first), bool) for _ in range(6))
    in_crcs[number[:of_care]] = True
    in_cla[number[of_care:]] = True
    rows = number[:of_care]
    alone[rows] |= crcs["ASYLUM_SEEKER_CODE"] == "1"
    impaired[rows] |= (crcs["DISABILITY_NONE"] == "0") | (crcs["HEALTH_AUTISTIC_SPECTRUM_DISORDER"] == "1")
    own_need[rows] |= crcs["CATEGORY_OF_NEED_CODE"] == _FIRST_NEED
    rows = number[of_care:]
    alone[rows] |= child["ASYLUM"] == "1"
    impaired[rows] |= child["DISABILITY_CODE"] == "1"
    looked_after[np.isin(key[first], _still_there(made))] = True
    kin = Kin.joined((made.kin["crcs"], made.kin["child"])).only(first)
    cells = {item: column[first] for item, column in cells.items()}
    born = days_of(cells["DATE_OF_BIRTH"])
    codes = [authority.code for authority in all_authorities()]
    assert of_care + of_child == len(key)
    return Children(
        code=cells["LOCAL_AUTHORITY_CODE"],
        person=cells["CHILD_CODE"],
        upn=cells["UPN"],
        dob=cells["DATE_OF_BIRTH"],
        gender=cells["GENDER"],
        ethnicity=cells["ETHNIC_ORIGIN_CODE"],
        postcode=cells["HOME_POSTCODE"],
        order=np.searchsorted(codes, cells["LOCAL_AUTHORITY_CODE"]),
        ethnic=_index(cells["ETHNIC_ORIGIN_CODE"]),
        sex=cells["GENDER"].astype(np.int64),
        born=born,
        age=age_on(born, last_day(made.year)),
        family=kin.name >> np.uint64(3),
        kin=kin,
        in_crcs=in_crcs,
        in_cla=in_cla,
        alone=alone,
        impaired=impaired,
        own_need=own_need,
        looked_after=looked_after,
    )


def _index(ethnicity: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return indices into ETHNICITIES; whose group is not obtained is of the first, as in the lives behind."""
    ethnicity = np.where(ethnicity == NOT_OBTAINED, ETHNICITIES[0], ethnicity)
    order = np.argsort(ETHNICITIES)
    return np.asarray(order[np.searchsorted(np.array(ETHNICITIES)[order], ethnicity)])


def _still_there(made: Generated) -> NDArray[np.str_]:
    """Return authority and identifier of the children looked after on 31 March, short breaks aside."""
    episode = made.forms["episode"]
    here = (episode["EPISODE_END_DATE"] == "") & (episode["LEGAL_STATUS_CODE"] != "V1")
    return np.char.add(episode["LOCAL_AUTHORITY_CODE"][here], episode["SYSTEM_ID"][here])
