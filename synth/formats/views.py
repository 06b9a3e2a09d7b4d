"""Views that answer the first questions put to a return, in SQL that both databases understand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["View", "views"]


@dataclass(frozen=True, slots=True)
class View:
    """A view: its name, what it shows, the columns of tables it needs, and its query with {last_day} for 31 March."""

    name: str
    words: str
    needs: Mapping[str, str]
    query: str


_CHILD = "LOCAL_AUTHORITY_CODE SYSTEM_ID DOB GNDR_CD ETHNICITY"
_EPISODE = (
    "LOCAL_AUTHORITY_CODE SYSTEM_ID EPISODE_NUMBER EPISODE_START_DATE REASON_EPISODE_STARTED_CODE LEGAL_STATUS_CODE"
    " CATEGORY_OF_NEED_CODE PLACEMENT_TYPE_CODE EPISODE_END_DATE REASON_EPISODE_FINISHED_CODE"
)
_CENSUS = "LOCAL_AUTHORITY_CODE CHILD_CODE UPN DATE_OF_BIRTH GENDER CATEGORY_OF_NEED_CODE LOOKED_AFTER_CHILD"

_VIEWS = (
    View(
        "looked_after_31_march",
        "Children looked after on 31 March, as the stock is counted: episodes without an end, short breaks (V1) aside",
        {"cla_child": _CHILD, "cla_episode": _EPISODE},
        """\
SELECT e.LOCAL_AUTHORITY_CODE, e.SYSTEM_ID, c.DOB, c.GNDR_CD, c.ETHNICITY, e.EPISODE_START_DATE,
  e.LEGAL_STATUS_CODE, e.CATEGORY_OF_NEED_CODE, e.PLACEMENT_TYPE_CODE
FROM cla_episode AS e
JOIN cla_child AS c ON c.LOCAL_AUTHORITY_CODE = e.LOCAL_AUTHORITY_CODE AND c.SYSTEM_ID = e.SYSTEM_ID
WHERE e.EPISODE_END_DATE IS NULL AND e.EPISODE_START_DATE <= '{last_day}' AND e.LEGAL_STATUS_CODE <> 'V1'""",
    ),
    View(
        "periods_of_care",
        "Periods of care, short breaks (V1) left out: each begins with an episode of reason S; one without such an"
        " episode here (STARTED is null) goes on from an earlier return. ENDED is null while it lasts",
        {"cla_episode": _EPISODE},
        """\
WITH counted AS (
  SELECT cla_episode.*, SUM(CASE WHEN REASON_EPISODE_STARTED_CODE = 'S' THEN 1 ELSE 0 END) OVER (
    PARTITION BY LOCAL_AUTHORITY_CODE, SYSTEM_ID ORDER BY EPISODE_START_DATE, EPISODE_NUMBER ROWS UNBOUNDED PRECEDING
  ) AS STARTS
  FROM cla_episode WHERE LEGAL_STATUS_CODE <> 'V1'
), ranked AS (
  SELECT counted.*, ROW_NUMBER() OVER (
    PARTITION BY LOCAL_AUTHORITY_CODE, SYSTEM_ID, STARTS ORDER BY EPISODE_START_DATE DESC, EPISODE_NUMBER DESC
  ) AS FROM_LAST
  FROM counted
)
SELECT LOCAL_AUTHORITY_CODE, SYSTEM_ID,
  ROW_NUMBER() OVER (PARTITION BY LOCAL_AUTHORITY_CODE, SYSTEM_ID ORDER BY STARTS) AS PERIOD,
  MIN(CASE WHEN REASON_EPISODE_STARTED_CODE = 'S' THEN EPISODE_START_DATE END) AS STARTED,
  MIN(EPISODE_START_DATE) AS FIRST_EPISODE_STARTED,
  MAX(CASE WHEN FROM_LAST = 1 THEN EPISODE_END_DATE END) AS ENDED,
  MAX(CASE WHEN FROM_LAST = 1 THEN REASON_EPISODE_FINISHED_CODE END) AS REASON_ENDED_CODE,
  COUNT(*) AS EPISODES
FROM ranked GROUP BY LOCAL_AUTHORITY_CODE, SYSTEM_ID, STARTS""",
    ),
    View(
        "on_both_returns",
        "Children on both returns: authority and identifier are the same in both",
        {"crcs": _CENSUS, "cla_child": _CHILD},
        """\
SELECT r.LOCAL_AUTHORITY_CODE, r.CHILD_CODE, r.UPN, r.DATE_OF_BIRTH, r.GENDER, r.CATEGORY_OF_NEED_CODE,
  r.LOOKED_AFTER_CHILD
FROM crcs AS r
JOIN cla_child AS c ON c.LOCAL_AUTHORITY_CODE = r.LOCAL_AUTHORITY_CODE AND c.SYSTEM_ID = r.CHILD_CODE""",
    ),
    View(
        "episodes_in_words",
        "Episodes with the labels of their codes",
        {"cla_episode": _EPISODE},
        """\
SELECT e.LOCAL_AUTHORITY_CODE, e.SYSTEM_ID, e.EPISODE_NUMBER, e.EPISODE_START_DATE, started.LABEL AS REASON_STARTED,
  legal.LABEL AS LEGAL_STATUS, need.LABEL AS CATEGORY_OF_NEED, placement.LABEL AS PLACEMENT_TYPE, e.EPISODE_END_DATE,
  finished.LABEL AS REASON_FINISHED
FROM cla_episode AS e
LEFT JOIN cla_codes_reason_new_episode AS started ON started.CODE = e.REASON_EPISODE_STARTED_CODE
LEFT JOIN cla_codes_legal_status AS legal ON legal.CODE = e.LEGAL_STATUS_CODE
LEFT JOIN cla_codes_category_of_need AS need ON need.CODE = e.CATEGORY_OF_NEED_CODE
LEFT JOIN cla_codes_placement_type AS placement ON placement.CODE = e.PLACEMENT_TYPE_CODE
LEFT JOIN cla_codes_reason_episode_ceased AS finished ON finished.CODE = e.REASON_EPISODE_FINISHED_CODE""",
    ),
)


def views(columns: Mapping[str, Collection[str]], last_day: str) -> Iterable[tuple[View, str]]:
    """Yield the views whose tables and columns are there, with the query; `last_day` is 31 March as yyyy-mm-dd."""
    for view in _VIEWS:
        if all(set(names.split()) <= set(columns.get(table, ())) for table, names in view.needs.items()):
            yield view, view.query.format(last_day=last_day)
