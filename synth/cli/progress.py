"""How far a long job is, told on standard error; nothing when quiet."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Partitions", "Progress", "Steps"]


class Progress:
    """A progress bar on standard error while years are simulated; nothing when quiet or not on a terminal."""

    def __init__(self, quiet: bool, years: int) -> None:
        self.bar: Any = None
        if not quiet and sys.stderr.isatty():
            from rich import progress as rich_progress  # noqa: PLC0415
            from rich.console import Console  # noqa: PLC0415

            self.bar = rich_progress.Progress(
                rich_progress.TextColumn("{task.description}"), rich_progress.BarColumn(),
                rich_progress.TimeElapsedColumn(),
                # Drawn at each tick: a thread that draws would keep the job from splitting its process.
                console=Console(stderr=True), transient=True, auto_refresh=False,
            )  # fmt: skip
            self.task = self.bar.add_task("Simulating", total=years + 1)

    def __enter__(self) -> Callable[[int], None]:
        if self.bar:
            self.bar.start()
        return self._tick

    def _tick(self, year: int) -> None:
        if self.bar:
            self.bar.update(self.task, advance=1, refresh=True, description=f"Simulating lives to 31 March {year}")

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()


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


class Partitions:
    """A progress bar on standard error for the parts of a dataset; nothing when quiet or not on a terminal."""

    def __init__(self, quiet: bool = False, parts: str = "Years of worlds") -> None:
        self.bar: Any = None
        if not quiet and sys.stderr.isatty():
            from rich import progress as rich_progress  # noqa: PLC0415
            from rich.console import Console  # noqa: PLC0415

            self.bar = rich_progress.Progress(
                rich_progress.TextColumn(parts), rich_progress.BarColumn(),
                rich_progress.MofNCompleteColumn(), rich_progress.TimeElapsedColumn(),
                rich_progress.TimeRemainingColumn(),
                console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self.task = self.bar.add_task("")

    def __enter__(self) -> Callable[[int, int], None]:
        if self.bar:
            self.bar.start()
        return self._tick

    def _tick(self, done: int, of: int) -> None:
        if self.bar:
            self.bar.update(self.task, completed=done, total=of)

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()
