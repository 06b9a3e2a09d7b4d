"""Run one command of the command line as a process of its own: `synth`, or `python -m synth`."""

import atexit
import gc

__all__ = ["run"]

_OBJECTS = 100_000
"""So many objects may be made before unreachable cycles are searched for; Python's own 700 are made all the time."""


def run() -> None:
    """Run the command the arguments name, and end the process with its exit code.

    Hardly anything here is made in cycles, but each search for them walks what all modules hold, and one more as the
    process ends, when all memory goes anyway, would take as long as writing and reading all files of a year.
    """
    gc.set_threshold(_OBJECTS)
    atexit.register(gc.freeze)
    # Imports make most of the objects of a short command.
    from synth.cli import main  # noqa: PLC0415

    main()


if __name__ == "__main__":
    run()
