"""The data dictionary: nothing of the guidance is missing, every label is in Welsh too, anybody can read the page."""

import csv
import io
import re
import shutil
from html.parser import HTMLParser

import pytest
from openpyxl import load_workbook

from synth.errors import GuidanceError
from synth.geography.authorities import all_authorities
from synth.guidance import load
from synth.metadata.entries import CODE, ITEM, entries
from synth.metadata.page import _text, dictionary_html
from synth.metadata.sheets import dictionary_csv, dictionary_xlsx
from synth.metadata.words import read, said, welsh

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
COLLECTED = [(year, mode) for year in range(2017, 2026) for mode in ("census_date", "all_year")]
OWN = "Own translation"


def returns(year, mode):
    return load("cla", year), load("crcs", year, mode)


def labels():
    """Every label in force in any year."""
    found = set()
    for year, mode in COLLECTED:
        for g in returns(year, mode):
            found |= {item.label for form in g.forms for item in g.items(form)}
            found |= {code.label for codes in g.codes_by_set.values() for code in codes}
    return found | {row["label"] for row in read("added.csv")}


# -- Welsh labels -----------------------------------------------------------------------------------------------


def test_every_label_in_force_has_a_welsh_one_and_no_other_stands_in_the_table():
    table = [row["english"] for row in read("welsh.csv")]
    names = {area.name for area in all_authorities()}
    assert len(set(table)) == len(table)
    assert set(table) == labels() - names
    assert {area.name: welsh(area.name).label for area in all_authorities()} == {
        area.name: area.welsh_name for area in all_authorities()
    }


def test_every_welsh_label_says_what_it_rests_on():
    rows = read("welsh.csv")
    for row in rows:
        assert row["welsh"].strip() == row["welsh"] != ""
        if row["basis"] == "published":
            assert re.match(r"https?://\S+( \(spelling evened out\))?$", row["source"]), row
        else:
            assert row["basis"] == "assumed"
            assert row["source"].startswith(OWN), row
        same = "the English name is used in Welsh too" in row["source"]
        assert (row["welsh"] == row["english"]) == same, row
    assert sum(row["basis"] == "published" for row in rows) >= 20


def test_a_label_without_a_welsh_one_is_told():
    with pytest.raises(GuidanceError, match=r"'Shoe size' of the guidance has no Welsh label; add a row"):
        welsh("Shoe size")


def test_all_words_are_there_in_both_languages():
    for row in read("words.csv"):
        assert row["en"]
        assert row["cy"]
        assert row["en"] != row["cy"] or row["en"] == "text"
        assert re.findall(r"{\w+}", row["en"]) == re.findall(r"{\w+}", row["cy"])
    for row in read("forms.csv"):
        assert all(row[column] for column in ("en", "cy", "about_en", "about_cy"))


# -- rows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "mode"), [(2017, "census_date"), (2023, "census_date"), (2024, "all_year")])
def test_every_item_and_code_of_the_year_is_a_row(year, mode):
    rows = entries(year, mode)
    items = [(r.return_, r.form, r.name, r.label_en, r.basis, r.source) for r in rows if r.kind == ITEM]
    codes = [(r.return_, r.code_set, r.name, r.label_en, r.basis, r.source) for r in rows if r.kind == CODE]
    for g in returns(year, mode):
        for form in g.forms:
            asked = [(i.return_, form, i.name, i.label, i.basis, i.reference) for i in g.items(form)]
            assert [row for row in items if row[1] == form] == asked
        listed = [
            (c.return_, c.code_set, c.code, c.label, c.basis, c.reference)
            for codes in g.codes_by_set.values()
            for c in codes
        ]
        assert [row for row in codes if row[0] == g.return_] == listed
    assert [row[2] for row in items if row[1] == "postcodes"] == ["POSTCODE", "LSOA2011_CD"]
    assert all(row.label_cy and row.welsh_basis and row.welsh_source for row in rows)


def test_workbook_and_table_hold_the_same_rows():
    rows = entries(2024, "all_year")
    table = list(csv.DictReader(io.StringIO(dictionary_csv(rows).decode(), newline="")))
    assert len(table) == len(rows)
    assert table[0]["return"] == "crcs"
    book = load_workbook(io.BytesIO(dictionary_xlsx(rows, 2024)), read_only=True)
    assert book.sheetnames == ["About", "Items", "Codes"]
    for sheet, kind in (("Items", ITEM), ("Codes", CODE)):
        head, *body = book[sheet].iter_rows(values_only=True)
        held = [{name: cell or "" for name, cell in zip(head, line, strict=True)} for line in body]
        assert held == [{name: row[name] for name in head} for row in table if row["kind"] == kind]
    about = [cell for (cell,) in book["About"].iter_rows(values_only=True)]
    assert said("about_welsh").en in about
    assert said("about_welsh").cy in about


def test_nothing_becomes_a_formula_or_markup():
    row = entries(2023, "census_date")[0]._replace(label_en="=1+1", note='<b>&"')
    (held,) = csv.DictReader(io.StringIO(dictionary_csv([row]).decode(), newline=""))
    assert held["label_en"] == "'=1+1"
    sheet = load_workbook(io.BytesIO(dictionary_xlsx([row], 2023)))["Items"]
    written = {cell.value: cell.data_type for line in sheet.iter_rows(min_row=2) for cell in line}
    assert written["'=1+1"] == "s"
    assert _text(row.note) == "&lt;b&gt;&amp;&quot;"


# -- the page ---------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a page is made of, as far as readers of all kinds need it."""

    def __init__(self, text):
        super().__init__()
        self.open, self.said = [], []
        self.ids, self.links, self.levels, self.captions, self.tables, self.bare = [], [], [], 0, 0, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        held = dict(attrs)
        if tag not in {"meta", "wbr"}:
            self.open.append((tag, held.get("lang")))
        self.ids += [held["id"]] if "id" in held else []
        self.links += [held["href"]] if "href" in held else []
        self.levels += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.tables += tag == "table"
        self.captions += tag == "caption"
        if tag == "th" and held.get("scope") not in {"row", "col"}:
            self.bare.append(self.getpos())
        assert tag not in {"script", "link", "img", "iframe", "object"}
        assert not [name for name in held if name.startswith("on") or name == "src"]

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        language = next((lang for _, lang in reversed(self.open) if lang), None)
        self.said.append((language, data))


@pytest.fixture(scope="module")
def html():
    return dictionary_html(2024, "all_year").decode()


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_the_page_is_built_so_that_everybody_can_find_their_way(page, html):
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert page.links[0] == "#content"
    assert page.bare == []
    assert page.tables == page.captions > 30
    assert page.levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(page.levels, page.levels[1:], strict=False))
    assert "@import" not in html
    assert "url(" not in html
    assert len(html) < 400_000


def test_the_page_says_everything_in_both_languages(page):
    spoken = {"en": "".join(d for lang, d in page.said if lang == "en"), "cy": ""}
    spoken["cy"] = "\n".join(d for lang, d in page.said if lang == "cy")
    for row in entries(2024, "all_year"):
        assert row.label_en in spoken["en"]
        assert row.label_cy in spoken["cy"]
        assert row.name in spoken["en"]
        assert row.source in spoken["en"]
    for key in ("dictionary", "banner", "about_guidance", "about_welsh", "means_assumed"):
        assert said(key).en in spoken["en"]
        assert said(key).cy in spoken["cy"]


def test_a_browser_shows_it_offline_and_axe_finds_nothing(monkeypatch, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    if CHROMIUM is None:
        pytest.skip("the browser tests need Chromium")
    # Rows are alike; looking at the contrast of all of them would take seconds.
    shown_sets = {"gender", "ethnicity", "disability", "asylum", "upn_not_known"}
    fewer = [row for row in entries(2024, "all_year") if row.form == "child" or row.code_set in shown_sets]
    monkeypatch.setattr("synth.metadata.page.entries", lambda *_: fewer)
    (tmp_path / "dictionary.html").write_bytes(dictionary_html(2024, "all_year"))
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, scheme in ((1280, "light"), (390, "dark")):
            size = {"width": width, "height": 800}
            shown = browser.new_context(viewport=size, color_scheme=scheme, offline=True).new_page()
            shown.goto((tmp_path / "dictionary.html").as_uri())
            assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing hangs over the side"
            assert axe.Axe().run(shown).response["violations"] == []
            shown.keyboard.press("Tab")
            assert shown.locator(".skip").bounding_box()["x"] >= 0, "seen once it has the focus"
        browser.close()
