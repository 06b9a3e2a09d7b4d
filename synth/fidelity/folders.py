"""Reading a generated year: its manifest, its forms, and the year before where it lies beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth.documents import content_of, json_of, reason
from synth.errors import InputError
from synth.fidelity.views import Views
from synth.files import FILES, MANIFEST
from synth.geography.authorities import all_authorities
from synth.guidance import RETURNS
from synth.reading import guidance_of, read_any, read_return, year_folders
from synth.reading.dataset import advice, authority_folders, partition_before

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from synth.tables import FormTable

__all__ = [
    "Year",
    "folder_before",
    "follows",
    "generated_years",
    "is_partition",
    "read_manifest",
    "read_year",
    "year_before",
    "year_from",
]

_FORMS = ("child", "episode", "adoption", "care_leaver", "crcs")


@dataclass(frozen=True)
class Year:
    """One generated year: `authorities` are three-digit codes in the order of the manifest."""

    folder: Path
    year: int
    authorities: tuple[str, ...]
    seed: int
    profile: str
    profile_digest: str
    views: Views
    world: int = 1

    @property
    def whole(self) -> bool:
        """Say whether all of Wales was generated."""
        return len(self.authorities) == len(all_authorities())

    @property
    def areas(self) -> frozenset[str]:
        """ONS codes of the authorities."""
        return frozenset(a.ons_code for a in all_authorities() if a.code in self.authorities)


def read_year(folder: Path) -> Year:
    """Read manifest and forms of a folder written by `synth generate`: a year, or a partition of a dataset.

    Raises InputError where the folder has no manifest, one that is damaged, or not all of its forms, and as
    `read_return` does for files that cannot be read.
    """
    manifest = read_manifest(folder)
    if is_partition(folder):
        return year_from(folder, manifest, read_any([folder], year=manifest["year"]).forms)
    parts = [read_return(folder, name, guidance_of(folder, name, manifest["year"])) for name in RETURNS]
    return year_from(folder, manifest, {form: table for part in parts for form, table in part.forms.items()})


def is_partition(folder: Path) -> bool:
    """Say whether a folder holds its files otherwise than the folder of a year: as Parquet, or by authority."""
    return bool(authority_folders(folder)) or any(folder.glob("*.parquet"))


def year_from(folder: Path, manifest: dict[str, Any], forms: Mapping[str, FormTable]) -> Year:
    """Return a generated year whose forms have been read; InputError where not all of them are there."""
    year = manifest["year"]
    missing = [FILES[form] for form in _FORMS if form not in forms]
    if missing:
        raise InputError(
            f"{folder}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; a whole year is needed. "
            f"Write it again with: {manifest['command']}",
        )
    profile = manifest["profile"]
    return Year(
        folder=folder,
        year=year,
        authorities=tuple(manifest["authorities"]),
        seed=manifest["seed"],
        profile=str(profile.get("name", "")),
        profile_digest=str(profile.get("sha256", "")),
        views=Views({form: table.typed for form, table in forms.items()}, year),
        world=manifest.get("world", 1),
    )


def year_before(this: Year) -> Year | None:
    """Return the year before of the same seed, profile and authorities where it lies beside this one, else None."""
    folder = folder_before(this)
    return read_year(folder) if folder else None


def folder_before(this: Year) -> Path | None:
    """Return the folder of the year before where it lies beside this one and holds the same lives, else None."""
    folder = partition_before(this.folder) or this.folder.resolve().parent / str(this.year - 1)
    return folder if (folder / MANIFEST).is_file() and follows(read_manifest(folder), this) else None


def follows(earlier: Mapping[str, Any], this: Year) -> bool:
    """Say whether a year holds the lives of an earlier one, told by the manifest of that, a year on."""
    return (
        earlier["seed"] == this.seed
        and earlier.get("world", 1) == this.world
        and earlier["year"] == this.year - 1
        and set(earlier["authorities"]) >= set(this.authorities)
        and earlier["profile"].get("sha256") == this.profile_digest
    )


def generated_years(folder: Path) -> list[Path]:
    """Return the folders of generated years that stand in a folder, rising."""
    return [year for year in year_folders(folder).values() if (year / MANIFEST).is_file()]


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what a folder says of itself; InputError where it has no manifest or a damaged one."""
    path = folder / MANIFEST
    if told := advice(folder):
        raise InputError(told)
    if not path.is_file():
        what = "is no folder" if not folder.is_dir() else f"has no {MANIFEST}"
        years = generated_years(folder)
        such = f"{years[-1]}, which lies in it" if years else "outputs/2023"
        raise InputError(f"{folder} {what}; expected the folder of a year written by synth generate, such as {such}.")
    try:
        found = json_of(content_of(path).decode())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({reason(error)}). Write the year again.") from None
    expected = {"year": int, "seed": int, "command": str, "authorities": list, "profile": dict}
    for key, kind in expected.items():
        if not isinstance(found, dict) or not isinstance(found.get(key), kind):
            raise InputError(f"{path}: {key} is missing or is no {kind.__name__}. Write the year again.")
    codes = {authority.code for authority in all_authorities()}
    wrong = [code for code in found["authorities"] if not isinstance(code, str) or code not in codes]
    if wrong:
        raise InputError(f"{path}: authority {wrong[0]!r} is not one of {min(codes)} to {max(codes)}.")
    return found  # type: ignore[no-any-return]
