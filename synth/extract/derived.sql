-- Periods of care and placements, numbered from the episodes of the extract. Plain SQL: DuckDB, SQLite, Db2, PostgreSQL.
-- A child is an identifier and an authority. An episode that goes on stands in every year it touches: the latest row
-- tells how it ended. A period of care begins with reason S, and with the first episode there is; a placement begins
-- with a period, and with reasons P and B. Changes of legal status (L) begin neither.
WITH latest AS (
    SELECT
        SYSTEM_ID_E,
        LOCAL_AUTHORITY_CODE,
        EPISODE_START_DATE,
        EPISODE_END_DATE,
        UPPER(REASON_EPISODE_STARTED_CODE) AS REASON,
        ROW_NUMBER() OVER (
            PARTITION BY SYSTEM_ID_E, LOCAL_AUTHORITY_CODE, EPISODE_START_DATE ORDER BY YEAR_CODE DESC
        ) AS NEWEST
    FROM SAILLACWV.EPISODE_MAIN
),
ordered AS (
    SELECT
        SYSTEM_ID_E,
        LOCAL_AUTHORITY_CODE,
        EPISODE_START_DATE,
        EPISODE_END_DATE,
        REASON,
        ROW_NUMBER() OVER (PARTITION BY SYSTEM_ID_E, LOCAL_AUTHORITY_CODE ORDER BY EPISODE_START_DATE) AS PLACE
    FROM latest
    WHERE NEWEST = 1
),
periods AS (
    SELECT
        SYSTEM_ID_E,
        LOCAL_AUTHORITY_CODE,
        EPISODE_START_DATE,
        EPISODE_END_DATE,
        REASON,
        PLACE,
        SUM(CASE WHEN PLACE = 1 OR REASON = 'S' THEN 1 ELSE 0 END) OVER (
            PARTITION BY SYSTEM_ID_E, LOCAL_AUTHORITY_CODE ORDER BY EPISODE_START_DATE
        ) AS PERIOD_OF_CARE
    FROM ordered
)
SELECT
    SYSTEM_ID_E,
    LOCAL_AUTHORITY_CODE,
    EPISODE_START_DATE,
    EPISODE_END_DATE,
    PERIOD_OF_CARE,
    SUM(CASE WHEN PLACE = 1 OR REASON IN ('S', 'P', 'B') THEN 1 ELSE 0 END) OVER (
        PARTITION BY SYSTEM_ID_E, LOCAL_AUTHORITY_CODE, PERIOD_OF_CARE ORDER BY EPISODE_START_DATE
    ) AS PLACEMENT_NUMBER
FROM periods
ORDER BY LOCAL_AUTHORITY_CODE, SYSTEM_ID_E, EPISODE_START_DATE;
