"""Mutants of modules by the operators of cosmic-ray, and which rules each of them could change.

A mutant is one small change of one module: another comparison, another sign, a number one more or one less, a flag
turned round, a decorator taken away. Those in annotations and in what a finding merely shows are not made. The rest is
judged where the answer of a rule reaches it: the check itself, the functions it calls and the names of modules these
use. What only breakers use is not, nor functions inside a function that break (they are given a random generator).
"""

from __future__ import annotations

import ast
import copy
import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast

import synth

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(synth.__file__).parent.parent
RULES = "synth.rules"
ARGUED = ("VariableInserter", "VariableReplacer")
"""Operators that take arguments, and change at random: left out."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
GENERATORS = {"rng", "_rng"}
ASIDE = {("item_part", "sets"), ("from_items", "_some_value"), ("from_items", "known"), ("from_limits", "_neighbours")}
"""Functions reached from what makes the rules that serve breakers alone: what a rule may entail, what to break."""
MAKERS = {("from_items", "item_rules"), ("from_limits", "limit_rules"), ("rulebook", "rules_for")}
"""Functions from which every rule of their kind comes."""
BREAKS = {"sets", "change", "_shorter"}
"""Functions that make breakers: what they are given is no part of an answer."""
EVERY = "every rule"

Key = tuple[str, str, str, str, int]
"""What names a mutant whatever its line: module, function, the text before and after, and which of them."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module: where it stands, what the line was and is, and the whole new source."""

    module: str
    function: str
    """Top-level function or name, and a function inside it where the change is there."""
    operator: str
    before: str
    after: str
    which: int
    """Among the changes of one function with the same text before and after, in the order of the file."""
    source: str
    rules: frozenset[str]
    """Ids of the rules whose answer reaches the place; none for what is not judged."""

    @property
    def key(self) -> Key:
        """What names a mutant whatever its line."""
        return self.module, self.function, self.before, self.after, self.which


def kept(path: Path) -> dict[Key, str]:
    """Return the reason for each survivor that has one in a table."""
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            (row["module"], row["function"], row["before"], row["after"], int(row["which"])): row["reason"]
            for row in csv.DictReader(stream)
        }


def path_of(module: str) -> Path:
    """Return the file of a module of the package."""
    return ROOT / (module.replace(".", "/") + ".py")


def rule_modules() -> list[str]:
    """Return the modules of rules, by name."""
    return [f"{RULES}.{path.stem}" for path in sorted((ROOT / "synth" / "rules").glob("*.py")) if path.stem[0] != "_"]


def mutants(module: str) -> Iterator[Mutant]:
    """Yield every mutant of a module that is neither in an annotation nor in what is only shown."""
    source = path_of(module).read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    outline = _Outline(module, ast.parse(source))
    seen: dict[tuple[str, str, str], int] = {}
    found = []
    tree = get_ast(source)
    for name, operator in _operators():
        for node in ast_nodes(tree):
            for index, (begin, end) in enumerate(operator.mutation_positions(node)):
                if outline.left_out(begin, end):
                    continue
                first = starts[node.get_start_pos_of_prefix()[0] - 1] + node.get_start_pos_of_prefix()[1]
                last = starts[node.end_pos[0] - 1] + node.end_pos[1]
                new = operator.mutate(_copy(node), index)
                text = new.get_code() if new is not None else ""
                changed = source[:first] + text + source[last:]
                before, after = _texts(source, changed, begin[0], lines)
                found.append((begin, name, before, after, changed))
    for begin, name, before, after, changed in sorted(found, key=lambda one: (one[0], one[1])):
        function, rules = outline.at(begin[0])
        key = (function, before, after)
        which = seen[key] = seen.get(key, 0) + 1
        yield Mutant(module, function, name, before, after, which, changed, rules)


@cache
def _operators() -> tuple[tuple[str, Any], ...]:
    names = [name for name in cosmic_ray.plugins.operator_names() if not name.endswith(ARGUED)]
    return tuple((name.removeprefix("core/"), cosmic_ray.plugins.get_operator(name)()) for name in names)


def _copy(node: Any) -> Any:  # noqa: ANN401  a node of parso
    """Copy a node without the tree it stands in."""
    return copy.deepcopy(node, {id(node.parent): node.parent})


def _texts(source: str, changed: str, line: int, lines: list[str]) -> tuple[str, str]:
    """Return the line of a change, and what became of it (the lines, where it became several or none)."""
    old, new = source.splitlines(), changed.splitlines()
    more = len(new) - len(old)
    after = " ".join(part.strip() for part in new[line - 1 : line + more])
    return lines[line - 1].strip(), after


class _Outline:
    """The functions and names of a module: where each stands and which rules reach it."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self.short = module.rpartition(".")[2]
        self.tree = tree
        self.spans = [_span(node) for node in ast.walk(tree) for node in _left_out(node)]
        self.reached = reached() if module.startswith(f"{RULES}.") else {}
        self.whole = module.startswith(f"{RULES}.")

    def left_out(self, begin: tuple[int, int], end: tuple[int, int]) -> bool:
        """Whether a place lies in an annotation or in what a finding shows."""
        return any(a <= begin and end <= b for a, b in self.spans)

    def at(self, line: int) -> tuple[str, frozenset[str]]:
        """Return the function a line is in, and the rules that reach it."""
        top = next((n for n in self.tree.body if _first(n) <= line <= (n.end_lineno or 0)), None)
        names = _names(top) if top is not None else []
        name = names[0] if names else ""
        rules: frozenset[str] = frozenset().union(*(self.reached.get((self.short, n), frozenset()) for n in names))
        if isinstance(top, FUNCTIONS):
            inner = [
                n
                for n in ast.walk(top)
                if isinstance(n, FUNCTIONS) and n is not top and n.lineno <= line <= (n.end_lineno or 0)
            ]
            name = ".".join([name, *(n.name for n in inner)])
            breaks = any(GENERATORS & {arg.arg for arg in n.args.args} for n in [top, *inner])
            if breaks or any((self.short, n.name) in ASIDE for n in [top, *inner]):
                rules = frozenset()
        return name, rules


def _first(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def _left_out(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a node that give no answer: annotations and `shows=`."""
    parts: list[ast.AST | None] = []
    if isinstance(node, FUNCTIONS):
        parts.append(node.returns)
    elif isinstance(node, (ast.arg, ast.AnnAssign)):
        parts.append(node.annotation)
    elif isinstance(node, ast.keyword) and node.arg == "shows":
        parts.append(node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        # What a part is spoilt by and where, and breakers made on the way.
        parts += node.args[5:7] if node.func.id == "Part" else []
        parts += node.args if node.func.id in BREAKS else []
    elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        parts.append(node)
    return [part for part in parts if part is not None]


def _span(node: Any) -> tuple[tuple[int, int], tuple[int, int]]:  # noqa: ANN401
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def _names(node: ast.stmt) -> list[str]:
    """Return the names a statement of a module gives."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]


@cache
def reached() -> dict[tuple[str, str], frozenset[str]]:
    """Return for each name of the modules of rules (module, name) the rules whose answer it has a part in."""
    uses: dict[tuple[str, str], set[tuple[str, str]]] = {}
    roots: dict[tuple[str, str], set[str]] = {}
    for module in rule_modules():
        short = module.rpartition(".")[2]
        tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
        brought = {
            alias.asname or alias.name: (node.module.rpartition(".")[2], alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{RULES}.")
            for alias in node.names
        }
        own = {name for node in tree.body for name in _names(node)} - {"_"}
        constants = {
            name: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for name in _names(node)
        }
        for node in tree.body:
            for name in _names(node):
                if name == "_" or (short, name) in ASIDE:
                    continue
                uses[short, name] = {
                    (short, used) if used in own else brought[used]
                    for used in _used(node)
                    if used in own or used in brought
                }
            if (id_ := _rule_of(node, constants)) is not None:
                roots.setdefault((short, _names(node)[0]), set()).add(id_)
    for maker in MAKERS:
        roots[maker] = {EVERY}
    found: dict[tuple[str, str], set[str]] = {}
    for root, ids in roots.items():
        waiting, seen = [root], set()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            found.setdefault(name, set()).update(ids)
            waiting += uses.get(name, ())
    return {name: frozenset(ids) for name, ids in found.items()}


def _used(node: ast.stmt) -> set[str]:
    """Return the names a statement reads, leaving out annotations, what is shown, and functions that break."""
    left: set[int] = set()
    for part in ast.walk(node):
        inner = isinstance(part, FUNCTIONS) and part is not node and GENERATORS & {arg.arg for arg in part.args.args}
        for out in [*_left_out(part), *([part] if inner else [])]:
            left |= {id(one) for one in ast.walk(out)}
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and id(one) not in left}


def _rule_of(node: ast.stmt, constants: dict[str, Any]) -> str | None:
    """Return the id of the rule a function checks, from its decorator."""
    for decorator in getattr(node, "decorator_list", []):
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "rule":
            first = decorator.args[0]
            return str(first.value) if isinstance(first, ast.Constant) else str(constants[first.id])  # type: ignore[attr-defined]
    return None
