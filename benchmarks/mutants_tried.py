"""Trying mutants: modules of rules imported anew with a change and asked about the tables of the edges, or by tests."""

from __future__ import annotations

import importlib
import resource
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.util import spec_from_loader
from typing import TYPE_CHECKING, Any

from mutants_made import EVERY, ROOT, RULES, path_of, rule_modules

from synth.guidance import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from multiprocessing.connection import Connection
    from types import ModuleType

NO_BOOK = (f"{RULES}.common", f"{RULES}.pupil_number")
"""Modules on which it does not depend what rules there are."""
ROOM = 8_000_000_000
"""Bytes of address space of a process that tries, so that no mutant takes the machine with it."""


class Changed(MetaPathFinder, Loader):
    """Gives one module another source than its file holds; the file stays as it is."""

    def __init__(self, module: str = "", source: str = "") -> None:
        self.module, self.source = module, source

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
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
    modules = Modules()
    changed = Changed()
    sys.meta_path.insert(0, changed)
    while True:
        try:
            changed.module, changed.source, rules = pipe.recv()
        except EOFError:
            return
        try:
            noticed = _noticed(modules, known, changed.module, rules)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001  a mutant that cannot be imported, or makes a library panic, is noticed
            noticed = True
        pipe.send(noticed)


class Modules:
    """The modules of rules as they are, and anew where a change reaches them."""

    def __init__(self) -> None:
        self.book = importlib.import_module(f"{RULES}.rulebook")
        self.register = importlib.import_module(f"{RULES}.registry")._register  # noqa: SLF001
        self.plain = {name: module for name, module in sys.modules.items() if name.startswith(f"{RULES}.")}
        self.logics = dict(self.register)
        self.by_hand = {id_ for id_, _ in self.logics}
        self.users = _users()

    def anew(self, module: str, *, book: bool) -> None:
        """Import a module again, with those that use it; the rule book too where every rule may change."""
        old = {module, *self.users.get(module, ())} | ({f"{RULES}.rulebook"} if book else set())
        if f"{RULES}.registry" in old:
            old = set(self.plain)
        sys.modules.update(self.plain)
        for name in old:
            del sys.modules[name]
        self.register.clear()
        self.register.update({key: logic for key, logic in self.logics.items() if logic.check.__module__ not in old})
        for name in sorted(old, key=f"{RULES}.rulebook".__eq__):
            importlib.import_module(name)


def _users() -> dict[str, set[str]]:
    """Return for each module of rules those that use it, by way of others too; the rule book aside, which uses all."""
    used = {
        module: {
            line.split()[1] for line in path_of(module).read_text().splitlines() if line.startswith(f"from {RULES}.")
        }
        for module in rule_modules()
    }
    used.pop(f"{RULES}.rulebook")
    found: dict[str, set[str]] = {}
    for module, brought in used.items():
        waiting, seen = set(brought), set()
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                found.setdefault(name, set()).add(module)
                waiting |= used.get(name, set())
    return found


def _noticed(modules: Modules, known: Sequence[tuple[Any, ...]], module: str, rules: frozenset[str]) -> bool:
    every = EVERY in rules
    modules.anew(module, book=every)
    book = sys.modules[f"{RULES}.rulebook"]
    register = sys.modules[f"{RULES}.registry"].registered()
    by_hand = {(logic.id, logic.form): logic for logic in register}
    by_year: dict[Any, dict[tuple[str, str], Any]] = {}
    edges = importlib.import_module("edges")
    if (every or module in NO_BOOK) and edges.pieces():
        return True
    listed = edges.LISTED if every and module not in NO_BOOK else ()
    if any(edges.unlike(return_, year, *book.rules_for(load(return_, year))) for return_, year in listed):
        return True
    for edge, tables, wrong in known:
        if edge.rule not in rules and not (every and edge.rule not in modules.by_hand):
            continue
        for part in (tables, tables.last):
            if part is not None:
                # Views are kept by the function that makes them: those of the mutants before are of no more use.
                part._kept.clear()  # noqa: SLF001
        g = tables.guidance("crcs" if edge.rule.startswith("CRCS") else "cla")
        if every and g not in by_year:
            by_year[g] = {(rule.id, rule.form): rule for rule in book.rules_for(g)[0]}
        if edges.fault(edge, tables, wrong, by_year[g] if every else by_hand):
            return True
    return False


def tests() -> None:
    """Run the tests named on the command line with the module that standard input gives: name, line feed, source."""
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    module, _, source = sys.stdin.read().partition("\n")
    sys.meta_path.insert(0, Changed(module, source))
    import pytest  # noqa: PLC0415  after the change
    from hypothesis import Phase, settings  # noqa: PLC0415

    # A first example that fails is enough: it need not be made simple. Profiles of tests build on this one.
    settings.register_profile("first", phases=(Phase.explicit, Phase.generate))
    settings.load_profile("first")
    sys.exit(pytest.main(["-x", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-o", "addopts=", *sys.argv[1:]]))
