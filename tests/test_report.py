"""The report: what it says, what it names when something is off, and how it looks in a real browser without network."""

import csv
import hashlib
import json
import re
import shutil
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.report.charts import Chart
from synth.report.facts import gather
from synth.report.page import report_html, write_report
from synth.report.words import LANGUAGES, Words

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCRIPTS = {
    "vega.min.js": "8f6a3587cf8d4f42c7e08120e3eb05d067e746d554e39d2dcf52acc0bd5ba28f",
    "vega-lite.min.js": "35a9821df838825b05a6a73e9414b58747a1b18321583858ed903c66393a5c7e",
}
MOST = 3_000_000
SMALL = "Cardiff,Powys"


@pytest.fixture(scope="module")
def folder(written):
    """All of Wales in 2023."""
    return written()[0]


@pytest.fixture(scope="module")
def small(written):
    """Two authorities in 2023."""
    return written(names=SMALL)


@pytest.fixture(scope="module")
def facts(folder, profile):
    return gather(folder, profile)


@pytest.fixture(scope="module")
def page(facts):
    return report_html(facts)


def without_some(folder, out, code, every):
    """Copy a year's folder, without every so-many-th child of an authority."""
    shutil.copytree(folder, out)
    for form, child in (("cla_child", "SYSTEM_ID"), ("cla_episode", "SYSTEM_ID"), ("cla_adoption", "SYSTEM_ID"),
                        ("cla_care_leaver", "SYSTEM_ID"), ("crcs", "CHILD_CODE")):  # fmt: skip
        path = out / f"synthetic_{form}.csv"
        frame = pl.read_csv(path, infer_schema=False)
        gone = frame.filter(pl.col("LOCAL_AUTHORITY_CODE") == code)[child].unique().sort()[::every]
        here = (pl.col("LOCAL_AUTHORITY_CODE") == code) & pl.col(child).is_in(gone.implode())
        frame.filter(~here).write_csv(path)
    return out


# -- what it says -----------------------------------------------------------------------------------------------


def test_it_is_one_small_file_that_asks_for_nothing(page):
    assert len(page.encode()) < MOST
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"(src|href)=\"(?!#)", outside), "nothing is fetched"
    assert "url(" not in outside
    assert "@import" not in outside


def test_it_says_at_its_top_in_both_languages_that_it_is_synthetic(page):
    said = re.findall(r'<header>\s*<p class="banner">([^<]*)</p>', page)
    assert [words.split(".")[0] for words in said] == ["Wholly synthetic", "Cwbl synthetig"]


def test_all_is_well_with_a_good_year(page, facts):
    assert "Nothing here is far from what was published." in page
    assert "Look here first" not in page
    assert "22 / 22" in page
    assert f"{facts.latest.this.views.looked_after.height:,}" in page


def test_every_figure_has_words_and_a_table(page):
    """In both languages: an image says what is to be seen, and its numbers stand in a table beside it."""
    for language in LANGUAGES:
        start = page.index(f'data-language="{language}"')
        part = page[start : page.find('data-language="', start + 10) if language == "en" else len(page)]
        figures = re.findall(r"<figure.*?</figure>", part, flags=re.DOTALL)
        assert len(figures) >= 13
        for figure in figures:
            assert figure.count("<table>") == 1
            assert figure.count("<tr>") > 1
            if 'class="chart"' in figure:
                assert re.search(r'role="img" aria-label="[^"]{20,}"', figure), figure[:200]


def test_charts_hold_what_their_tables_say(page, facts):
    specs = json.loads(re.search(r'id="specifications">(.*?)</script>', page, flags=re.DOTALL)[1])
    assert {key.rpartition("-")[2] for key in specs} == set(LANGUAGES)
    tiles = specs["tiles-en"]["data"]["values"]
    assert len(tiles) == 22
    assert len({(tile["x"], tile["y"]) for tile in tiles}) == 22, "no tile covers another"
    dots = specs["dots-en"]["data"]["values"]
    assert len(dots) == len(facts.latest.results)
    assert sum(dot["inside"] == "inside" for dot in dots) == sum(result.inside for result in facts.latest.results)
    flows = specs["flows-en"]["data"]["values"]
    here = facts.latest.this.views
    still = sum(cell["n"] for cell in flows if not cell["to"].startswith("Left"))
    assert still == here.looked_after.height
    new = sum(cell["n"] for cell in flows if cell["from"] == "Not in care")
    assert here.started.height - 30 <= new <= here.started.height, "who left and came back was in care before"


def test_nothing_in_the_data_ends_the_element_that_holds_it(facts, monkeypatch):
    evil = "</script><script>alert('<!--')</script>"
    chart = Chart("tiles", evil, evil, [evil], [[evil]], {"title": evil}, evil)
    monkeypatch.setattr("synth.report.page.tiles", lambda _facts, _say: chart)
    page = report_html(facts)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    specs = json.loads(re.search(r'id="specifications">(.*?)</script>', page, flags=re.DOTALL)[1])
    assert specs["tiles-en"]["title"] == evil


def test_an_authority_whose_stock_is_off_is_named_first(folder, profile, tmp_path):
    """A fifth of the children of one authority are missing."""
    spoilt = without_some(folder, tmp_path / "2023", "552", 5)
    facts = gather(spoilt, profile)
    off = [stock for stock in facts.latest.stocks if not stock.fits]
    assert [stock.authority.name for stock in off] == ["Cardiff"]
    assert -0.25 < off[0].off < -0.15
    page = report_html(facts)
    first_screen = page[page.index("<h1>") : page.index("<nav")]
    assert "Look here first" in first_screen
    assert "Cardiff 2023" in first_screen
    assert "21 / 22" in first_screen
    assert "Wales 2023, Looked after on 31 March" in first_screen
    welsh = page[page.index('data-language="cy"') :]
    assert "Caerdydd 2023" in welsh[: welsh.index("<nav")]
    assert "Cardiff" not in welsh[: welsh.index("<script")], "authorities have their Welsh names throughout"


def test_a_broken_rule_is_named(folder, profile, tmp_path):
    shutil.copytree(folder, tmp_path / "2023")
    path = tmp_path / "2023" / "synthetic_cla_child.csv"
    text = path.read_text("utf-8").splitlines()
    names = text[0].split(",")
    cells = text[1].split(",")
    cells[names.index("GNDR_CD")] = "9"
    path.write_text("\n".join([text[0], ",".join(cells), *text[2:]]) + "\n", "utf-8")
    page = report_html(gather(tmp_path / "2023", profile))
    assert "Look here first" in page
    assert re.search(r"Rule CLA0\d\d", page)


def test_files_with_many_mistakes_are_reported_all_the_same(small, profile, tmp_path):
    """A report is most wanted where something is wrong."""
    folder = small.folder
    assert (
        CliRunner().invoke(main, ["spoil", str(folder), "--out", str(tmp_path / "2023"), "--rate", "0.1"]).exit_code
        == 0
    )
    shutil.copy(folder / "manifest.json", tmp_path / "2023")
    page = report_html(gather(tmp_path / "2023", profile))
    assert "Look here first" in page
    assert "and " in page[page.index("Look here first") : page.index("<nav")], "more than are named"
    (tmp_path / "2023" / "synthetic_cla_adoption.csv").unlink()
    missing = CliRunner().invoke(main, ["report", str(tmp_path / "2023")])
    assert missing.exit_code == 2
    assert "synthetic_cla_adoption.csv is missing" in missing.output


def test_a_projection_says_so_and_is_held_against_nothing(ahead, profile):
    folder = ahead[1].folder.parent
    facts = gather(folder, profile)
    page = report_html(facts, "cy")
    assert [one.comparison is None for one in facts.years] == [False, True]
    assert "A projection: nothing was published about 2025" in page
    assert "Amcanestyniad" in page
    assert '<html lang="cy">' in page
    assert "<title>Cofnodion" in page
    alone = report_html(gather(folder / "2025", profile))
    assert "Every published cell" not in alone


# -- words ------------------------------------------------------------------------------------------------------


def test_every_word_is_there_in_both_languages_and_used():
    rows = list(csv.DictReader(files("synth.report").joinpath("words.csv").read_text("utf-8").splitlines()))
    assert all(row["en"].strip() and row["cy"].strip() for row in rows)
    for row in rows:
        assert set(re.findall(r"\{(\w+)\}", row["en"])) == set(re.findall(r"\{(\w+)\}", row["cy"])), row["key"]
    with pytest.raises(KeyError):
        Words("en")("no such words")


def test_embedded_scripts_are_those_that_were_published():
    for name, digest in SCRIPTS.items():
        held = files("synth.report").joinpath("assets", name).read_bytes()
        assert hashlib.sha256(held).hexdigest() == digest, name


# -- the command ------------------------------------------------------------------------------------------------


def test_the_command_writes_a_file_whole_or_not_at_all(small, profile, tmp_path):
    folder = small.folder
    run = CliRunner().invoke(main, ["report", str(folder), "--out", str(tmp_path / "r.html"), "--lang", "cy"])
    assert run.exit_code == 0, run.output
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
    for arguments, says in (
        ([str(tmp_path)], "holds neither a manifest.json nor folders of years"),
        ([str(tmp_path / "none")], "is no folder"),
        ([str(folder), "--out", str(tmp_path / "no" / "r.html")], "cannot write in"),
    ):
        failed = CliRunner().invoke(main, ["report", *arguments])
        assert failed.exit_code == 2
        assert says in failed.output
    assert write_report(folder, profile, tmp_path / "r.html").latest.year == 2023


def test_a_year_is_written_again_over_its_report_but_not_over_anybody_elses(small, simulated_before, tmp_path):
    target = shutil.copytree(small.folder, tmp_path / "2023")
    assert CliRunner().invoke(main, ["report", str(target)]).exit_code == 0
    simulated_before(small.made)
    again = ["generate", "--authorities", SMALL, "--year", "2023", "--out", str(tmp_path), "--quiet"]
    assert CliRunner().invoke(main, again).exit_code == 0
    assert not (target / "report.html").exists(), "it told of the files before"
    (target / "report.html").write_text("<html>mine</html>", "utf-8")
    refused = CliRunner().invoke(main, again)
    assert refused.exit_code == 2
    assert "did not write (report.html)" in refused.output


# -- in a browser -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    if CHROMIUM is None:
        pytest.skip("the browser tests need Chromium")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def serious(shown):
    """Return what axe-core finds of weight on the page as it is shown."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    found = axe.Axe().run(shown).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(("width", "height", "scheme"), [(1280, 800, "light"), (390, 844, "dark")])
def test_everything_shows_in_a_browser_without_network(browser, page, tmp_path, width, height, scheme):
    path = tmp_path / "report.html"
    path.write_text(page, "utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, offline=True, reduced_motion="reduce"
    )
    shown = context.new_page()
    said = []
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda fault: said.append(str(fault)))
    shown.goto(path.as_uri())

    def drawn(language):
        shown.wait_for_function(
            "language => [...document.querySelectorAll(`.page[data-language=${language}] .chart`)]"
            ".every(place => place.querySelector('svg[aria-hidden=true]'))",
            arg=language,
        )

    drawn("en")
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing hangs over the side"
    tiles = shown.locator(".page:not([hidden]) .verdict li")
    assert all(tiles.nth(n).bounding_box()["y"] < height for n in range(tiles.count())), "on the first screen"
    assert shown.locator(".page:not([hidden]) .chart svg [class^=mark-] path").count() > 100
    assert serious(shown) == []
    shown.keyboard.press("Tab")
    shown.keyboard.press("Tab")
    shown.keyboard.press("Enter")
    drawn("cy")
    assert serious(shown) == []
    assert shown.evaluate("document.documentElement.lang") == "cy"
    assert shown.locator(".page:not([hidden]) h1").inner_text() == "Cofnodion gofal cymdeithasol plant synthetig"
    assert shown.evaluate("document.activeElement.className") == "switch", "the focus stays on the switch"
    assert said == []
    shown.emulate_media(media="print")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    assert shown.evaluate(paper) == "rgb(255, 255, 255)", "on paper it is light, whatever the screen is"
    context.close()


def test_a_script_that_fails_would_be_noticed(browser, page, tmp_path):
    """The check on console errors can fail: a chart without a specification is reported."""
    path = Path(tmp_path) / "report.html"
    path.write_text(page.replace('data-chart="tiles-en"', 'data-chart="nothing"', 1), "utf-8")
    shown = browser.new_page()
    said = []
    shown.on("pageerror", lambda fault: said.append(str(fault)))
    shown.goto(path.as_uri())
    shown.wait_for_timeout(300)
    assert said
    shown.close()
