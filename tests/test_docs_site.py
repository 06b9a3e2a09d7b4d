"""The documentation site: links hold, made parts are whole, and it builds with every warning an error."""

import gc
import re

import click
import pytest
from made import MADE, SECTIONS
from markdown_links import ROOT, anchors, broken_links, markdown_files, whole

from synth import __version__
from synth.cli import main
from synth.guidance import load
from synth.profile import load_profile

DOCS = ROOT / "docs"
YEARS = range(2017, 2026)


@pytest.fixture(scope="module", autouse=True)
def _rested():
    """Have the collector rest, as it does where the program runs by itself: it would take a third of the time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000)
    yield
    gc.set_threshold(*before)


def page(name):
    return whole(DOCS / name)


def commands(group=main, name="synth"):
    for below, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {below}")
        else:
            yield f"{name} {below}", command


@pytest.mark.parametrize("path", markdown_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    assert broken_links(path) == []


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "other.md").write_text("# Twice\n\n## Twice\n\n```\n# no heading\n```\n", "utf-8")
    place = tmp_path / "page.md"
    place.write_text(
        "[a](other.md) [b](other.md#twice-1) [c](none.md) [d](other.md#no-heading) [e](#here) `[f](g)`\n", "utf-8"
    )
    assert [said.partition(":")[0] for said in broken_links(place)] == ["none.md", "other.md#no-heading", "#here"]


def test_every_item_and_code_set_of_every_year_has_its_place():
    for return_ in ("cla", "crcs"):
        codes = anchors(DOCS / "reference" / return_ / "codes.md")
        for year in YEARS:
            g = load(return_, year)
            assert {name.lower() for name in g.codes_by_set} <= codes
            for form in g.forms:
                names = {item.name.lower() for item in g.items(form)}
                assert names <= anchors(DOCS / "reference" / return_ / f"{form}.md"), (return_, form, year)


def test_a_form_says_of_an_item_what_the_guidance_says():
    text = page("reference/cla/episode.md")
    section = text[text.index("\n## SHORT_BREAKS\n") :]
    assert "filled if and only if `LEGAL_STATUS_CODE` is `V1`" in section
    dental = page("reference/crcs/crcs.md").partition("\n## HEALTH_DENTAL_CHECK\n")[2].partition("\n## ")[0]
    assert "From age 5 on 31 March, `80` below it" in dental
    assert "[CRCS-075](../../rules.md#crcs-075-crcs)" in dental
    closed = page("reference/crcs/crcs.md").partition("\n## PLAN_CLOSED_DATE\n")[2].partition("\n## ")[0]
    assert "only when collected over the whole year" in closed


def test_a_code_has_its_meaning_and_years():
    rows = page("reference/cla/codes.md").splitlines()
    (old,) = [row for row in rows if row.startswith("| `D1` | Freeing order")]
    assert "1992 to 2006" in old
    for return_ in ("cla", "crcs"):
        text = page(f"reference/{return_}/codes.md")
        every = {code.code for codes in load(return_, 2024).codes_by_set.values() for code in codes}
        assert every <= set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def test_every_limit_and_combination_is_listed():
    for return_ in ("cla", "crcs"):
        text = page(f"reference/{return_}/limits.md")
        g = load(return_, 2024)
        shown = anchors(DOCS / "reference" / return_ / "limits.md")
        assert {x.item.lower() for x in g.limits if x.item} <= shown
        assert {a.relation.replace("_", "-") for a in g.allowed_rows} <= shown
        assert all(f"| {x.rule} |" in text for x in (*g.limits, *g.allowed_rows))


def test_every_command_and_option_is_told_of():
    text = page("reference/commands.md")
    for name, command in commands():
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert section, name
        for option in (p for p in command.params if isinstance(p, click.Option)):
            assert option.opts[0] in section, (name, option.opts)


def test_every_parameter_is_listed_with_its_basis():
    text = page("reference/parameters.md")
    for name, parameter in load_profile().parameters.items():
        assert f"\n`{name}`\n: {parameter.basis}; " in text


def test_every_made_part_is_asked_for_somewhere():
    asked = {what.split()[0] for path in DOCS.rglob("*.md") for what in MADE.findall(path.read_text("utf-8"))}
    assert asked == set(SECTIONS) | {"form"}


def test_the_wheel_in_the_tutorial_is_this_version():
    text = (DOCS / "tutorial.md").read_text("utf-8")
    assert set(re.findall(r"synth-([\d.]+)-py3-none-any\.whl", text)) == {__version__}
    assert f"synth, version {__version__}" in text


@pytest.mark.filterwarnings("ignore")
def test_the_site_builds_with_warnings_as_errors(tmp_path, capsys):
    pytest.importorskip("myst_parser")
    pytest.importorskip("pydata_sphinx_theme")
    build = pytest.importorskip("sphinx.cmd.build").build_main
    strictly = ["-q", "-W", "--keep-going", "-n", "-b", "dummy"]
    # Every page is read and every link resolved; HTML is not written, and the examples of rules hold no links.
    assert build([*strictly, "-D", "rule_examples=0", str(DOCS), str(tmp_path / "site")]) == 0, capsys.readouterr().err
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / "index.md").write_text("# One\n\n[nowhere](#two)\n", "utf-8")
    without = ["-D", "html_static_path=", "-c", str(DOCS)]
    assert build([*strictly, *without, str(wrong), str(tmp_path / "other")]) != 0
    assert "'two'" in capsys.readouterr().err
