"""How far a long job is, told on standard error; nothing when quiet."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Partitions", "Progress", "Steps"]


class _Bar:
    """A bar on standard error; nothing when quiet or not on a terminal."""

    _tick: Callable[..., None]
    """What the block is given to tell how far the job is."""

    def __init__(self, quiet: bool, columns: Callable[[Any], tuple[Any, ...]], **how: Any) -> None:  # noqa: ANN401
        """Take what gives the columns from the module that has them, and how the bar is to behave."""
        self.bar: Any = None
        if not quiet and sys.stderr.isatty():
            from rich import progress as rich_progress  # noqa: PLC0415
            from rich.console import Console  # noqa: PLC0415

            self.bar = rich_progress.Progress(
                *columns(rich_progress), console=Console(stderr=True), transient=True, **how
            )
            self.task = self.bar.add_task("")

    def update(self, **what: Any) -> None:  # noqa: ANN401  as the bar takes it
        if self.bar:
            self.bar.update(self.task, **what)

    def __enter__(self) -> Callable[..., None]:
        if self.bar:
            self.bar.start()
        return self._tick

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()


class Progress(_Bar):
    """A progress bar on standard error while years are simulated; nothing when quiet or not on a terminal."""

    def __init__(self, quiet: bool, years: int) -> None:
        # Drawn at each tick: a thread that draws would keep the job from splitting its process.
        super().__init__(
            quiet, lambda of: (of.TextColumn("{task.description}"), of.BarColumn(), of.TimeElapsedColumn()),
            auto_refresh=False,
        )  # fmt: skip
        self.update(description="Simulating", total=years + 1)

    def _tick(self, year: int) -> None:
        self.update(advance=1, refresh=True, description=f"Simulating lives to 31 March {year}")


class Steps:
    """Steps of a long job on standard error, with the seconds since it began; nothing when quiet."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet

    def __enter__(self) -> Callable[[str], None]:
        import time  # noqa: PLC0415

        self.start = time.monotonic()
        return self._tick

    def _tick(self, step: str) -> None:
        import time  # noqa: PLC0415

        if not self.quiet:
            click.echo(f"{time.monotonic() - self.start:6.1f} s  {step}", err=True)

    def __exit__(self, *_: object) -> None:
        """Nothing to put away."""


class Partitions(_Bar):
    """A progress bar on standard error for the parts of a dataset; nothing when quiet or not on a terminal."""

    def __init__(self, quiet: bool = False, parts: str = "Years of worlds") -> None:
        super().__init__(
            quiet,
            lambda of: (
                of.TextColumn(parts), of.BarColumn(), of.MofNCompleteColumn(), of.TimeElapsedColumn(),
                of.TimeRemainingColumn(),
            ),
        )  # fmt: skip

    def _tick(self, done: int, of: int) -> None:
        self.update(completed=done, total=of)
