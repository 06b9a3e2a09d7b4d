"""Kinds of hurtful input: each makes a file or folder from good ones, and gives it to what reads it."""

# ruff: noqa: PLR2004  shares and numbers of ways to hurt: they mean nothing else
from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from functools import cache
from typing import TYPE_CHECKING

import robust_memory
from robust_bytes import CELLS, NAMES, hurt_csv, hurt_json, mutated
from robust_places import PLACES

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    import polars as pl

__all__ = ["KINDS", "make_good", "two_sheets"]

FORMS = ("synthetic_crcs", "synthetic_cla_child", "synthetic_cla_episode", "synthetic_cla_adoption")
TABLES = ("returns", "items", "codes", "limits", "allowed", "statements", "notes")
CHILDREN = 12
SHORT = tuple(cell for cell in CELLS if len(cell) < 1000)


def make_good(good: Path) -> None:
    """Write the good files everything begins with: a dozen children in three formats, a dataset, a profile, overlay."""
    from importlib.resources import files  # noqa: PLC0415

    import polars as pl  # noqa: PLC0415

    from synth.formats import parse_formats  # noqa: PLC0415
    from synth.formats.converting import convert  # noqa: PLC0415
    from synth.geography.authorities import parse_authorities  # noqa: PLC0415
    from synth.main_job import generate_panel  # noqa: PLC0415
    from synth.profile import load_profile  # noqa: PLC0415
    from synth.published import profiles_dir  # noqa: PLC0415
    from synth.scale import Job, Plan, make_dataset, store_at  # noqa: PLC0415

    profile = load_profile(None)
    chosen = parse_authorities("Merthyr Tydfil")
    generate_panel(
        profile, chosen, [2023], seed=1, mode="exact", out=good / "made", command="", collection="",
        tick=lambda _: None, world=0,
    )  # fmt: skip
    made, year = good / "made" / "2023", good / "year"
    year.mkdir()
    child = pl.read_csv(made / "synthetic_cla_child.csv", infer_schema=False)
    some = child["LOCAL_CHILD_IDENTIFIER"].head(CHILDREN) if "LOCAL_CHILD_IDENTIFIER" in child.columns else None
    for path in sorted(made.glob("synthetic_*.csv")):
        frame = pl.read_csv(path, infer_schema=False)
        column = next(
            (name for name in frame.columns if some is not None and frame[name].is_in(some.implode()).any()), None
        )
        kept = frame.filter(pl.col(column).is_in(some.implode())) if column and some is not None else frame
        kept.head(3 * CHILDREN).write_csv(year / path.name)
    (year / "synthetic_postcodes.csv").unlink(missing_ok=True)
    convert([year], parse_formats(("parquet,xlsx",)), good / "other")
    make_dataset(
        Job(Plan(codes=(chosen[0].code,), years=(2023,), worlds=2, seed=4), profile, store_at(str(good / "worlds")))
    )
    tables = good / "guidance"
    tables.mkdir()
    for name in TABLES:
        (tables / f"{name}.csv").write_bytes(files("synth.guidance").joinpath(f"{name}.csv").read_bytes())
    shutil.copy(profiles_dir() / "wales.json", good / "profile.json")
    names = {name: {"value": item.value} for name, item in profile.parameters.items() if item.by_year is None}
    levels = [{"kind": "looked_after", "authority": chosen[0].code, "year": 2023, "value": 50}]
    over = {"format_version": 1, "overlay": True, "parameters": names, "levels": levels}
    (good / "overlay.json").write_text(json.dumps(over, indent=1), "utf-8")
    (good / "small.json").write_text(json.dumps(over | {"parameters": dict(list(names.items())[:3])}), "utf-8")


@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()


def _pick(good: Path, rng: random.Random, pattern: str) -> Path:
    return rng.choice(_found(good, pattern))


@cache
def _found(good: Path, pattern: str) -> tuple[Path, ...]:
    return tuple(sorted(good.glob(pattern)))


def _read(path: Path, rng: random.Random) -> None:
    """Read a file as `synth validate` or anything else does; a rule that crashes is told."""
    from synth.reading import read_any  # noqa: PLC0415
    from synth.validate import formats, validate  # noqa: PLC0415
    from synth.validate.report import Report  # noqa: PLC0415

    robust_memory.begin()
    if rng.random() < 0.7:
        read_any([path])
        return
    report = validate([path])
    crashed = [outcome for outcome in report.outcomes if outcome.status == "crashed"]
    if crashed:
        raise AssertionError(f"rule {crashed[0].rule} crashed: {crashed[0].why}")
    for kind in (Report.to_text, formats.to_csv, formats.to_html, formats.to_junit):
        printed = kind(report)
        printed.encode()
        if "<script>alert" in printed and printed.startswith("<"):
            raise AssertionError("a cell is markup in a page")


def _bytes_of(pattern: str, change: Callable[[bytes, random.Random], bytes]) -> Callable[..., None]:
    def run(good: Path, place: Path, rng: random.Random) -> None:
        source = _pick(good, rng, pattern)
        path = place / source.name
        path.write_bytes(change(_content(source), rng))
        _read(path, rng)

    return run


def _members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(members: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


_ENTITIES = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]>"
)


def hurt_book(content: bytes, rng: random.Random) -> bytes:
    """Return a workbook whose archive is whole (mostly) and whose XML is turned about, a bomb, or far too wide."""
    members = _members(content)
    name = rng.choice([name for name in members if name.endswith((".xml", ".rels"))])
    sheet = rng.choice([name for name in members if "worksheets/sheet" in name])
    what = rng.randrange(12)
    if what < 3:
        members[name] = mutated(members[name], rng)
    elif what == 3:
        head, _, rest = members[name].partition(b"?>")
        members[name] = head + b"?>" + _ENTITIES + rest
    elif what == 4:
        reach = rng.choice(
            (b'r="XFD1048576"', b'r="A99999999999"', b'r="ZZZZ1"', b'r="A0"', b'r="A-1"', b'r=""', b'r="\xc3\xa91"')
        )
        members[sheet] = members[sheet].replace(rng.choice((b'r="A2"', b'r="B3"', b'r="A1"')), reach)
    elif what == 5:
        members[sheet] = members[sheet].replace(b"<dimension ref=", b'<dimension ref="A1:XFD1048576" x=')
    elif what == 6:
        cell = rng.choice(SHORT).encode("utf-8", "surrogatepass").replace(b"&", b"&amp;").replace(b"<", b"&lt;")
        strings = "xl/sharedStrings.xml"
        members[strings] = members[strings].replace(b"<t>", b"<t>" + cell, rng.choice((1, 5, 1000)))
    elif what == 7:
        book = "xl/workbook.xml"
        evil = rng.choice(NAMES).replace("&", "&amp;").replace("<", "&lt;").encode()
        before, _, after = members[book].partition(b'name="')
        members[book] = before + b'name="' + evil + after[after.find(b'"') :]
    elif what == 8:
        members[sheet] += b" " * rng.choice((1_000_000, 20_000_000))
    elif what == 9:
        members[rng.choice(NAMES).replace("\x00", "") or "x"] = members.pop(name)
    elif what == 10:
        number = rng.choice((b"1e999", b"NaN", b"-1", b"2958466", b"1e308", b"9" * 400, b"", b"45000.5", b"-0"))
        members[sheet] = members[sheet].replace(b"<v>", b"<v>" + number + b"</v><v>", rng.choice((1, 100)))
        members[sheet] = members[sheet].replace(
            b't="s"', rng.choice((b't="n"', b't="d"', b't="e"', b't="b"', b't="zz"')), 5
        )
    else:
        members[sheet] = members[sheet].replace(
            b"<sheetData>", b"<sheetData>" + b"<row><c><v>1</v></c></row>" * 100_000
        )
    return _zipped(
        members, rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_LZMA))
    )


def _odd_column(name: str, n: int, rng: random.Random) -> pl.Series:
    """Return a column of a type or with values that no return has."""
    import polars as pl  # noqa: PLC0415

    return rng.choice(
        (
            lambda: pl.Series(name, [rng.choice(SHORT) for _ in range(n)]),
            lambda: pl.Series(name, [float("nan"), float("inf"), 1e308, -1e308, 2.0**63][: n or 1] * n).head(n),
            lambda: pl.Series(name, [[1, 2]] * n),
            lambda: pl.Series(name, [{"a": 1}] * n),
            lambda: pl.Series(name, [b"\xff\xfe\x00"] * n),
            lambda: pl.Series(name, [None] * n, dtype=pl.Null),
            lambda: pl.Series(name, [2**31 - 1] * n, dtype=pl.Int32).cast(pl.Date),
            lambda: pl.Series(name, [-(2**31)] * n, dtype=pl.Int32).cast(pl.Date),
            lambda: pl.Series(name, [rng.choice((-(2**63), 2**63 - 1, 0))] * n, dtype=pl.Int64).cast(
                pl.Datetime(rng.choice(("ns", "us", "ms")))
            ),
            lambda: pl.Series(name, [2**64 - 1] * n, dtype=pl.UInt64),
            lambda: pl.Series(name, [2**63 - 1] * n, dtype=pl.Int64).cast(pl.Duration),
            lambda: pl.Series(name, [1] * n, dtype=pl.Int64).cast(pl.Time),
            lambda: pl.Series(name, ["a"] * n, dtype=pl.Categorical),
            lambda: pl.Series(name, ["1.5"] * n).cast(pl.Decimal(30, 5)),
            lambda: pl.Series(name, [bool(rng.randrange(2))] * n),
        )
    )()


def hurt_parquet(content: bytes, rng: random.Random) -> bytes:
    """Return a Parquet file that is whole and holds columns of odd types, odd values or very many columns."""
    import polars as pl  # noqa: PLC0415

    frame = pl.read_parquet(io.BytesIO(content))
    n = frame.height
    for _ in range(rng.choice((1, 1, 3))):
        frame = frame.with_columns(_odd_column(rng.choice(frame.columns), n, rng))
    if rng.random() < 0.1:
        frame = frame.rename({rng.choice(frame.columns): rng.choice([c for c in CELLS if c not in frame.columns])})
    if rng.random() < 0.02:
        frame = frame.with_columns(pl.lit(1).alias(f"x{n}") for n in range(3000))
    if rng.random() < 0.05:
        frame = pl.concat([frame] * 1000) if n else frame
    out = io.BytesIO()
    frame.write_parquet(out, compression=rng.choice(("zstd", "snappy", "uncompressed", "lz4")))
    return out.getvalue()


def two_sheets(content: bytes) -> bytes:
    """Return a workbook of the same members, packed anew."""
    return _zipped(_members(content))


def _profile(change: Callable[[bytes, random.Random], bytes], name: str) -> Callable[..., None]:
    def run(good: Path, place: Path, rng: random.Random) -> None:
        from synth.profile import load_profile  # noqa: PLC0415
        from synth.profile.model import digest  # noqa: PLC0415
        from synth.profile.text import profile_json, profile_text  # noqa: PLC0415

        path = place / name
        path.write_bytes(change(_content(good / name), rng))
        loaded = load_profile(path)
        digest(loaded)
        if rng.random() < 0.3:
            profile_text(loaded, 2023)
            profile_json(loaded, 2023)

    return run


def _guidance(change: Callable[[bytes, random.Random], bytes]) -> Callable[..., None]:
    def run(good: Path, place: Path, rng: random.Random) -> None:
        from synth.guidance import load_from  # noqa: PLC0415
        from synth.guidance.listing import listing, listing_text  # noqa: PLC0415

        for name in TABLES:
            (place / f"{name}.csv").symlink_to(good / "guidance" / f"{name}.csv")
        path = place / f"{rng.choice(TABLES)}.csv"
        path.unlink()
        path.write_bytes(change(_content(good / "guidance" / path.name), rng))
        found = load_from(place, rng.choice(("cla", "crcs")), rng.choice((2017, 2023, 2025)))
        listing(found)
        listing_text(found)

    return run


def _csv_quoted(content: bytes, rng: random.Random) -> bytes:
    """Return a CSV with quoted cells in which some cells are others'."""
    import csv  # noqa: PLC0415

    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    for _ in range(rng.choice((1, 1, 3, 10))):
        line = rng.choice(rows)
        if not line:
            continue
        at = rng.randrange(len(line))
        line[at] = rng.choice((*CELLS, *(row[at] for row in rng.choices(rows, k=60) if at < len(row))))
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


def _manifest(change: Callable[[bytes, random.Random], bytes], *, inside: bool) -> Callable[..., None]:
    def run(good: Path, place: Path, rng: random.Random) -> None:
        import hashlib  # noqa: PLC0415

        from synth.files import check_place  # noqa: PLC0415
        from synth.reading.dataset import open_dataset  # noqa: PLC0415
        from synth.reading.whole import check_whole  # noqa: PLC0415
        from synth.scale.store import Folder  # noqa: PLC0415

        root = place / "worlds"
        shutil.copytree(good / "worlds", root, copy_function=os.link)
        part = "year=2023/world=0001"
        path = root / part / "manifest.json" if inside else root / "manifest.json"
        hurt = change(_content(good / "worlds" / path.relative_to(root)), rng)
        path.unlink()
        path.write_bytes(hurt)
        if inside and rng.random() < 0.8:
            # A manifest above that agrees with it: all else must be seen by what stands in it.
            above = json.loads(_content(good / "worlds" / "manifest.json"))
            above["partitions"][part]["manifest_sha256"] = hashlib.sha256(hurt).hexdigest()
            (root / "manifest.json").unlink()
            (root / "manifest.json").write_text(json.dumps(above), "utf-8")
        if rng.random() < 0.1:
            _links(root, rng)
        Folder(root).finished(part)
        check_place(root.parent, root / part)
        check_whole(open_dataset(root))

    return run


def _links(root: Path, rng: random.Random) -> None:
    """Put links that lead out, or round and round, into a dataset."""
    target = rng.choice(("/etc", "/dev/zero", "..", ".", "nowhere", "/proc/self/fd"))
    name = rng.choice(("year=2023/world=0003", "year=2024", "metadata/x", "x", "year=2023/world=0001/x"))
    with_parent = root / name
    with_parent.parent.mkdir(parents=True, exist_ok=True)
    if not with_parent.is_symlink():
        with_parent.symlink_to(target)


def _folder(good: Path, place: Path, rng: random.Random) -> None:
    """Read a folder with links that lead out of it, odd names and files of other kinds."""
    from synth.reading import read_any  # noqa: PLC0415
    from synth.validate import validate, years_of  # noqa: PLC0415

    root = place / "2023"
    root.mkdir()
    for path in _found(good, "year/*.csv"):
        (root / path.name).write_bytes(_content(path))
    for _ in range(rng.choice((1, 3))):
        name = rng.choice(
            [n for n in NAMES if "/" not in n and "\x00" not in n and len(n.encode()) < 250]
        ) + rng.choice(("", ".csv", ".xlsx", ".parquet", ".txt"))
        path = root / name
        if path.exists() or path.is_symlink():
            continue
        what = rng.randrange(6)
        if what == 0:
            out = ("/etc/passwd", "/dev/zero", "/dev/stdin", "..", ".", name, good / "year")
            path.symlink_to(rng.choice(out))
        elif what == 1:
            os.mkfifo(path)
        elif what == 2:
            path.mkdir()
        elif what == 3:
            path.write_bytes(mutated(_content(_pick(good, rng, "year/*.csv")), rng))
        elif what == 4:
            path.write_bytes(
                rng.choice((b"", b"\0" * 1000, b"PK\x03\x04", b"PAR1PAR1", b"\x1f\x8b", b"{}", b"\n" * 10**6))
            )
        else:
            path.write_bytes(_content(_pick(good, rng, "other/*/*.*")))
    years_of([place])
    if rng.random() < 0.5:
        read_any([root])
    else:
        validate([root]).to_text()


KINDS: dict[str, Callable[..., None]] = {
    "CSV, bytes": _bytes_of("year/*.csv", mutated),
    "CSV, cells and shape": _bytes_of("year/*.csv", hurt_csv),
    "XLSX, bytes": _bytes_of("other/xlsx/*.xlsx", mutated),
    "XLSX, inside": _bytes_of("other/xlsx/*.xlsx", hurt_book),
    "Parquet, bytes": _bytes_of("other/parquet/*.parquet", mutated),
    "Parquet, columns": _bytes_of("other/parquet/*.parquet", hurt_parquet),
    "folder": _folder,
    "profile, bytes": _profile(mutated, "profile.json"),
    "profile, values": _profile(hurt_json, "profile.json"),
    "overlay, bytes": _profile(mutated, "overlay.json"),
    "overlay, values": _profile(hurt_json, "overlay.json"),
    "guidance, bytes": _guidance(mutated),
    "guidance, cells": _guidance(_csv_quoted),
    "manifest, bytes": _manifest(mutated, inside=False),
    "manifest, values": _manifest(hurt_json, inside=False),
    "manifest inside, values": _manifest(hurt_json, inside=True),
    **PLACES,
}
