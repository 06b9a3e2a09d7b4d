"""The group all commands belong to, its errors, and the options several of them share."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from synth import __version__
from synth.cli import values
from synth.cli.kinds import PATH
from synth.cli.words import LONGEST, legible
from synth.errors import InputError, SynthError

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any] | click.Command")

__all__ = ["COLLECTION", "FORMAT", "LAST_YEAR", "MADE_WITH", "PROFILE", "QUIET", "WORKERS", "YEAR", "formats", "main"]

_NUMBERS = {"POLARS_MAX_THREADS": 1, "SOURCE_DATE_EPOCH": 0}
"""Variables of the surroundings that libraries take for numbers, and fail or panic where they are none; the least."""

YEAR = click.option(
    "--year",
    type=int,
    required=True,
    shell_complete=values.years,
    help="Collection year: that of the 31 March on which it ends.",
)
PROFILE = click.option(
    "--profile",
    type=PATH,
    shell_complete=values.profiles,
    help="Profile or overlay file (JSON); the built-in one without it.",
)
MADE_WITH = click.option(
    "--profile",
    type=PATH,
    shell_complete=values.profiles,
    help="The profile the files were made with, if not the built-in one.",
)
QUIET = click.option("--quiet", is_flag=True, help="Print nothing unless something is wrong.")
WORKERS = click.option(
    "--workers", type=click.IntRange(min=1), help="Of a dataset: processes at work.  [all cores, if many worlds]"
)
LAST_YEAR = click.option(
    "--last-year",
    multiple=True,
    type=PATH,
    metavar="PATH",
    help="Folder or file of the year before, for rules that compare; may be repeated.",
)


COLLECTION = click.option(
    "--collection",
    type=click.Choice(["census-date", "all-year"]),
    # As the guidance writes it; nothing for that of the year.
    callback=lambda _context, _option, chosen: (chosen or "").replace("-", "_"),
    help="How care and support is collected: as it was in the year without it.",
)


def formats(*names: str, told: str = "") -> Callable[[_Command], _Command]:
    """Return the option that says how to print: the first of some formats unless another is named."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help=f"How to print it{told}.",
    )


FORMAT = formats("text", "json")


class _Commands(click.Group):
    """Turns the package's own errors into one message on standard error and exit code 2, unforeseen ones into 70."""

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  as click declares it
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            # What is printed before any command, such as --help.
            from synth.cli.unexpected import UNEXPECTED, of_a_path, said  # noqa: PLC0415

            click.echo(of_a_path(error) or legible(said(error, verbose=False)), err=True)
            sys.exit(2 if of_a_path(error) else UNEXPECTED)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  as click declares it
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            # Click declares it final; what is shown is made from it.
            vars(error)["message"] = legible(error.message, LONGEST)
            raise
        except SynthError as error:
            click.echo(f"synth: {legible(str(error), LONGEST)}", err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            click.echo("synth: interrupted; what was not finished has been removed.", err=True)
            ctx.exit(130)
        except BrokenPipeError:
            # The reader (head, less) has seen enough.
            sys.stderr.close()
            ctx.exit(0)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BaseException as error:
            # Whatever it is, it ends in one message; a panic of a library in Rust is no Exception.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            from synth.cli.unexpected import UNEXPECTED, of_a_path, said  # noqa: PLC0415

            path = of_a_path(error)
            click.echo(path or legible(said(error, verbose=bool(ctx.params.get("verbose")))), err=True)
            ctx.exit(2 if path else UNEXPECTED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="synth")
@click.option(
    "-v", "--verbose", is_flag=True, help="Tell on standard error what is done, and show the traceback of a crash."
)
@click.pass_context
def main(ctx: click.Context, verbose: bool) -> None:
    """Wholly synthetic records for the Welsh children's social care returns.

    Children Receiving Care and Support (CRCS) and Children Looked After (CLA), simulated from published figures. No
    real record is used anywhere.
    """
    for name, least in _NUMBERS.items():
        given = os.environ.get(name, "1")
        if not given.isascii() or not given.isdigit() or int(given[:9]) < least:
            raise InputError(f"{name} is {given!r}; expected a whole number from {least}. Set it so, or not at all.")
    # Before numpy is loaded: what is solved here is small, and threads for it would take the cores of other processes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if verbose:
        import platform  # noqa: PLC0415

        from synth.log import doing, told  # noqa: PLC0415

        ctx.with_resource(told())
        doing("synth %s, Python %s, %s", __version__, platform.python_version(), platform.platform())
        doing("begin %s", ctx.invoked_subcommand)
        ctx.call_on_close(lambda: doing("end"))
