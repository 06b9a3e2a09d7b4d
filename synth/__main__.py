"""Run one command of the command line as a process of its own: `synth`, or `python -m synth`."""

from synth.collector import rest

__all__ = ["run"]


def run() -> None:
    """Run the command the arguments name, and end the process with its exit code."""
    rest()
    # Imports make most of the objects of a short command.
    from synth.cli import main  # noqa: PLC0415

    main()


if __name__ == "__main__":
    run()
