"""A public function with four or more parameters says what each of them is, in a numpydoc section."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pellucid
from pellucid.network.optimizer import OPTIMIZERS

ROOT = Path(pellucid.__file__).parent
MANY = 4


def public_functions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """The public functions of a module and the public methods of its public classes, by name."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node


def parameters_of(function: ast.FunctionDef, *, is_method: bool) -> list[str]:
    """The names of a function's parameters, without ``self`` and ``cls``."""
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return names[1:] if is_method and names[:1] in (["self"], ["cls"]) else names


def has_help(function: ast.FunctionDef) -> bool:
    """Whether the parameters carry their own lines of help, as those of commands and studies do (``Annotated``)."""
    return any("Annotated[" in ast.unparse(each) for each in ast.walk(function.args) if isinstance(each, ast.Subscript))


# The rules of a kind of layer share one signature, which the `Rule` of its engine documents.
OF_A_RULE = frozenset({"forward", "backward", "plan", "pack"})


def is_rule(path: Path, name: str) -> bool:
    """Whether a function has the signature of its table's rules, which is described once: a layer's ``forward`` in
    ``engines/textbook/layers/dense.py`` (see ``rule.py`` there), or an update rule (see ``update`` in the same file).
    """
    parts = path.parts
    if path == Path("engines/textbook/optimizers.py"):
        return name in OPTIMIZERS
    return len(parts) == 4 and parts[0] == "engines" and parts[2] == "layers" and name in OF_A_RULE


def lacking(source: str) -> list[str]:
    """The functions in a module's source that need the section and have none."""
    found = []
    for name, function in public_functions(ast.parse(source).body):
        is_overload = any(ast.unparse(each).endswith("overload") for each in function.decorator_list)
        many = len(parameters_of(function, is_method="." in name)) >= MANY
        if (
            many
            and not is_overload
            and not has_help(function)
            and "Parameters\n" not in (ast.get_docstring(function) or "")
        ):
            found.append(name)
    return found


def test_functions_with_many_parameters_describe_them() -> None:
    found = [
        f"{path.relative_to(ROOT).with_suffix('').as_posix()}: {name}"
        for path in sorted(ROOT.rglob("*.py"))
        for name in lacking(path.read_text(encoding="utf-8"))
        if not is_rule(path.relative_to(ROOT), name)
    ]
    assert found == [], "add the section"


def test_a_function_without_the_section_is_found() -> None:
    with_section = (
        'def f(a, b, c, d):\n    """Add.\n\n    Parameters\n    ----------\n    a, b, c, d\n        Numbers.\n    """\n'
    )
    assert lacking(with_section) == []
    assert lacking(with_section.replace("Parameters", "Notes")) == ["f"]
    assert lacking("def f(a, b, c):\n    pass\n") == []
    assert lacking("def _f(a, b, c, d):\n    pass\n") == []
    method = "class A:\n    def f(self, a, b, c{}):\n        pass\n"
    assert lacking(method.format("")) == []
    assert lacking(method.format(", *, d")) == ["A.f"]


def test_the_rules_of_a_layer_need_no_section_of_their_own() -> None:
    assert is_rule(Path("engines/textbook/layers/dense.py"), "forward")
    assert not is_rule(Path("engines/textbook/layers/dense.py"), "other")
    assert not is_rule(Path("engines/textbook/forward.py"), "forward")
    assert is_rule(Path("engines/textbook/optimizers.py"), "adam")
    assert not is_rule(Path("engines/textbook/optimizers.py"), "update")
