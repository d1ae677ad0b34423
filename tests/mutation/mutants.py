"""Every small change to a source file that some test should notice.

One change at a time: comparisons, operators, constants, conditions, calls, what is returned or
assigned, within functions and in the tables of a module. Left alone are docstrings, annotations,
sentences for people, single values of a module: figures of policy and names from standards, which a
test could only repeat, and what members of a plain `Enum` are, which nobody sees.
"""

import ast
import copy
from collections.abc import Iterator
from typing import NamedTuple

_COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_COMPUTED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult, ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_ANNOTATIONS = ("annotation", "returns", "type_params")
_SENTENCES = ("ClientError", "LineError", "ValueError")


class Mutant(NamedTuple):
    """A file with one change.

    Attributes:
        line: Where.
        change: What, for people.
        tree: The whole module.
    """

    line: int
    change: str
    tree: ast.Module


def mutants_of(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module, in the order of its lines."""
    places = list(_places(ast.parse(source)))
    for path, _ in sorted(places, key=lambda place: getattr(place[1], "lineno", 0)):
        count = len(_changes(_at(ast.parse(source), path)))
        for number in range(count):
            tree = ast.parse(source)
            node = _at(tree, path)
            before = ast.unparse(node)
            after = _changes(node)[number]
            _put(tree, path, after)
            ast.fix_missing_locations(tree)
            text = "nothing" if isinstance(after, ast.Pass) else ast.unparse(after)
            yield Mutant(node.lineno, f"{_short(before)} -> {_short(text)}", tree)


_Path = tuple[tuple[str, int | None], ...]


def _places(node: ast.AST, path: _Path = ()) -> Iterator[tuple[_Path, ast.AST]]:
    """Yield where something may be changed."""
    for name, value in ast.iter_fields(node):
        if name in _ANNOTATIONS:
            continue
        children = value if isinstance(value, list) else [value]
        for index, child in enumerate(children):
            if not isinstance(child, ast.AST) or _is_prose(node, name, index, child):
                continue
            here = (*path, (name, index if isinstance(value, list) else None))
            if isinstance(child, ast.expr | ast.stmt) and _changes(child):
                yield here, child
            yield from _places(child, here)


def _is_prose(parent: ast.AST, name: str, index: int, child: ast.AST) -> bool:
    if isinstance(child, ast.Import | ast.ImportFrom | ast.JoinedStr):
        return True
    if isinstance(parent, ast.Module) and isinstance(child, ast.Assign | ast.AnnAssign):
        return not isinstance(child.value, ast.Dict | ast.Call | ast.Tuple | ast.List | ast.Set)
    if isinstance(parent, ast.Call) and _is_logged(parent):
        return name == "args"
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True
    if isinstance(parent, ast.ClassDef) and name in ("bases", "keywords", "decorator_list"):
        return True
    if isinstance(parent, ast.ClassDef) and isinstance(child, ast.Assign) and _is_enum(parent):
        return True
    if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and name == "decorator_list":
        return True
    callee = parent.func if isinstance(parent, ast.Call) else None
    return (
        isinstance(callee, ast.Name)
        and callee.id in _SENTENCES
        and name == "args"
        and (index > 0 or callee.id != "ClientError")
    )


def _is_enum(defined: ast.ClassDef) -> bool:
    """Return whether members are told apart by being themselves; those of `StrEnum` are texts."""
    return any(ast.unparse(base) == "enum.Enum" for base in defined.bases)


def _is_logged(call: ast.Call) -> bool:
    callee = call.func
    return isinstance(callee, ast.Attribute) and ast.unparse(callee.value) == "logger"


def _changes(node: ast.AST) -> list[ast.AST]:
    """Return what may stand in place of a node."""
    match node:
        case ast.Compare(ops=[first, *_]) if type(first) in _COMPARED:
            other = copy.deepcopy(node)
            other.ops[0] = _COMPARED[type(first)]()
            return [other]
        case ast.BoolOp(op=op):
            other = copy.deepcopy(node)
            other.op = ast.And() if isinstance(op, ast.Or) else ast.Or()
            return [other]
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            return [copy.deepcopy(node.operand)]
        case ast.BinOp(op=op) if type(op) in _COMPUTED:
            other = copy.deepcopy(node)
            other.op = _COMPUTED[type(op)]()
            return [other]
        case ast.Constant(value=bool(value)):
            return [ast.copy_location(ast.Constant(not value), node)]
        case ast.Constant(value=int() | float() as value):
            return [ast.copy_location(ast.Constant(value + 1), node)]
        case ast.Constant(value=str(value)):
            return [ast.copy_location(ast.Constant(f"XX{value}"), node)]
        case ast.Constant(value=bytes(value)):
            return [ast.copy_location(ast.Constant(b"XX" + value), node)]
        case ast.Return(value=value) if value is not None and not _is_none(value):
            return [ast.copy_location(ast.Return(ast.Constant(None)), node)]
        case ast.Raise() | ast.Expr() | ast.AugAssign():
            return [ast.copy_location(ast.Pass(), node)]
        case ast.Assign(value=value) if not _is_none(value):
            other = copy.deepcopy(node)
            other.value = ast.Constant(None)
            return [other]
        case ast.Break():
            return [ast.copy_location(ast.Continue(), node)]
        case ast.Continue():
            return [ast.copy_location(ast.Break(), node)]
    return []


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _at(tree: ast.AST, path: _Path) -> ast.AST:
    for name, index in path:
        value = getattr(tree, name)
        tree = value if index is None else value[index]
    return tree


def _put(tree: ast.AST, path: _Path, node: ast.AST) -> None:
    *way, (name, index) = path
    parent = _at(tree, tuple(way))
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def _short(text: str) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= 70 else line[:67] + "..."
