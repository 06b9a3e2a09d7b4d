"""One child's life as the written returns tell it: nothing but the files of a year's folder is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.geography.authorities import all_authorities
from synth.guidance import collected_as, load
from synth.show import words as say
from synth.show.folder import FORMS, called, read_forms, rows_of, unknown, year_of

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from synth.guidance import Guidance
    from synth.show.folder import Row

__all__ = ["timelines"]

_SHORT_BREAKS, _CONTINUES, _STARTS = "V1", "X1", "S"
_SAME = {"DOB": "DATE_OF_BIRTH", "GNDR_CD": "GENDER", "ETHNICITY": "ETHNIC_ORIGIN_CODE"}
_SAME |= {"UPN": "UPN", "HOME_POSTCODE": "HOME_POSTCODE"}
"""Items of the child form -> items of the census that say the same."""
_LONGEST_NUMBER = 9
"""Digits of an episode number that orders episodes."""
_STEPS = ("DATE_LATEST_CARE", "DATE_DECISION", "DATE_MATCH", "DATE_PLACED", "DATE_ADOPTED")


@dataclass(frozen=True, slots=True)
class _Life:
    """The rows of one child by form, the guidance of their year, and what a file beside them calls the child."""

    child: str
    authority: str
    rows: dict[str, list[Row]]
    cla: Guidance
    crcs: Guidance
    called: str

    def one(self, form: str) -> Row:
        """Return the first row of a form; empty where there is none."""
        return next(iter(self.rows[form]), {})

    def fact(self, item: str) -> str:
        """Return what the child form says of an item that both returns have, or else the census."""
        return self.one("child").get(item, "") or self.one("crcs").get(_SAME[item], "")

    @property
    def birth(self) -> dt.date | None:
        """Date of birth, if one can be read."""
        return say.date_of(self.fact("DOB"))


def timelines(folder: Path, children: list[str]) -> list[str]:
    """Tell the lives of some children in the order asked for; lines of up to 100 columns, no final line feed.

    An identifier used by two authorities gives two texts. InputError for a child in no file, a folder without
    returns or a file that cannot be read.
    """
    frames = read_forms(folder)
    year = year_of(frames, folder)
    guidance = {
        "cla": load("cla", year),
        "crcs": load("crcs", year, collected_as(frames["crcs"].columns, year) if frames["crcs"].height else ""),
    }
    rows = {f: rows_of(frames[f], f, children, guidance[return_]) for f, return_ in FORMS.items()}
    told, names = [], called(folder, children)
    for child in children:
        authorities = sorted({la for found in rows.values() for la, who in found if who == child})
        if not authorities:
            raise unknown(child, folder, frames)
        for la in authorities:
            own = {form: found.get((la, child), []) for form, found in rows.items()}
            told.append(_told(_Life(child, la, own, guidance["cla"], guidance["crcs"], names.get((la, child), ""))))
    return told


def _told(life: _Life) -> str:
    census, episodes = life.one("crcs"), _in_order(life.rows["episode"])
    lines = [*_heading(life), ""]
    for events in (_episodes(life, episodes), _adoption(life), _leaving(life)):
        lines += events
    if not life.rows["child"] and not episodes:
        lines += say.fact("Care", "Not in the looked-after return.")
    if lines[-1]:
        lines.append("")
    lines += _census(life, census) if census else say.fact("Support", "Not in the care and support return.")
    return "\n".join(lines).rstrip()


def _heading(life: _Life) -> list[str]:
    last, sex, birth = life.cla.last_day, life.fact("GNDR_CD"), life.birth
    name = f"{life.child}  {life.called or say.first_name(life.child, sex)}"
    source = "(a name made up, of people/children.csv)" if life.called else "(a name made up for reading, in no file)"
    title = f"{name}{source:>{say.WIDTH - len(name)}}"
    words = {"1": "Boy", "2": "Girl"}.get(sex) or say.label(life.crcs, "gender", sex).capitalize()
    age = f", {say.aged(birth, last)} on {say.shown(last)}" if birth and birth <= last else ""
    born = say.shown(birth, life.fact("DOB"))
    authority = next((a.name for a in all_authorities() if a.code == life.authority), "unknown authority")
    ethnicity = say.label(life.crcs, "ethnicity", life.fact("ETHNICITY"))
    lines = [title, "-" * say.WIDTH]
    lines += say.wrap("", f"{words}, born {born}{age}; {ethnicity}; {authority} ({life.authority})")
    if life.cla.projected:
        lines += say.wrap("", f"A projection: nothing was published about the year to {say.shown(last)}.")
    home = life.fact("HOME_POSTCODE")
    facts = [f"home {home}" if home else "no home postcode", _pupil(life), *_asylum(life)]
    if life.one("child").get("DISABILITY_CODE") == "1":
        facts.append("has a disability (1)")
    text = "; ".join(facts)
    lines += say.wrap("", text[:1].upper() + text[1:])
    return lines + _differences(life)


def _pupil(life: _Life) -> str:
    number = life.fact("UPN")
    if number in life.crcs.values("upn_not_known"):
        return f"no pupil number: {say.label(life.crcs, 'upn_not_known', number)}"
    return f"pupil number {number}" if number else "no pupil number"


def _asylum(life: _Life) -> list[str]:
    code = life.one("crcs").get("ASYLUM_SEEKER_CODE", "0")
    if life.one("child").get("ASYLUM") == "1" or code == "1":
        ceased = life.one("child").get("DATE_CEASED_UASC", "")
        until = f" until {say.shown(say.date_of(ceased), ceased)}" if ceased else ""
        return [f"unaccompanied asylum-seeking child{until}"]
    return [say.label(life.crcs, "asylum_seeker", code)] if code not in {"0", ""} else []


def _differences(life: _Life) -> list[str]:
    child, census = life.one("child"), life.one("crcs")
    if not child or not census:
        return []
    pairs = [(a, child.get(a, ""), census.get(b, "")) for a, b in _SAME.items()]
    found = [f"{item} {one or 'blank'} and {two or 'blank'}" for item, one, two in pairs if one != two]
    return say.wrap("", f"The two returns do not agree: {'; '.join(found)}") if found else []


def _in_order(episodes: list[Row]) -> list[Row]:
    def place(row: Row) -> tuple[int, int]:
        when, number = say.date_of(row["EPISODE_START_DATE"]), row["EPISODE_NUMBER"]
        counts = number.isdecimal() and len(number) <= _LONGEST_NUMBER
        return when.toordinal() if when else 0, int(number) if counts else 0

    return sorted(episodes, key=place)


def _episodes(life: _Life, episodes: list[Row]) -> list[str]:
    """Tell the episodes, each on its first day, the ends of periods, and how things stood on the last day."""
    lines: list[str] = []
    last = life.cla.last_day
    since: dt.date | None = None
    for number, row in enumerate(episodes):
        first, ended = row["EPISODE_START_DATE"], row["EPISODE_END_DATE"]
        start, end = say.date_of(first), say.date_of(ended) if ended else last
        if row["REASON_EPISODE_STARTED_CODE"] == _STARTS:
            since = start
        lines += say.event(say.shown(start, first), say.span(start, end), _what(life, episodes, number))
        finish, is_final = row["REASON_EPISODE_FINISHED_CODE"], number == len(episodes) - 1
        if not ended:
            still = "Series goes on" if row["LEGAL_STATUS_CODE"] == _SHORT_BREAKS else "Still there"
            lines += say.event(say.shown(last), "", f"{still}{_after(life, episodes[0], row, since, last)}")
        elif finish != _CONTINUES or is_final:
            how = say.ending(life.cla, finish) + _after(life, episodes[0], row, since, end)
            lines += say.event(say.shown(end, ended), "", how)
    return lines


def _what(life: _Life, episodes: list[Row], number: int) -> str:
    """Say what changed with an episode, and whether it was running before the year began."""
    row, before = episodes[number], episodes[number - 1] if number else None
    status, why, start = row["LEGAL_STATUS_CODE"], row["CATEGORY_OF_NEED_CODE"], row["EPISODE_START_DATE"]
    where = say.placed(*_place(row))
    if status == _SHORT_BREAKS:
        breaks = f"breaks this year: {row['SHORT_BREAKS'] or 'not recorded'}"
        text = f"Series of short breaks (V1) {where}; {say.need(why)}; {breaks}"
    elif row["REASON_EPISODE_STARTED_CODE"] == _STARTS:
        again = " again" if any(e["LEGAL_STATUS_CODE"] != _SHORT_BREAKS for e in episodes[:number]) else ""
        age = say.aged(life.birth, say.date_of(start))
        came = f"Came into care{again}{f', {age},' if age else ''} {say.came_under(status)}"
        text = f"{came}; {say.need(why)}; placed {where}"
    else:
        text = _changed(episodes, number)
        text = text[:1].upper() + text[1:]
        if before is None and row["REASON_EPISODE_STARTED_CODE"] == "P":
            text += f"; {say.came_under(status)}"
        if before is None or why != before["CATEGORY_OF_NEED_CODE"]:
            text += f"; {say.need(why)}"
    day = say.date_of(start)
    return f"{text} (carried over)" if day and day < life.cla.first_day else text


def _changed(episodes: list[Row], number: int) -> str:
    """Say which of legal status and placement changed, by the reason given for the new episode."""
    row = episodes[number]
    order, where = say.legal(row["LEGAL_STATUS_CODE"]), say.placed(*_place(row))
    there = f"back {where}" if _is_back(episodes, number) else say.moved(*_place(row))
    match row["REASON_EPISODE_STARTED_CODE"]:
        case "P":
            return there
        case "B":
            return f"{order}, {there}"
        case "L":
            same = number > 0 and _place(row) == _place(episodes[number - 1])
            return f"{order}, same placement" if same else f"{order}, placed {where}"
        case other:
            status = say.came_under(row["LEGAL_STATUS_CODE"])
            return f"new episode, reason {other or 'blank'}: {status}, {where}"


def _place(row: Row) -> tuple[str, str]:
    return row["PLACEMENT_TYPE_CODE"], row["PLACEMENT_POSTCODE"]


def _is_back(episodes: list[Row], number: int) -> bool:
    """Say whether a child who was away returned to the placement left."""
    return (
        number > 1
        and say.away(episodes[number - 1]["PLACEMENT_TYPE_CODE"])
        and _place(episodes[number]) == _place(episodes[number - 2])
    )


def _after(life: _Life, earliest: Row, row: Row, since: dt.date | None, until: dt.date | None) -> str:
    """Say how old the child is and how long in care: of earlier years only the adoption record tells."""
    age = say.aged(life.birth, until)
    parts = [age] if age else []
    if row["LEGAL_STATUS_CODE"] != _SHORT_BREAKS:
        since = since or say.date_of(life.one("adoption").get("DATE_LATEST_CARE", ""))
        lasted = say.span(since, until, words=True)
        before = say.shown(say.date_of(earliest["EPISODE_START_DATE"]), earliest["EPISODE_START_DATE"])
        parts.append(f"looked after for {lasted}" if lasted else f"looked after since before {before}")
    return "".join(f", {part}" for part in parts)


def _adoption(life: _Life) -> list[str]:
    lines: list[str] = []
    for row in life.rows["adoption"]:
        words = ("in care", "decision", "match", "placed", "adopted")
        days = [say.date_of(row[step]) for step in _STEPS]
        told = ", ".join(f"{w} {say.shown(d, row[step])}" for w, d, step in zip(words, days, _STEPS, strict=True))
        took = say.span(days[0], days[-1], words=True)
        count = row["NB_ADOPTR"] or "unknown number of"
        parts = [
            told + (f" ({took} in all)" if took else ""),
            f"{count} adopter{'' if count == '1' else 's'}",
            say.label(life.cla, "adopters_gender", row["SEX_ADOPTR"]),
            say.label(life.cla, "adopters_legal_status", row["LS_ADOPTR"]),
            {"1": "had fostered the child (1)", "0": "not the foster carers (0)"}.get(row["FOSTER_CARE"], ""),
        ]
        lines += say.fact("Adoption", "; ".join(filter(None, parts)))
    return lines


def _leaving(life: _Life) -> list[str]:
    lines: list[str] = []
    for row in life.rows["care_leaver"]:
        when = say.date_of(row["DATE_CEASED"])
        has = [
            words if row[item] == "1" else f"no {words}"
            for item, words in (("PATHWAY_PLAN", "pathway plan"), ("PERSONAL_ADVISER", "personal adviser"))
        ]
        parts = [
            f"care ceased {say.shown(when, row['DATE_CEASED'])}, {say.aged(life.birth, when)}",
            f"home: {say.label(life.cla, 'care_leaver_accommodation', row['ACCOM'])}",
            f"activity: {say.label(life.cla, 'care_leaver_activity', row['ACTIV'])}",
            f"category {row['CATEGORY_YP'] or 'blank'}",
            say.list_of(has),
        ]
        lines += say.fact("Care leaver", "; ".join(parts))
    return lines


def _census(life: _Life, row: Row) -> list[str]:
    lines = say.fact("Support", _support(life, row))
    lines += say.fact("Need", say.need(row["CATEGORY_OF_NEED_CODE"]))
    disabilities = say.flags(row, say.DISABILITIES)
    none = {"1": "none", "0": "some, no type given"}.get(row["DISABILITY_NONE"], "not recorded")
    lines += say.fact("Disability", say.list_of(disabilities) if disabilities else none)
    lines += say.fact("Health", say.health(row))
    lines += say.fact("Parents", say.list_of(say.flags(row, say.PARENTAL)) or "none of the difficulties asked for")
    return lines + say.fact("Language", say.label(life.crcs, "language", row["LANGUAGE"]))


def _support(life: _Life, row: Row) -> str:
    last = say.shown(life.crcs.last_day)
    parts = []
    if life.crcs.mode == "all_year":
        start, closed = row["PLAN_START_DATE"], row["PLAN_CLOSED_DATE"]
        plan = f"plan since {say.shown(say.date_of(start), start)}"
        if row["PLAN_ACTIVE_31_MARCH"] == "1":
            parts.append(f"{plan}, active on {last}")
        else:
            reason = say.label(life.crcs, "reason_for_closure", row["REASON_FOR_CLOSURE"])
            parts.append(f"{plan}, closed {say.shown(say.date_of(closed), closed)}: {reason}")
    else:
        parts.append(f"plan in place for three months on {last}")
    parts.append("looked after" if row["LOOKED_AFTER_CHILD"] == "1" else "not looked after")
    if row["CHILD_PROTECTION_REGISTER"] == "1":
        since = row["CPR_DATE"]
        why = say.list_of(say.flags(row, say.CATEGORIES)) or "no category"
        parts.append(f"on the register since {say.shown(say.date_of(since), since)} for {why}")
    else:
        parts.append("not on the register")
    for item, now, words in (
        ("LOOKED_AFTER_DURING_YEAR", "LOOKED_AFTER_CHILD", "looked after earlier in the year"),
        ("CPR_DURING_YEAR", "CHILD_PROTECTION_REGISTER", "on the register earlier in the year"),
    ):
        if row.get(item) == "1" and row[now] != "1":
            parts.append(words)
    return "; ".join(parts)
