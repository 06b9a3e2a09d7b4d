"""Which statement of the guidance says in words what the row of an item already says: its rule takes that id."""

from __future__ import annotations

__all__ = ["STATED"]

_FLAGS = "DISABILITY_NONE DISABILITY_MOBILITY DISABILITY_MANUAL_DEXTERITY DISABILITY_PHYSICAL_COORDINATION"
_FLAGS += " DISABILITY_CONTINENCE DISABILITY_LIFT_CARRY_OBJECTS DISABILITY_SPEECH_HEARING_EYE_SIGHT"
_FLAGS += " DISABILITY_MEMORY DISABILITY_PERCEPTION_RISK_DANGER"
_PARENTS = "SUBSTANCE_ALCOHOL_MISUSE LEARNING_DISABILITIES MENTAL_ILL_HEALTH PHYSICAL_ILL_HEALTH DOMESTIC_ABUSE"
_CPR = "NEGLECT PHYSICAL_ABUSE SEXUAL_ABUSE FINANCIAL_ABUSE EMOTIONAL_ABUSE"
_BY_AGE = "YOUTH_OFFENDING CHILD_HEALTH_SURVEILLANCE_CHECKS HEALTH_DENTAL_CHECK HEALTH_SUBSTANCE_MISUSE"
_BY_AGE += " HEALTH_MENTAL_HEALTH"

STATED: dict[tuple[str, str, str], str] = {
    ("child", "YEAR_CODE", "year"): "CLA002",
    ("episode", "YEAR_CODE", "year"): "CLA002",
    ("child", "SYSTEM_ID", "required"): "CLA003",
    ("child", "SYSTEM_ID", "unique"): "CLA003",
    ("child", "GNDR_CD", "list"): "CLA007",
    ("child", "ETHNICITY", "list"): "CLA009",
    ("child", "DISABILITY_CODE", "list"): "CLA011",
    ("child", "ASYLUM", "list"): "CLA012",
    ("child", "HOME_POSTCODE", "postcode"): "CLA019",
    ("child", "UPN", "upn"): "CLA021",
    ("child", "UPN", "letter"): "CLA022",
    ("child", "UPN", "unique"): "CLA024",
    ("episode", "EPISODE_START_DATE", "required"): "CLA029",
    ("episode", "EPISODE_START_DATE", "date"): "CLA029",
    ("episode", "EPISODE_END_DATE", "date"): "CLA034",
    ("episode", "REASON_EPISODE_FINISHED_CODE", "filled"): "CLA038",
    ("episode", "REASON_EPISODE_FINISHED_CODE", "blank"): "CLA038",
    ("episode", "REASON_EPISODE_STARTED_CODE", "list"): "CLA039",
    ("episode", "LEGAL_STATUS_CODE", "list"): "CLA040",
    ("episode", "CATEGORY_OF_NEED_CODE", "list"): "CLA041",
    ("episode", "PLACEMENT_TYPE_CODE", "list"): "CLA042",
    ("episode", "REASON_EPISODE_FINISHED_CODE", "list"): "CLA043",
    ("episode", "PLACEMENT_POSTCODE", "postcode"): "CLA044",
    ("adoption", "SYSTEM_ID", "unique"): "CLA126",
    ("adoption", "DATE_DECISION", "required"): "CLA127",
    ("adoption", "DATE_MATCH", "required"): "CLA127",
    ("adoption", "DATE_PLACED", "required"): "CLA127",
    ("adoption", "FOSTER_CARE", "required"): "CLA127",
    ("adoption", "NB_ADOPTR", "required"): "CLA127",
    ("adoption", "SEX_ADOPTR", "required"): "CLA127",
    ("adoption", "LS_ADOPTR", "required"): "CLA127",
    ("crcs", "YEAR_CODE", "required"): "CRCS-001",
    ("crcs", "YEAR_CODE", "year"): "CRCS-001",
    ("crcs", "LOCAL_AUTHORITY_CODE", "list"): "CRCS-003",
    ("crcs", "CHILD_CODE", "required"): "CRCS-005",
    ("crcs", "CHILD_CODE", "unique"): "CRCS-006 CRCS-007",
    ("crcs", "UPN", "unique"): "CRCS-008",
    ("crcs", "UPN", "length"): "CRCS-013",
    ("crcs", "UPN", "letter"): "CRCS-014",
    ("crcs", "UPN", "authority"): "CRCS-015",
    ("crcs", "UPN", "digits"): "CRCS-016",
    ("crcs", "UPN", "last"): "CRCS-017",
    ("crcs", "DATE_OF_BIRTH", "required"): "CRCS-021",
    ("crcs", "DATE_OF_BIRTH", "date"): "CRCS-021",
    ("crcs", "GENDER", "required"): "CRCS-027",
    ("crcs", "GENDER", "list"): "CRCS-027",
    ("crcs", "ETHNIC_ORIGIN_CODE", "required"): "CRCS-029",
    ("crcs", "ETHNIC_ORIGIN_CODE", "list"): "CRCS-029",
    ("crcs", "ASYLUM_SEEKER_CODE", "required"): "CRCS-031",
    ("crcs", "ASYLUM_SEEKER_CODE", "list"): "CRCS-031",
    ("crcs", "CHILD_PROTECTION_REGISTER", "list"): "CRCS-035",
    ("crcs", "CPR_DATE", "filled"): "CRCS-036",
    ("crcs", "CPR_DATE", "blank"): "CRCS-037",
    **{("crcs", f"CPR_{name}", kind): "CRCS-042" for name in _CPR.split() for kind in ("list", "filled")},
    **{("crcs", f"CPR_{name}", "blank"): "CRCS-043" for name in _CPR.split()},
    ("crcs", "LOOKED_AFTER_CHILD", "list"): "CRCS-048",
    ("crcs", "CATEGORY_OF_NEED_CODE", "required"): "CRCS-065",
    ("crcs", "CATEGORY_OF_NEED_CODE", "list"): "CRCS-065",
    ("crcs", "LANGUAGE", "age"): "CRCS-070",
    ("crcs", "LANGUAGE", "list"): "CRCS-071",
    ("crcs", "YOUTH_OFFENDING", "age"): "CRCS-072",
    ("crcs", "HEALTH_MENTAL_HEALTH", "age"): "CRCS-073",
    ("crcs", "HEALTH_SUBSTANCE_MISUSE", "age"): "CRCS-074",
    ("crcs", "HEALTH_DENTAL_CHECK", "age"): "CRCS-075",
    ("crcs", "CHILD_HEALTH_SURVEILLANCE_CHECKS", "age"): "CRCS-076",
    **{("crcs", name, "list"): "CRCS-077" for name in _BY_AGE.split()},
    ("crcs", "HEALTH_IMMUNISATIONS", "list"): "CRCS-078",
    ("crcs", "HEALTH_AUTISTIC_SPECTRUM_DISORDER", "list"): "CRCS-080",
    **{("crcs", name, "list"): "CRCS-085" for name in _FLAGS.split()},
    **{("crcs", f"PARENTING_CAPACITY_{name}", "list"): "CRCS-091" for name in _PARENTS.split()},
    ("crcs", "REASON_FOR_CLOSURE", "filled"): "CRCS-103",
    ("crcs", "REASON_FOR_CLOSURE", "blank"): "CRCS-103",
    ("crcs", "REASON_FOR_CLOSURE", "list"): "CRCS-104",
}
"""Form, item and kind of check to the statement that says the same; parts that share one make one rule.

Where years have statements of their own, their ids follow each other: the first in force is taken.
"""
