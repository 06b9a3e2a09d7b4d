"""What hurts: bytes turned about, cells that have harmed other programs, and JSON with such values in its place."""

# ruff: noqa: PLR2004  shares and numbers of ways to hurt: they mean nothing else
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

__all__ = ["CELLS", "FORMULAS", "NAMES", "hurt_csv", "hurt_json", "mutated"]

FORMULAS = ("=1+1", "=cmd|'/c calc'!A0", "+44", "-2+3", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")')
CELLS = (
    *FORMULAS,
    *("", " ", "\u00a0", "NULL", "None", "nan", "NaN", "-inf", "1e999", "1e-999", "-0", "0x10", "1_000", "٣", "²", "①"),
    *("9" * 20, "9" * 400, "9" * 5000, "-1", "0", "99999999999999999999", "0.1", "1,5", "1.0", "true", "FALSE"),
    *("31/02/2023", "29/02/2023", "00/00/0000", "31/12/9999", "01/01/0001", "2023-03-31", "45000", "1/4/22"),
    *("20222\uff13", "202223", "202122", "999900", "000000", "202299", "2022-23", "²02223"),
    *("\u202etxt.exe", "a\u200bb", "\u2066x\u2069", "\x1b[31mred\x1b[0m", "\x07", "\x00", "\x85", "\u2028", "\ufeff"),
    *(
        "<script>alert(1)</script>",
        "&lt;",
        "]]>",
        "'; DROP TABLE child; --",
        "{{7*7}}",
        "%s%n",
        "${x}",
        "\\",
        '"',
        '""',
    ),
    *("../../etc/passwd", "C:\\nul", "e\u0301", "\U0001f600", "\ufffe", "\U0010ffff", "a" * 40_000, "a\nb", "a\r\nb"),
)
NAMES = (
    *("../out", "..", ".", "/etc/passwd", "a/b", "con", "x\ny", "\u202ex", "\x1b[31m", "é" * 100, "a" * 300, " ", "*"),
    *(
        "year=2023/world=0001/../../..",
        "year=2023/world=0001",
        "metadata/../../x.csv",
        "authority=../",
        "\x00",
        "~",
        "-",
    ),
)
_INSERTED = (
    *(
        b'"',
        b",",
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b";",
        b"\t",
        b"=cmd()",
        b"-1",
        b"31/02/2023",
    ),
    *(b"99999999999999999999", b"null", b"[]", b"{}", b"[", b"{", b"1e999", b"NaN", b"\xf0\x9f\x98\x80", b"'", b"\x1a"),
    *(b"LOCAL_AUTHORITY_CODE", b"YEAR_CODE", b'""', b"\x1b[2J", b"\xe2\x80\xae", b"\\ud800", b"\xc3", b"\x85", b"true"),
)
_NUMBERS = (0, -1, 1, 0.5, 1e308, -1e308, 5e-324, 10**20, -(10**20), 10**400, 2**31, 2**63, 2**64, True, False)
_DEEP = 100_000


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return bytes with one to twenty changes: bits, bytes, insertions, repeats, cuts, lines moved."""
    found = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(len(found) + 1)
        what = rng.randrange(8)
        if what == 0 and at < len(found):
            found[at] = rng.randrange(256)
        elif what == 1:
            found[at:at] = rng.choice(_INSERTED) * rng.choice((1, 1, 3, 100))
        elif what == 2:
            del found[at : at + rng.choice((1, 4, 50, 500))]
        elif what == 3 and found:
            begin = rng.randrange(len(found))
            found[at:at] = found[begin : begin + rng.choice((1, 10, 100, 1000))]
        elif what == 4 and rng.random() < 0.3:
            del found[at:]
        elif what == 5 and at < len(found):
            found[at] ^= 1 << rng.randrange(8)
        elif what == 6:
            lines = bytes(found).split(b"\n")
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
            found = bytearray(b"\n".join(lines))
        elif what == 7:
            # A number in its place, whatever the format.
            found[at : at + rng.choice((1, 2, 4, 8))] = rng.choice((b"\0", b"\xff", b"\x7f")) * rng.choice((1, 2, 4, 8))
    return bytes(found)


def hurt_csv(content: bytes, rng: random.Random) -> bytes:
    """Return a CSV whose shape is (mostly) right and whose cells, headings, encoding or line ends are not."""
    rows = [line.split(",") for line in content.decode().splitlines()]
    for _ in range(rng.choice((1, 1, 3, 10))):
        line = rows[rng.randrange(len(rows))] if rng.random() < 0.9 else rows[0]
        at = rng.randrange(len(line)) if line else 0
        what = rng.randrange(10)
        if what < 6 and line:
            line[at] = quoted(rng.choice(CELLS), rng)
        elif what == 6 and line:
            for row in rows[1:]:
                row[at : at + 1] = [quoted(rng.choice(CELLS), rng)]
        elif what == 7:
            line.extend([rng.choice(CELLS[:24])] * rng.choice((1, 2, 1000, 20_000)))
        elif what == 8 and line:
            rows[0][min(at, len(rows[0]) - 1)] = rows[0][rng.randrange(len(rows[0]))]
        elif what == 9:
            rows.insert(rng.randrange(len(rows) + 1), list(rng.choice(rows)))
    text = rng.choice(("\n", "\n", "\n", "\r\n", "\r")).join(",".join(row) for row in rows)
    if rng.random() < 0.1:
        text = text.replace(",", rng.choice((";", "\t", "|", ":")))
    code = rng.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "cp037"))
    return text.encode(code, "replace" if code[:3] != "utf" else "surrogatepass")


def quoted(cell: str, rng: random.Random) -> str:
    """Return a cell as a CSV writes it, now and then not."""
    if any(sign in cell for sign in ',"\r\n') and rng.random() < 0.9:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def hurt_json(content: bytes, rng: random.Random) -> bytes:
    """Return a JSON document with some of its values, keys or shape replaced by what hurts."""
    found = json.loads(content)
    for _ in range(rng.choice((1, 1, 1, 3))):
        holder: Any = found
        # Down to a random depth: where most values stand, most are changed.
        while isinstance(holder, dict | list) and holder:
            key = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
            if isinstance(holder[key], dict | list) and holder[key] and rng.random() < 0.85:
                holder = holder[key]
                continue
            _replace(holder, key, rng)
            break
    text = json.dumps(found, ensure_ascii=rng.random() < 0.5)
    text = text.replace('"@deep"', "[" * _DEEP + "]" * _DEEP).replace('"@objects"', '{"a":' * _DEEP + "1" + "}" * _DEEP)
    text = text.replace('"@digits"', "9" * 5000).replace('"@inf"', "1e999").replace('"@twice"', '{"a":1,"a":2}')
    return text.encode(rng.choice(("utf-8", "utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16")), "surrogatepass")


def _replace(holder: Any, key: Any, rng: random.Random) -> None:  # noqa: ANN401
    """Put something else in one place of a document."""
    what = rng.randrange(8)
    whole = ("@deep", "@objects", "@digits", "@inf", "@twice", float("nan"), float("inf"), None, [], {}, "", [[]])
    if what == 0:
        holder[key] = rng.choice(whole)
    elif what == 1:
        holder[key] = rng.choice(_NUMBERS)
    elif what == 2:
        holder[key] = rng.choice((*CELLS, *NAMES, "\ud800"))
    elif what == 3 and isinstance(holder, dict):
        holder[rng.choice((*CELLS, *NAMES, "\ud800"))] = holder.pop(key)
    elif what == 4 and isinstance(holder, dict):
        del holder[key]
    elif what == 5:
        holder[key] = [holder[key]] * rng.choice((1, 2, 5 if isinstance(holder[key], dict | list) else 1000))
    elif what == 6:
        holder[key] = {"a": holder[key]}
    elif isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
        holder[key] *= rng.choice((-1, 0, 10, 10**6, 10**12, 0.5))
    else:
        holder[key] = str(holder[key])[: rng.randrange(10)]
