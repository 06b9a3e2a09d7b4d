"""Values of parameters: a number, a list, or a table of numbers nested to any depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Value", "leaves", "mismatch", "mix"]

Value: TypeAlias = "float | list[Value] | dict[str, Value]"


def leaves(value: object, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every number of a nested value with its place, written " at a.b[2]"."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{where}.{key}" if where else f" at {key}")
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from leaves(inner, f"{where or ' at '}[{n}]")
    else:
        yield where, value


def mismatch(a: object, b: object, where: str = "") -> str | None:
    """Return where two nested values differ in shape, or None if they do not."""
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            odd = ", ".join(sorted(map(str, a.keys() ^ b.keys())))
            return f"{where}: only one of them has {odd}"
        pairs = [(a[key], b[key], f"{where}.{key}" if where else f" at {key}") for key in a]
    elif isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return f"{where}: {len(a)} and {len(b)} entries"
        pairs = [(x, y, f"{where or ' at '}[{n}]") for n, (x, y) in enumerate(zip(a, b, strict=True))]
    else:
        same = not isinstance(a, dict | list) and not isinstance(b, dict | list)
        return None if same else f"{where}: a number in one, a list or table in the other"
    return next((m for x, y, here in pairs if (m := mismatch(x, y, here)) is not None), None)


def mix(a: Any, b: Any, weight: float) -> Value:  # noqa: ANN401  the caller has checked the shapes
    """Return `a` moved towards `b` (same shape) by a weight from 0 to 1, number by number."""
    if isinstance(a, dict):
        return {key: mix(a[key], b[key], weight) for key in a}
    if isinstance(a, list):
        return [mix(x, y, weight) for x, y in zip(a, b, strict=True)]
    return float(a + (b - a) * weight)
