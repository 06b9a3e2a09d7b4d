"""The command that has a shell complete the others: completion."""

from __future__ import annotations

import click

from synth.cli.group import main

__all__ = ["completion"]

_NAME, _VARIABLE = "synth", "_SYNTH_COMPLETE"
"""The program as a shell knows it, and the variable by which click is asked for completions of it."""
_INSTALL = {
    "bash": (
        'For this shell alone: eval "$(synth completion bash)"',
        "For every one:        synth completion bash > ~/.local/share/bash-completion/completions/synth",
    ),
    "zsh": (
        'For this shell alone: eval "$(synth completion zsh)"',
        "For every one:        synth completion zsh > ~/.zfunc/_synth, and fpath+=~/.zfunc in ~/.zshrc before compinit",
    ),
    "fish": (
        "For this shell alone: synth completion fish | source",
        "For every one:        synth completion fish > ~/.config/fish/completions/synth.fish",
    ),
}


@main.command()
@click.argument("shell", type=click.Choice(list(_INSTALL)))
def completion(shell: str) -> None:
    """Print a script that has a shell complete commands, options and their values; its first lines say where it goes.

    Authorities are completed by English or Welsh names and by codes, years, forms, rules, profiles and folders too.
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    completer = get_completion_class(shell)
    assert completer is not None, "click knows every shell that may be named"
    head, lines = "", completer(main, {}, _NAME, _VARIABLE).source()
    if lines.startswith("#compdef"):
        # By its first line zsh knows what the file is for.
        head, _, lines = lines.partition("\n")
        head += "\n"
    click.echo(head + "".join(f"# {line}\n" for line in _INSTALL[shell]) + lines, nl=False)
