"""The page: charts and words of both languages put into one file that needs nothing else."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from synth.files import GENERATOR, check_file, generated, write_whole
from synth.manifest import STATEMENT
from synth.report.cells import basis, dots, misses
from synth.report.census import factors
from synth.report.facts import Facts, YearFacts, gather
from synth.report.moves import entered, flows, left, timelines, turnover
from synth.report.stock import pyramid, status, tiles
from synth.report.summary import findings, headlines, outcomes, verdict
from synth.report.words import LANGUAGES, Words

if TYPE_CHECKING:
    from pathlib import Path

    from synth.profile import Profile
    from synth.report.charts import Chart

__all__ = ["report_html", "write_report"]

_SIGNS = 12
"""Signs of a SHA-256 that are shown."""
_SCRIPTS = ("vega.min.js", "vega-lite.min.js", "report.js")


def write_report(folder: Path, profile: Profile, out: Path, language: str = "en") -> Facts:
    """Write the report on a generated year, or a folder of years, to `out`; `language` is shown first, en or cy.

    Raises InputError where the folder is neither or `out` is somebody else's, OutputError where it cannot be written.
    """
    if out.parent != folder or out.exists():
        # Of a folder that is not there something better is said below.
        check_file(out, generated)
    facts = gather(folder, profile)
    text = report_html(facts, language)
    write_whole(text, out)
    return facts


def report_html(facts: Facts, language: str = "en") -> str:
    """Return the report as one HTML document, in both languages; `language` is the one shown first."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  only where a page is made

    environment = Environment(
        loader=PackageLoader("synth.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    pages = [_page(facts, Words(code)) for code in LANGUAGES]
    specs = {
        f"{chart.key}-{page['language']}": chart.spec
        for page in pages
        for section in page["sections"]
        for chart in section["charts"]
        if chart.spec
    }
    return environment.get_template("report.html").render(
        language=language,
        generator=GENERATOR,
        pages=pages,
        style=_asset("report.css"),
        scripts=[_asset(name) for name in _SCRIPTS],
        # Nothing in the data may end the element that holds it.
        specs=json.dumps(specs, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
    )


def _page(facts: Facts, say: Words) -> dict[str, Any]:
    """Return what is said in one language."""
    people = [tiles(facts, say), pyramid(facts, say), status(facts, say, "legal"), status(facts, say, "placement")]
    moves = [entered(facts, say), left(facts, say), flows(facts, say)]
    if facts.panel:
        moves.append(turnover(facts, say))
    sections: list[tuple[str, list[Chart]]] = [
        ("people_title", people),
        ("moves_title", moves),
        ("lives_title", [timelines(facts, say)]),
        ("support_title", [factors(facts, say)]),
        ("cells_title", [dots(facts, say), *misses(facts, say)] if facts.latest.comparison or facts.panel else []),
        ("check_title", [outcomes(facts, say), findings(facts, say)]),
        ("origin_title", [basis(facts, say)]),
    ]
    return {
        "language": say.language,
        "say": say,
        "banner": say("banner" if facts.latest.manifest.get("statement", STATEMENT) == STATEMENT else "banner_learned"),
        "span": _span(facts, say),
        "verdict": verdict(facts, say),
        "headlines": headlines(facts, say),
        "sections": [{"key": key, "title": say(key), "charts": charts} for key, charts in sections if charts],
        "made": _made(facts.latest),
    }


def _made(year: YearFacts) -> dict[str, str]:
    """Return what the manifest says of the making of a year; blank where it says nothing of the kind."""
    told = year.manifest
    versions = told.get("versions")
    return {
        "command": told["command"],
        "version": str(versions.get("synth", "")) if isinstance(versions, dict) else "",
        "profile": year.this.profile,
        "profile_digest": year.this.profile_digest[:_SIGNS],
        "guidance_digest": str(told.get("guidance_sha256", ""))[:_SIGNS],
    }


def _span(facts: Facts, say: Words) -> str:
    first, last = facts.years[0].year, facts.latest.year
    years = say("years_span", first=first, last=last) if facts.panel else say("year_span", year=last)
    count = len(facts.latest.this.authorities)
    areas = say("areas_all") if facts.latest.this.whole else say("areas_some", n=count)
    return f"{years}, {areas}, {say('seed', seed=facts.latest.this.seed)}"


def _asset(name: str) -> str:
    return files("synth.report").joinpath("assets", name).read_text("utf-8")
