"""The bytes of every year: what is recorded in tests/golden/bytes.json holds for any version, on any machine.

Recorded is the SHA-256 of each form: of every year there is guidance for, as care and support was collected and as the
other collection would have had it, of a year in sampled mode, and of all Wales in a few years. Of a Parquet file it is
that of its names, types and values, since its bytes are others with each release of polars.
`benchmarks/surroundings.py` holds whole folders against each other, made in surroundings that tests cannot have.
"""

import hashlib
import io
import json
import os
from pathlib import Path

import polars as pl
import pytest

from synth.files import FILES, csv_bytes
from synth.formats.columnar import parquet_of
from synth.geography.authorities import parse_authorities
from synth.guidance import ALL_YEAR, CENSUS_DATE, load, years
from synth.simulate import drawn_with, simulate_years

GOLDEN = Path(__file__).parent / "golden" / "bytes.json"
AREAS = "Merthyr Tydfil,Powys"
ALL_WALES = (2017, 2022, 2023, 2024)
AGAIN = (
    "if the files were meant to change, say why in the commit: SYNTH_REFRESH_GOLDEN=1 pytest tests/test_golden_bytes.py"
)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def digests(made):
    return {name: digest(csv_bytes(made.forms[form])) for form, name in FILES.items()}


def parquet_digests(made):
    """Hash what Parquet files hold: names, types and values of their columns."""
    encode, found = parquet_of(made), {}
    for form, name in FILES.items():
        frame = pl.read_parquet(io.BytesIO(encode(made.forms[form])))
        held = {"types": [str(kind) for kind in frame.dtypes], "columns": frame.to_dict(as_series=False)}
        found[name] = digest(json.dumps(held, default=str).encode())
    return found


@pytest.fixture(scope="module")
def found(profile, world):
    """Return, by what was made, the digests by file."""
    areas, drawn, all_years = parse_authorities(AREAS), drawn_with(profile, max(years()), "exact", 1, 0), years()
    found = {}
    for collection in ("", ALL_YEAR, CENSUS_DATE):
        for made in simulate_years(drawn, areas, all_years, 1, collection=collection):
            told = digests(made)
            key = f"{AREAS} {made.year}"
            if not collection:
                found[key] = told
            elif told[FILES["crcs"]] != found[key][FILES["crcs"]]:
                found[f"{key} {collection}"] = {FILES["crcs"]: told[FILES["crcs"]]}
            if made.year == 2023 and not collection:
                found[f"{key} parquet"] = parquet_digests(made)
    drawn = drawn_with(profile, 2023, "sampled", 1, 0)
    (made,) = simulate_years(drawn, areas, (2023,), 1)
    return found | {f"{AREAS} 2023 sampled": digests(made)} | {f"Wales {y}": digests(world(y).made) for y in ALL_WALES}


def test_files_hold_the_recorded_bytes(found):
    if os.environ.get("SYNTH_REFRESH_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    recorded = json.loads(GOLDEN.read_text(encoding="utf-8"))
    other = [
        f"{made}: {name}"
        for made in sorted(recorded.keys() | found.keys())
        for name in FILES.values()
        if recorded.get(made, {}).get(name) != found.get(made, {}).get(name)
    ]
    assert not other, "\n".join(["other bytes than recorded:", *other, AGAIN])


def test_every_year_and_both_collections_are_recorded(found):
    for year in years():
        assert set(found[f"{AREAS} {year}"]) == set(FILES.values())
        other = CENSUS_DATE if load("crcs", year).mode == ALL_YEAR else ALL_YEAR
        assert f"{AREAS} {year} {other}" in found, year
