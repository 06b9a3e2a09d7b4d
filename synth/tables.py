"""Forms as tables: text as it was written, typed once, and every row remembers its line in the file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from synth.errors import OutputError
from synth.guidance import collected_as, load
from synth.sequence import NEIGHBOURS, adoptions, in_order, with_neighbours

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from synth.guidance import Guidance

__all__ = [
    "FormTable",
    "Tables",
    "as_dates",
    "child_column",
    "file_name",
    "form_table",
    "lines_of",
    "tables_of",
    "write_form",
]

LA = "LOCAL_AUTHORITY_CODE"
LAST = "last:"
"""Begins the name of a form of last year where a rule asks for one."""
FIRST_LINE = 2
"""The line of the first data row: line 1 holds the headings."""

POSTCODE = r"^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][ABD-HJLNP-UW-Z]{2}$"
"""A full UK postcode in capitals, with or without its space; the first group is the district."""

_SLASHES = r"^[0-9]{2}/[0-9]{2}/[0-9]{4}$"
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T]00:00(?::00(?:\.0+)?)?)?$"

_EPISODE_NAMES = {
    "EPISODE_NUMBER": "number",
    "EPISODE_START_DATE": "start",
    "REASON_EPISODE_STARTED_CODE": "reason",
    "LEGAL_STATUS_CODE": "legal",
    "CATEGORY_OF_NEED_CODE": "need",
    "PLACEMENT_TYPE_CODE": "placement",
    "PLACEMENT_POSTCODE": "postcode",
    "EPISODE_END_DATE": "end",
    "REASON_EPISODE_FINISHED_CODE": "finish",
    "SHORT_BREAKS": "breaks",
}
_CODED = (
    "REASON_EPISODE_STARTED_CODE",
    "LEGAL_STATUS_CODE",
    "PLACEMENT_TYPE_CODE",
    "REASON_EPISODE_FINISHED_CODE",
)
READ = "read_"
"""Before the name of an item beside the text of a form: what was read of it."""
_ACTIVE = "PLAN_ACTIVE_31_MARCH"
AS_WRITTEN = "written_"
"""Before the name of an item in the view of episodes: its text, for codes out of use, which the typed rows drop."""


def file_name(return_: str, form: str) -> str:
    """Return the name under which a form is written: synthetic_crcs.csv, synthetic_cla_episode.csv."""
    return f"synthetic_{return_}.csv" if form == return_ else f"synthetic_{return_}_{form}.csv"


def child_column(form: str) -> str:
    """Return the item that holds the authority's own number of a child on a form."""
    return "CHILD_CODE" if form == "crcs" else "SYSTEM_ID"


@dataclass(frozen=True, slots=True)
class FormTable:
    """One form of one file, twice: as it stood in the file, and typed.

    `text` holds every item as it was written, null where blank: String, or Categorical for items with a list of
    codes (the authority, part of the key of a child, aside), which a form of millions repeats. `typed` has the same
    rows and columns with dates as Date and whole numbers as Int64, null where the text could not be read. `lines` is
    the line of each row in the file (the first data row is line 2). `unknown` and `missing` list headings
    that are no item of the year and items that have no heading; a missing item is a column of nulls in both
    frames.

    A code outside its list is null in `typed` too: nothing can be concluded from it, and the rule about the
    list has already said so. `kinds` names the dates and whole numbers, `codes` the lists.
    """

    form: str
    file: str
    text: pl.DataFrame
    typed: pl.DataFrame
    lines: pl.Series
    kinds: Mapping[str, str]
    codes: Mapping[str, frozenset[str]]
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    files: pl.Series | None = None
    """The file of each row (String); None where all rows come from `file`."""

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.text.height

    @property
    def both(self) -> pl.DataFrame:
        """The text, with what was read of each date, whole number and code beside it as read_<item>."""
        return self.text.with_columns(self.typed.select(pl.col(*self.kinds, *self.codes).name.prefix(READ)))


@dataclass(frozen=True)
class Tables:
    """All forms at hand for one collection year; `forms` may hold one return or both.

    `last` holds the forms of the year before where they are at hand: "last:episode" asks for one of them.
    Views are built when first asked for and keep the row order of their form, so that a condition on a view
    is aligned with the rows of the file. In a view, what cannot be known is null.
    """

    forms: Mapping[str, FormTable]
    first_day: dt.date
    last_day: dt.date
    gap_days: int = 1
    """Days that may lie between an X1 ending and the start of the episode that continues it."""
    last: Tables | None = None
    _kept: dict[tuple[object, ...], pl.DataFrame] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getitem__(self, form: str) -> FormTable:
        return self.forms[form]

    def __contains__(self, form: object) -> bool:
        if isinstance(form, str) and form.startswith(LAST):
            return self.last is not None and form.removeprefix(LAST) in self.last
        return form in self.forms

    @property
    def collection(self) -> str:
        """How the care and support form here is collected: census_date or all_year; nothing without one."""
        if "crcs" not in self.forms:
            return ""
        return collected_as(self.text("crcs").columns, self.last_day.year)

    def guidance(self, return_: str) -> Guidance:
        """Return the guidance of a return in the year of these forms: of care and support, as it is collected here."""
        return load(return_, self.last_day.year, self.collection if return_ == "crcs" else "")

    def typed(self, form: str) -> pl.DataFrame:
        """Return the typed frame of a form."""
        return self.forms[form].typed

    def text(self, form: str) -> pl.DataFrame:
        """Return the frame of a form as it was written."""
        return self.forms[form].text

    def changed(self, frames: Mapping[str, pl.DataFrame]) -> Tables:
        """Return tables in which some forms hold other text; lines are counted afresh, the rest is shared."""
        forms = dict(self.forms)
        for form, text in frames.items():
            old = forms[form]
            lines = lines_of(text.height)
            files = old.files if text.height == old.height else None
            held = _held(text, old.codes)
            typed = _typed(held, old.kinds, old.codes)
            forms[form] = replace(old, text=held, typed=typed, lines=lines, files=files)
        return replace(self, forms=forms)

    def view(self, make: Callable[..., pl.DataFrame], *given: object) -> pl.DataFrame:
        """Return `make(self, *given)`, built once: rules that look at the same frame share it."""
        key = (make, *given)
        if key not in self._kept:
            self._kept[key] = make(self, *given)
        return self._kept[key]

    @cached_property
    def numbers(self) -> Mapping[str, pl.Series]:
        """A number for each child on the rows of each form (UInt64): authority and identifier, the same on all forms.

        Null where either is blank. Numbers are joined and sorted many times faster than texts; they mean nothing else.
        Two children of ten million share one with a chance of some one in a million.
        """
        both = pl.struct("la", "id").hash()
        known = pl.all_horizontal(pl.col("la", "id").is_not_null())
        return {
            form: self.typed(form)
            .select(la=LA, id=child_column(form))
            .select(who=pl.when(known).then(both))
            .to_series()
            for form in self.forms
        }

    @cached_property
    def births(self) -> pl.DataFrame:
        """Children of the child form, one row each (the first wins): la, id, dob, asylum, home (a postcode)."""
        return (
            self.typed("child")
            .select(la=LA, id="SYSTEM_ID", dob="DOB", asylum="ASYLUM", home="HOME_POSTCODE", who=self.numbers["child"])
            .with_columns(home=pl.when(pl.col("home").str.contains(POSTCODE)).then("home"))
            .filter(pl.col("who").is_not_null())
            .unique("who", keep="first", maintain_order=True)
        )

    @cached_property
    def episodes(self) -> pl.DataFrame:
        """Episodes in file order with short names, the child's birth date and both neighbours.

        Columns: row, la, id, who, number, start, reason, legal, need, placement, postcode, end, finish, breaks,
        dob, asylum and home of the child; prev_* and next_* of its episode before and after by start; `first` and
        `last` of the child in this file; `open` where the end was left blank; `postcode` only where well formed;
        `goes_on` where the episode continues the one before (that ended X1 on the day or the day before);
        `run_start` and `run_end`, the first and last day of an unbroken run of one legal status (open runs
        end on 31 March); `period`, a number that each period of care in the file has to itself. If any of a
        child's episodes has no readable start, the child's order is not known and all of these are null.
        """
        births = self.births if "child" in self else None
        frame = self.typed("episode").select(
            la=LA, id="SYSTEM_ID", **{v: k for k, v in _EPISODE_NAMES.items()}, who=self.numbers["episode"]
        )
        frame = frame.with_row_index("row").with_columns(
            *(self.text("episode")[name].alias(f"{AS_WRITTEN}{name}") for name in _CODED),
            open=self.text("episode")["EPISODE_END_DATE"].is_null(),
            postcode=pl.when(pl.col("postcode").str.contains(POSTCODE)).then("postcode"),
        )
        if births is None:
            nothing = pl.lit(None, dtype=pl.String)
            frame = frame.with_columns(dob=pl.lit(None, dtype=pl.Date), asylum=nothing, home=nothing)
        else:
            frame = frame.join(births.drop("la", "id"), on="who", how="left", maintain_order="left")
        if in_order(frame):
            return with_neighbours(frame, self.last_day, self.gap_days)
        ordered = frame.sort("who", "start", "number", "row", nulls_last=True)
        return with_neighbours(ordered, self.last_day, self.gap_days).sort("row")

    @cached_property
    def before(self) -> pl.DataFrame:
        """Episodes in file order beside what last year's return says of the child.

        Columns: those of `episodes`; was_* of the child's last episode there (null where it has none, or its order
        is not known); held, whether the authority is in last year's return at all.
        """
        old = self.episodes.clear() if self.last is None else self.last.episodes
        final = old.filter(pl.col("last")).select(
            "la", "id", was_open="open", **{f"was_{name}": name for name in NEIGHBOURS}
        )
        held = old["la"].drop_nulls().unique().implode()
        return self.episodes.join(final, on=["la", "id"], how="left", maintain_order="left").with_columns(
            held=pl.col("la").is_in(held)
        )

    @cached_property
    def child_then(self) -> pl.DataFrame:
        """Rows of the child form, in file order, beside those of last year's: la, id, items, and was_* (null if none).

        `known` is true where last year's form had the child (first row wins).
        """
        names = ("DOB", "GNDR_CD", "ETHNICITY", "ASYLUM", "UPN", "DATE_CEASED_UASC")
        now = self.typed("child").select(*names, la=LA, id="SYSTEM_ID")
        old = self.typed("child").clear() if self.last is None else self.last.typed("child")
        then = old.select(la=LA, id="SYSTEM_ID", known=pl.lit(value=True), **{f"was_{name}": name for name in names})
        single = then.unique(["la", "id"], keep="first", maintain_order=True)
        return now.join(single, on=["la", "id"], how="left", maintain_order="left")

    @cached_property
    def gone(self) -> pl.DataFrame:
        """Children (la, id, start) whose last episode stood open a year ago and who have no episode now."""
        old = self.episodes.clear() if self.last is None else self.last.episodes
        open_then = old.filter(pl.col("last") & pl.col("open")).select("la", "id", "start")
        return open_then.join(self.careers.select("la", "id"), on=["la", "id"], how="anti")

    @cached_property
    def census_then(self) -> pl.DataFrame:
        """Census rows in file order with what last year's said of the authority's child of that number.

        Columns: la, id, birth date, gender and pupil number under their own names and with _then; `there`, true where
        last year's census had the child (first row wins); `active_then`, whether its plan was in place on 31 March.
        """
        names = ("DATE_OF_BIRTH", "GENDER", "UPN")
        now = self.typed("crcs").select(*names, la=LA, id="CHILD_CODE")
        old = self.typed("crcs").clear() if self.last is None else self.last.typed("crcs")
        active = pl.col(_ACTIVE) == "1" if _ACTIVE in old.columns else pl.lit(value=True)
        then = old.select(
            la=LA,
            id="CHILD_CODE",
            there=pl.lit(value=True),
            active_then=active,
            **{f"{name}_then": name for name in names},
        )
        single = then.unique(["la", "id"], keep="first", maintain_order=True)
        return now.join(single, on=["la", "id"], how="left", maintain_order="left")

    @cached_property
    def careers(self) -> pl.DataFrame:
        """Children with episodes, one row each: what the last episode says, and whether care goes on.

        Columns: la, id, who, dob, last_* of the last episode by start, open (looked after on 31 March, short
        breaks aside), sure (every start and reason readable), period_start (start of the last S in the file,
        null when it began in an earlier return), first_adoptive (first start in placement A3 to A6 of the
        last period), first_order (first under E1).
        """
        rows = self.episodes.filter(pl.col("who").is_not_null())
        running = pl.col("open") & (pl.col("start") <= self.last_day)
        sure = pl.col("last").is_not_null().all() & pl.col("reason").is_not_null().all()
        frame = rows.group_by("who", maintain_order=True).agg(
            pl.col("la", "id", "dob").first(),
            open=(running & (pl.col("legal") != "V1")).any(ignore_nulls=False),
            sure=sure,
            period_start=pl.when(sure).then(pl.col("start").filter(pl.col("reason") == "S").max()),
            latest=pl.col("period").max(),
        )
        final = rows.filter(pl.col("last")).select("who", **{f"last_{name}": name for name in NEIGHBOURS})
        frame = frame.join(final, on="who", how="left", maintain_order="left")
        return frame.join(adoptions(rows, frame), on="who", how="left", maintain_order="left").drop("latest")


def form_table(
    raw: pl.DataFrame, form: str, g: Guidance, *, file: str = "", lines: pl.Series | None = None
) -> FormTable:
    """Type a frame of text as the form of a year: items in guidance order, String or Categorical in `raw`."""
    items = g.items(form)
    names = [item.name for item in items]
    unknown = tuple(column for column in raw.columns if column not in set(names))
    missing = tuple(name for name in names if name not in raw.columns)
    kinds = {item.name: item.type for item in items if item.type in {"date", "integer"}}
    codes = {item.name: g.values(item.code_set) for item in items if item.type == "code"}
    blank = pl.lit(None, dtype=pl.String)
    text = _held(raw.select(pl.col(n) if n in raw.columns else blank.alias(n) for n in names), codes)
    if lines is None:
        lines = lines_of(text.height)
    name = file or file_name(g.return_, form)
    return FormTable(form, name, text, _typed(text, kinds, codes), lines, kinds, codes, unknown, missing)


def lines_of(height: int) -> pl.Series:
    """Return the lines of rows that stand one after another below the headings."""
    return pl.int_range(FIRST_LINE, FIRST_LINE + height, eager=True).alias("line")


def tables_of(forms: Mapping[str, FormTable], g: Guidance) -> Tables:
    """Put forms of one year together, with the days of that year; `g` is the guidance of either return."""
    return Tables(forms, g.first_day, g.last_day, _gap_days(g))


def _gap_days(g: Guidance) -> int:
    """Return how many days may lie between an X1 ending and the next episode; 0 without episodes."""
    return int(g.limit("REASON_EPISODE_FINISHED_CODE", "X1", "max_gap_days") or 0)


def write_form(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame as CSV: UTF-8, line feeds, dates as dd/mm/yyyy, missing as nothing; same frame, same bytes.

    Raises OutputError when the file cannot be written.
    """
    blanked = frame.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)))
    try:
        blanked.write_csv(path, date_format="%d/%m/%Y", line_terminator="\n")
    except OSError as problem:
        raise OutputError(f"{path}: cannot be written ({problem}). Check the folder and its free space.") from problem


def as_dates(column: str) -> pl.Expr:
    """Read a column of text as dates: dd/mm/yyyy, or yyyy-mm-dd with or without midnight behind it.

    Anything else, such as 31/02/2020 or the serial number 44927, becomes null.
    """
    cell = pl.col(column)
    shaped = cell.str.contains(_SLASHES)
    british = pl.when(shaped).then(cell).str.strptime(pl.Date, "%d/%m/%Y", strict=False)
    iso = pl.when(cell.str.contains(_ISO)).then(cell.str.head(10)).str.strptime(pl.Date, "%Y-%m-%d", strict=False)
    return pl.coalesce(british, iso).alias(column)


def _held(text: pl.DataFrame, codes: Iterable[str]) -> pl.DataFrame:
    """Hold codes as Categorical and the rest as String, whatever came in."""
    kept = {name: pl.Categorical for name in codes if name != LA}
    return text.cast({name: kept.get(name, pl.String) for name in text.columns})


def _typed(text: pl.DataFrame, kinds: Mapping[str, str], codes: Mapping[str, frozenset[str]]) -> pl.DataFrame:
    dates = [as_dates(name) for name, kind in kinds.items() if kind == "date"]
    numbers = [pl.col(name).cast(pl.Int64, strict=False) for name, kind in kinds.items() if kind == "integer"]
    known = text.select(pl.col(name).is_in(sorted(values)).all().alias(name) for name, values in codes.items())
    # Where every code is one of its list the column is shared, not copied.
    listed = [
        pl.when(pl.col(name).is_in(sorted(values))).then(pl.col(name)).alias(name)
        for name, values in codes.items()
        if not known[name][0]
    ]
    return text.with_columns(*dates, *numbers, *listed)
