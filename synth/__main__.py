"""Run one command of the command line as a process of its own: `synth`, or `python -m synth`."""

import io
import os
import sys

from synth.collector import rest

__all__ = ["run"]

ROOM = 1_600
"""MB of address space with which all of Wales is made and checked (its peak is some 1,470, on two cores)."""
NO_MEMORY = (
    b"synth: memory ran out; nothing was replaced. Free some, or ask for fewer authorities, years or --workers.\n"
)


def run() -> None:
    """Run the command the arguments name, and end the process with its exit code."""
    _check_room()
    rest()
    for stream in (sys.stdout, sys.stderr):
        # What a file is called may have no letters here: it is shown by its numbers, as in messages.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        # Imports make most of the objects of a short command.
        from synth.cli import main  # noqa: PLC0415

        main()
    except KeyboardInterrupt:
        # While the commands themselves were loaded; later the command tells it.
        os.write(2, b"synth: interrupted.\n")
        os._exit(130)
    except MemoryError:
        # Where even loading fails, or telling of it: nothing is left to tell it with.
        os.write(2, NO_MEMORY)
        os._exit(70)


def _check_room() -> None:
    """Refuse to begin under a limit on memory: with less than they need, libraries may hang rather than fail."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < ROOM * 1_000_000:
        sys.stderr.write(
            f"synth: memory is limited to {limit // 1_000_000:,} MB of address space here (ulimit -v);"
            f" {ROOM:,} MB are needed. Raise the limit and run it again; nothing was done.\n"
        )
        sys.exit(2)


if __name__ == "__main__":
    run()
