"""Every command with its options, as the program itself prints them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click

from made.markdown import plain
from synth.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["commands"]


def commands() -> str:
    """Return a section for each command, in the order of its help: usage, what it does, arguments and options."""
    return "\n".join(line for section in _sections(main, "synth") for line in section)


def _sections(command: click.Command, name: str, above: click.Context | None = None) -> Iterator[list[str]]:
    context = click.Context(command, parent=above, info_name=name.rpartition(" ")[2], **command.context_settings)
    if isinstance(command, click.Group):
        if above is not None:
            yield [f"## {name}", "", *_prose(command), ""]
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None and not found.hidden:
                yield from _sections(found, f"{name} {below}", context)
        return
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    yield [f"## {name}", "", *_prose(command), "", "```text", usage, "```", "", *_options(command, context), ""]


def _prose(command: click.Command) -> list[str]:
    """Return the help of a command; it is written with backticks, as Markdown is."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(" ".join(p.split()).replace("<", "\\<").replace("[", "\\[") for p in paragraphs).splitlines()


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the options of a command; arguments are in its usage and told of in its help."""
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            names, words = record
            yield from (f"`{names}`", f": {plain(' '.join(words.split()))}", "")
