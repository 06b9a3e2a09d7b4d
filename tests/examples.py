"""The examples of the documentation: found in its pages, run in a folder, and held against what is shown.

A block ```console holds commands after `$ ` (`> ` goes on) and below each what it prints; a block ```pycon holds Python
as typed at its prompt. Both are run, page by page, from top to bottom in one folder. Where not all of an output is
shown, a line `...` stands for any lines and `...` inside a line for any text; a command below which nothing is shown
may print what it likes. A block of any kind after `<!-- file: NAME -->` is written to that file. Blocks of other kinds
(```shell, ```python) are not run.
"""

import difflib
import doctest
import importlib.util
import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from click.testing import CliRunner

from synth.cli import main

LEFT_OUT = "..."
_FENCE = re.compile(r"^(?:<!-- file: (\S+) -->\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ELISION = re.compile(r"(?:\\ )?\\\.\\\.\\\.")
"""The dots inside a line once it is escaped, with a space before them."""
_NEEDS = re.compile(r"^>>> (?:import|from) (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One command with the output shown below it, from `start` to `end` of the page; lines of Python; or a file.

    Of a file `text` is the name and `shown` the content.
    """

    kind: str
    text: str
    shown: str
    line: int
    start: int
    end: int


def steps(page):
    """Return the steps of a page of Markdown in their order."""
    found = []
    for block in _FENCE.finditer(page):
        name, kind, inside, at = block[1], block[2], block[3], block.start(3)
        line = page.count("\n", 0, at) + 1
        if name:
            found.append(Step("file", name, inside, line, at, at))
        if kind == "pycon":
            found.append(Step(kind, inside, "", line, at, at + len(inside)))
        if name or kind != "console":
            continue
        command, shown, begun = "", "", at
        for text in inside.splitlines(keepends=True):
            if text.startswith("$ "):
                if command:
                    found.append(Step(kind, command, shown, line, begun, at))
                command, shown, begun = text[2:].strip(), "", at + len(text)
            elif text.startswith("> ") and not shown and command.endswith("\\"):
                command, begun = command[:-1] + text[2:].strip(), at + len(text)
            else:
                shown += text
            at += len(text)
        found.append(Step(kind, command, shown, line, begun, at))
    return found


class Shell:
    """A folder in which the examples of a page run one after another; commands of `synth` in this process.

    Pages begin with the same few datasets. What was generated for one is laid down again for the next, as it would be
    the same bytes.
    """

    made: ClassVar = {}
    """Command to what it printed and the files it wrote."""

    def __init__(self, folder):
        self.folder = folder
        self.code = 0
        self.names = {}

    def run(self, step):
        """Run a step and return what it printed; of Python, what is wrong with it; of a file, itself."""
        if step.kind == "file":
            (self.folder / step.text).write_text(step.shown, "utf-8")
            return step.shown
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            return self._python(step) if step.kind == "pycon" else self._command(step.text)
        finally:
            os.chdir(before)

    def _command(self, text):
        if text == "echo $?":
            return f"{self.code}\n"
        command, _, into = text.partition(" > ")
        words = shlex.split(command)
        if words[0] != "synth":
            done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False)
            self.code = done.returncode
            return done.stdout + done.stderr
        if text in self.made:
            return self._again(text)
        there = set(self._files())
        done = CliRunner().invoke(main, words[1:], prog_name="synth")
        assert done.exception is None or isinstance(done.exception, SystemExit), f"{text}: {done.exception!r}"
        self.code = done.exit_code
        if words[1] == "generate" and "--profile" not in words:
            self.made[text] = done.output, {p: p.read_bytes() for p in self._files() if p not in there}
        if not into:
            return done.output
        Path(into.strip()).write_text(done.stdout, "utf-8")
        return done.stderr

    def _again(self, text):
        printed, files = self.made[text]
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.code = 0
        return printed

    @staticmethod
    def _files():
        return [path for path in Path().rglob("*") if path.is_file()]

    def _python(self, step):
        needed = _NEEDS.findall(step.text)
        if any(importlib.util.find_spec(name) is None for name in needed):
            return ""
        said = []
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
        test = doctest.DocTestParser().get_doctest(step.text, self.names, "example", None, step.line)
        runner.run(test, out=said.append, clear_globs=False)
        self.names.update(test.globs)
        return "".join(said)


def matches(shown, printed):
    """Return whether an output is the one shown, but for what is left out."""
    pattern = ""
    for line in _lines(shown):
        pattern += r"(?:.*\n)*" if line.strip() == LEFT_OUT else _ELISION.sub(".*", re.escape(line)) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(printed))) is not None


def refreshed(shown, printed):
    """Return what is shown brought up to date: the lines of the output most like it, the rest left out as before."""
    lines, kept, at = _lines(printed), [], 0
    if shown.strip() == "?":
        return "".join(f"{line}\n" for line in lines)
    for line in _lines(shown):
        if line.strip() == LEFT_OUT:
            kept.append(LEFT_OUT)
            continue
        likeness = [difflib.SequenceMatcher(None, line, other).ratio() for other in lines[at:]]
        if not likeness or max(likeness) < 0.5:
            continue
        found = at + likeness.index(max(likeness))
        if found > at and (not kept or kept[-1] != LEFT_OUT):
            kept.append(LEFT_OUT)
        fits = LEFT_OUT in line and matches(line, lines[found])
        kept.append(line if fits else lines[found])
        at = found + 1
    if at < len(lines) and (not kept or kept[-1] != LEFT_OUT):
        kept.append(LEFT_OUT)
    return "".join(f"{line}\n" for line in kept)


def _lines(text):
    return [line.rstrip() for line in text.rstrip().splitlines()]
