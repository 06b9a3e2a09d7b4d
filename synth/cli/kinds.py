"""Kinds of values options take: what shares and names of files are, and that they are given at all."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["PATH", "PLACE", "SHARE"]


class _Path(click.Path):
    """A path; an empty one, as of a shell variable that is not set, would be the current folder."""

    def convert(
        self,
        value: str | PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401  as click declares it
        _check_named(self, value, param, ctx)
        if "://" in str(value):
            self.fail(f"{str(value)!r} is a URL; give a file or folder of this machine.", param, ctx)
        return super().convert(value, param, ctx)


class _Place(click.types.StringParamType):
    """A folder or a URL, as text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        _check_named(self, value, param, ctx)
        return str(super().convert(value, param, ctx))


class _Share(click.FloatRange):
    """A share of a whole, 0 to 1; "nan" is no number, and so within every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        share = super().convert(value, param, ctx)
        if math.isnan(share):
            self.fail(f"{value!r} is no number; give one from 0 to 1.", param, ctx)
        return share


def _check_named(
    kind: click.ParamType[Any], value: object, param: click.Parameter | None, ctx: click.Context | None
) -> None:
    """Refuse an empty name."""
    if value == "":
        kind.fail("it is empty; give the name of a file or folder, or . for this folder.", param, ctx)


PATH = _Path(path_type=Path)
PLACE = _Place()
SHARE = _Share(0, 1)
