"""Both returns of one collection year in memory: frames, what made them, and what can be asked of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from synth.api.forms import Forms
from synth.api.shown import year_line, year_page
from synth.api.writing import on_disk, written
from synth.errors import InputError
from synth.files import BESIDE, FILES, MANIFEST
from synth.frames import typed_frame
from synth.geography.authorities import all_authorities
from synth.guidance import RETURNS, load
from synth.manifest import json_text
from synth.tables import form_table, tables_of
from synth.validate.run import validate_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Any

    import polars as pl

    from synth.fidelity.report import Report as FidelityReport
    from synth.geography.authorities import Authority
    from synth.profile import Profile
    from synth.spoil import Spoilt
    from synth.tables import Tables
    from synth.validate import Report

__all__ = ["Year"]


@dataclass(frozen=True, eq=False, repr=False)
class Year(Forms):
    """Both returns of one collection year of one world, as `generate` makes them and `load` reads them back.

    `text` holds the forms as they are written: String columns, dates as dd/mm/yyyy, blanks null. `frames`, and the
    attributes crcs, child, episode, adoption, care_leaver and postcodes, hold them typed. `about` is the manifest but
    for the files; `profile` is the one at hand, which `fidelity` judges by.

    >>> year = synth.generate(2023, "Merthyr Tydfil")
    >>> year
    <synth.Year 2022-23: Merthyr Tydfil; 505 crcs, 235 child, 360 episode, 6 adoption, 18 care_leaver; synthetic>
    >>> year.child.select("SYSTEM_ID", "DOB").dtypes
    [String, Date]
    """

    about: Mapping[str, Any]
    text: Mapping[str, pl.DataFrame]
    profile: Profile

    @property
    def year(self) -> int:
        """The collection year: that of the 31 March on which it ends."""
        return int(self.about["year"])

    @property
    def authorities(self) -> tuple[Authority, ...]:
        """The authorities whose children these are, in official order."""
        return tuple(authority for authority in all_authorities() if authority.code in self.about["authorities"])

    @property
    def seed(self) -> int:
        """The seed it was made from."""
        return int(self.about["seed"])

    @property
    def world(self) -> int:
        """Which world it is of, counted from 1."""
        return int(self.about.get("world", 1))

    @property
    def collection(self) -> str:
        """How care and support is collected here: census_date or all_year."""
        return str(self.about["collection"])

    @property
    def command(self) -> str:
        """The command that makes the same files.

        >>> year.command
        'synth generate --authorities 542 --year 2023 --seed 20230331'
        """
        return str(self.about["command"])

    @cached_property
    def frames(self) -> Mapping[str, pl.DataFrame]:
        """The typed forms by name."""
        typed = {form: typed_frame(table) for form, table in self._tables.forms.items()}
        return {form: typed.get(form, text) for form, text in self.text.items()}

    @property
    def manifest(self) -> dict[str, Any]:
        """What made it: command, seed, versions, digests of profile, guidance and files, and what it may be used for.

        >>> year.manifest["statement"][:58]
        'Every record in this folder is synthetic. It was simulated'
        """
        return dict(json.loads(self.contents()[MANIFEST]))

    def contents(self) -> dict[str, bytes]:
        """Return the files of its folder by path, the manifest last: the bytes that `synth generate` writes.

        >>> list(year.contents())[-2:]
        ['datapackage.json', 'manifest.json']
        """
        from synth.metadata import Subject, metadata_of, written_as  # noqa: PLC0415

        files = self._csv()
        written = {form: written_as(self.text[form].height, files[name]) for form, name in FILES.items()}
        subject = Subject(self.year, self.collection, self.world - 1, self.authorities)
        beside = metadata_of(subject, written, self.profile)
        return files | beside | {MANIFEST: json_text(self._manifest(files, beside)).encode()}

    def files(self) -> dict[str, bytes]:
        """Return the files of its folder without what describes them: enough to be read as a year."""
        files = self._csv()
        return files | {MANIFEST: json_text(self._manifest(files)).encode()}

    def write(self, out: Path | str) -> Path:
        """Write the files into the folder of the year in `out`, as `synth generate --out` does, and return that folder.

        It appears whole or not at all, and replaces only what this program wrote. It is read back and checked first.
        Raises InputError for a place that cannot be used, OutputError where the disk refuses.

        >>> year.write("outputs").as_posix()
        'outputs/2023'
        """
        (place,) = written([self], out)
        return place

    def validate(self, *, last_year: Year | None = None, strict: bool = False) -> Report:
        """Hold the forms against the guidance of their year; nothing is written.

        `last_year` is the year before, for the rules that compare. Unless `strict`, what Welsh guidance does not
        confirm is a query. Raises InputError where `last_year` is another year than the one before.

        >>> report = year.validate()
        >>> report.ok, report.findings.height
        (True, 0)
        """
        tables = replace(self._tables)
        self._check_before(last_year)
        if last_year is not None:
            tables = replace(tables, last=replace(last_year._tables))  # noqa: SLF001  of its own kind
        return validate_tables(tables, self.year, strict=strict)

    def fidelity(self, *, last_year: Year | None = None) -> FidelityReport:
        """Hold the forms against every published figure of their year.

        Figures of two years need the year before, of the same seed, profile and authorities, as `last_year`. Raises
        InputError for a projection, about which nothing was published.

        >>> year.fidelity().by_role()[0].share_inside
        1.0
        """
        from synth.fidelity.run import fidelity  # noqa: PLC0415  only where it is asked for

        self._check_before(last_year)
        with on_disk([self] if last_year is None else [last_year, self]) as places:
            return replace(fidelity(places[-1], self.profile), folder=str(self.year))

    def spoil(
        self,
        out: Path | str,
        *,
        rules: Iterable[str] = (),
        kinds: Iterable[str] = (),
        rate: float | Mapping[str, float] | None = None,
        seed: int = 1,
        last_year: Year | None = None,
    ) -> Spoilt:
        """Write the files with known mistakes into the folder `out`, and the answer sheet beside them.

        `rules` are ids, forms or returns whose rules are broken, `kinds` mistakes as people make them
        (`synth spoil --list`); without either it is half of each. `rate` is the share of the children with a mistake
        (2 per cent without it), or that of single rules and kinds. `last_year` is for the rules that compare. Raises
        InputError for unknown names and a folder that cannot be used.

        >>> spoilt = year.spoil("spoilt/2023", rules=["CLA053"], rate={"CLA053": 0.001})
        >>> spoilt.lines[0].field, spoilt.lines[0].rules
        ('EPISODE_START_DATE', ('CLA053',))
        """
        from synth.api.spoiling import spoilt  # noqa: PLC0415  only where it is asked for

        self._check_before(last_year)
        return spoilt(self, out, rules=rules, kinds=kinds, rate=rate, seed=seed, last_year=last_year)

    def _check_before(self, last_year: Year | None) -> None:
        """Refuse what is not the year before this one."""
        if last_year is None:
            return
        if not isinstance(last_year, Year):
            raise InputError(
                f"last_year is a {type(last_year).__name__}; expected a year, as generate or load give it."
            )
        if last_year.year != self.year - 1:
            raise InputError(f"last_year is {last_year.year}; expected {self.year - 1}, the year before this one.")

    def __repr__(self) -> str:
        return year_line(self)

    def _repr_html_(self) -> str:
        return year_page(self)

    @cached_property
    def _tables(self) -> Tables:
        """The forms as rules read them; asked for views, a copy keeps them."""
        guides = [load(return_, self.year, self.collection if return_ == "crcs" else "") for return_ in RETURNS]
        forms = {form: form_table(self.text[form], form, g) for g in guides for form in g.forms}
        return tables_of(forms, guides[0])

    def _csv(self) -> dict[str, bytes]:
        return {name: self.text[form].write_csv(line_terminator="\n").encode() for form, name in FILES.items()}

    def _manifest(self, files: Mapping[str, bytes], beside: Mapping[str, bytes] | None = None) -> dict[str, Any]:
        listed = {
            name: {"rows": self.text[form].height, "sha256": hashlib.sha256(files[name]).hexdigest()}
            for form, name in FILES.items()
        }
        others = {
            path: {"sha256": hashlib.sha256(content).hexdigest()} for path, content in sorted((beside or {}).items())
        }
        return {**self.about, "files": listed, **({BESIDE: others} if others else {})}
