"""Trying mutants: modules of rules imported anew with a change, and asked about the tables of the edges, or by tests."""

from __future__ import annotations

import importlib
import resource
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from typing import TYPE_CHECKING, Any

from mutants_made import EVERY, ROOT, RULES, path_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection
    from types import ModuleType

ROOM = 8_000_000_000
"""Bytes of address space of a process that tries, so that no mutant takes the machine with it."""


class Changed(MetaPathFinder, Loader):
    """Gives one module another source than its file holds; the file stays as it is."""

    def __init__(self, module: str = "", source: str = "") -> None:
        self.module, self.source = module, source

    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self, origin=str(path_of(fullname))) if fullname == self.module else None

    def create_module(self, _spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.source, str(path_of(self.module)), "exec"), module.__dict__)  # noqa: S102  our own source


def trying(pipe: Connection) -> None:
    """Try the mutants that come through a pipe (module, source, rules) and say of each whether it is noticed."""
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    sys.path.insert(0, str(ROOT / "tests"))
    known = importlib.import_module("edges").known()
    changed = Changed()
    sys.meta_path.insert(0, changed)
    while True:
        try:
            changed.module, changed.source, rules = pipe.recv()
        except EOFError:
            return
        try:
            noticed = _noticed(known, rules)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001  a mutant that cannot be imported, or makes a library panic, is noticed
            noticed = True
        pipe.send(noticed)


def _noticed(known: Sequence[tuple[Any, ...]], rules: frozenset[str]) -> bool:
    for name in [name for name in sys.modules if name == RULES or name.startswith(f"{RULES}.")]:
        del sys.modules[name]
    book = importlib.import_module(f"{RULES}.rulebook")
    fault = importlib.import_module("edges").fault
    by_year: dict[Any, dict[tuple[str, str], Any]] = {}
    for edge, tables, wrong in known:
        if EVERY not in rules and edge.rule not in rules:
            continue
        for part in (tables, tables.last):
            if part is not None:
                # Views are kept by the function that makes them: those of the mutants before are of no more use.
                part._kept.clear()  # noqa: SLF001
        g = tables.guidance("crcs" if edge.rule.startswith("CRCS") else "cla")
        if g not in by_year:
            by_year[g] = {(rule.id, rule.form): rule for rule in book.rules_for(g)[0]}
        if fault(edge, tables, wrong, by_year[g]):
            return True
    return False


def tests() -> None:
    """Run the tests named on the command line with the module that standard input gives: name, line feed, source."""
    module, _, source = sys.stdin.read().partition("\n")
    sys.meta_path.insert(0, Changed(module, source))
    import pytest  # noqa: PLC0415  after the change

    sys.exit(pytest.main(["-x", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-o", "addopts=", *sys.argv[1:]]))
