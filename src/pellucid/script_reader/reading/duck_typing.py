"""Duck typing: a value that is called and has ``parameters()`` is taken as a model.

So the rules on modes, graphs, gradients and steps also work for snippets and for models from files that were not
found.
"""

from __future__ import annotations

from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.values.roles import role_of_name
from pellucid.script_reader.values.torch_objects import ASSUMED, is_module
from pellucid.script_reader.values.value import Const, External, Object, Scope, Unknown, Value

_OF_DATA = ("DataLoader", "Dataset", "TensorDataset", "Subset", "random_split")
_USUAL = {
    "torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional", "optim": "torch.optim",
    "torchvision": "torchvision", "np": "numpy", "pd": "pandas", "plt": "matplotlib.pyplot",
    **{name: f"torch.utils.data.{name}" for name in _OF_DATA},
}  # fmt: skip

__all__ = ["as_used", "undefined"]

_NEVER = ("builtins.", "numpy.", "pandas.", "argparse.", "torch.optim.", "torch.utils.", "torch.device", "parameters")


def as_used(reader: Reader, name: str, value: Value, holder: dict[str, Value]) -> Value:
    """The value as a model where the script uses ``name`` as one; otherwise unchanged.

    Parameters
    ----------
    reader
        Knows the names that the script uses as models.
    name
        How the script names the value.
    value
        What is known of it.
    holder
        The names or attributes among which the assumed model is kept.
    """
    if name not in reader.used_as_models:
        return value
    if isinstance(value, Unknown):
        made = Object(kind=ASSUMED, line=0, taint=value.taint)
        holder[name] = made
        reader.state.devices[made] = (None, 0)
        return made
    if isinstance(value, Object) and not is_module(value) and not value.kind.startswith(_NEVER):
        value.attrs["assumed module"] = Const(value=True)
    return value


def undefined(reader: Reader, name: str, scope: Scope) -> Value:
    """A name that the script never binds: a model or rows by its use, else unknown."""
    usual = _USUAL.get(name) if not reader.stars else None
    if usual is not None:  # code without its imports, as it stands in a question
        reader.script.imports.add(usual)
        reader.unimported.setdefault(name)
        return External(path=usual)
    role = role_of_name(name)
    value = Unknown(name=name, taint=frozenset({role} if role else ()))
    while scope.parent is not None:
        scope = scope.parent
    return as_used(reader, name, value, scope.names)
