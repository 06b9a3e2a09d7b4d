"""Links and anchors of Markdown files, checked without network."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from made import expanded
from made.markdown import anchor

ROOT = Path(__file__).parent.parent

_FENCE = re.compile(r"^(`{3,}).*?^\1`*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"!?\[(?:[^\]\\]|\\.)*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*#*$", re.MULTILINE)
_INCLUDE = re.compile(r"^```\{include\} (\S+)\n.*?^```$", re.MULTILINE | re.DOTALL)


def markdown_files():
    """Return every Markdown file of the repository that is kept in it."""
    places = [ROOT, ROOT / "profiles", *(p for p in ROOT.joinpath("docs").rglob("*") if p.is_dir())]
    return sorted(path for place in [*places, ROOT / "docs"] for path in place.glob("*.md"))


@cache
def whole(path):
    """Return a file with its made parts in place."""
    return expanded(path.read_text("utf-8"))


def broken_links(path):
    """Return the links of a file that lead nowhere, each with what is missing; those into the network are left."""
    text = _CODE.sub("", _FENCE.sub("", whole(path)))
    found = []
    for target in _LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = unquote(target).partition("#")
        place = (path.parent / name).resolve() if name else path
        if not place.exists():
            found.append(f"{target}: there is no {name}")
        elif fragment and fragment not in anchors(place):
            found.append(f"{target}: {place.name} has no heading with that anchor")
    return found


@cache
def anchors(path):
    """Return the anchors of a file's headings, those of parts made or included with them."""
    text = _INCLUDE.sub(lambda m: (path.parent / m[1]).read_text("utf-8"), whole(path))
    found = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        name, again = anchor(re.sub(r"[`*]", "", heading)), 0
        while (name if not again else f"{name}-{again}") in found:
            again += 1
        found.add(name if not again else f"{name}-{again}")
    return found
