"""JSON documents as people may have written them: what is wrong in a file is told by place, found and expected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from synth.documents import check_letters, content_of, not_too_deep, whole_number
from synth.errors import ProfileError
from synth.profile.model import FORMAT_VERSION

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_document", "read_json", "short"]


def read_document(path: Path) -> dict[str, Any]:
    """Read a JSON object of the format version this package reads; ProfileError for any other and as `read_json`."""
    found = read_json(path)
    version = found.get("format_version")
    if version != FORMAT_VERSION or isinstance(version, bool):
        raise ProfileError(
            f"{path}, format_version: found {short(version)}; this version of the package reads "
            f"{FORMAT_VERSION}. "
            + (
                f'Add "format_version": {FORMAT_VERSION} to it.'
                if version is None
                else "Make the profile again with `synth fit`."
            ),
        )
    return found


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; ProfileError tells a missing file from a damaged one."""
    try:
        text = content_of(path).decode()
        found = not_too_deep(json.loads(text, object_pairs_hook=_once, parse_int=whole_number))
        check_letters(text, found)
    except OSError as error:
        raise ProfileError(
            f"{path}: the file cannot be read ({error.strerror}). Check the name; without one the built-in is used.",
        ) from None
    except json.JSONDecodeError as error:
        raise ProfileError(
            f"{path} line {error.lineno}, column {error.colno}: not JSON ({error.msg}). Restore the file or "
            "correct the line.",
        ) from None
    except UnicodeDecodeError as error:
        raise ProfileError(
            f"{path}: byte {error.object[error.start]:#04x} at position {error.start:,} is no UTF-8; expected a JSON "
            "file, as `synth profile show --format json` prints one.",
        ) from None
    except RecursionError:
        raise ProfileError(
            f"{path}: its lists or objects are nested too deep. Restore the file or correct it."
        ) from None
    except ValueError as error:
        raise ProfileError(f"{path}: {error}. Restore the file or correct it.") from None
    if not isinstance(found, dict):
        raise ProfileError(f"{path}: found {short(found)}; expected a JSON object. Restore the file.")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object; expected once")
    return found


def short(found: object) -> str:
    """Return a value as JSON, of at most 60 letters."""
    text = json.dumps(found, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004  enough to recognise it by
