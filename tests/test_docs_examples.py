"""The examples of the documentation run and print what the pages show."""

import difflib
import gc
import os
from pathlib import Path

import pytest
from examples import Shell, matches, refreshed, steps

DOCS = Path(__file__).parent.parent / "docs"
PAGES = [DOCS / "tutorial.md", *sorted(DOCS.glob("how-to/*.md"))]
REFRESH = "SYNTH_REFRESH_GOLDEN" in os.environ


@pytest.fixture(scope="module", autouse=True)
def _rested():
    """Have the collector rest, as it does where the program runs by itself: it would take a third of the time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000)
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_print_what_is_shown(page, tmp_path):
    text = page.read_text("utf-8")
    shell = Shell(tmp_path)
    fresh, done = "", 0
    for step in steps(text):
        printed = shell.run(step)
        if step.kind == "file":
            continue
        if step.kind == "pycon":
            assert not printed, f"{page.name}, line {step.line}: {printed}"
        elif step.shown and REFRESH:
            fresh += text[done : step.start] + (
                step.shown if matches(step.shown, printed) else refreshed(step.shown, printed)
            )
            done = step.end
        elif step.shown:
            assert matches(step.shown, printed), _told(page, step, printed)
    if REFRESH:
        page.write_text(fresh + text[done:], "utf-8")


def _told(page, step, printed):
    changed = "\n".join(difflib.unified_diff(step.shown.splitlines(), printed.splitlines(), "shown", "printed", n=0))
    return (
        f"{page.name}, line {step.line}: {step.text} prints something else than is shown. Where it should, "
        f"SYNTH_REFRESH_GOLDEN=1 brings the page up to date.\n{changed}"
    )


def test_what_is_left_out_may_be_anything_and_nothing_else():
    printed = "first\nsecond  \nthird and more\n\nlast\n"
    for shown in (printed, "first\n...\nlast\n", "...\nthird ...\n...\n", "first\nsecond\n...\n", "...\n"):
        assert matches(shown, printed), shown
    for shown in (
        "first\nlast\n",
        "second\n...\n",
        "...\nthird\n...\n",
        "first\n...\nlast\nmore\n",
        "first\n...\nsecond\n",
    ):
        assert not matches(shown, printed), shown


def test_shown_output_is_brought_up_to_date_and_stays_short():
    printed = "Year 2023, 12 children\n\nrows   13\nother   1\nmore    2\nWritten to out, 7 files\n"
    shown = "Year 2023, 11 children\n...\nrows   12\n...\nWritten to ...\n"
    assert refreshed(shown, printed) == "Year 2023, 12 children\n...\nrows   13\n...\nWritten to ...\n"
    assert refreshed("?\n", printed) == printed


def test_steps_of_a_page_are_its_commands_and_files():
    page = (
        "text\n\n<!-- file: a.txt -->\n```text\nhello\n```\n\n"
        "```console\n$ cat a.txt\nhello\n$ cat \\\n> a.txt\n```\n\n```shell\nrm a\n```\n"
    )
    found = [(step.kind, step.text, step.shown) for step in steps(page)]
    assert found == [("file", "a.txt", "hello\n"), ("console", "cat a.txt", "hello\n"), ("console", "cat a.txt", "")]
