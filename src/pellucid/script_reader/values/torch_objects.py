"""Which objects are PyTorch modules, what they hold, and what behaves differently in evaluation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pellucid.script_reader.values.value import Class, Const, Dictionary, External, Items, Object, Value

__all__ = [
    "ASSUMED",
    "LOADER",
    "LOSSES",
    "bases",
    "holds_weights",
    "is_lightning",
    "is_module",
    "is_optimizer",
    "is_parallel_wrapper",
    "is_scheduler",
    "is_trained_layer",
    "mode_dependent",
    "modules_in",
    "returns_its_module",
    "tensor_device",
]

LOADER = "torch.utils.data.DataLoader"
ASSUMED = "assumed.Module"  # a model of which only the use is known; its args are what it may be
LOSSES = {
    "CrossEntropyLoss": "cross_entropy", "cross_entropy": "cross_entropy",
    "NLLLoss": "nll", "nll_loss": "nll",
    "BCELoss": "bce", "binary_cross_entropy": "bce",
    "BCEWithLogitsLoss": "bce_with_logits", "binary_cross_entropy_with_logits": "bce_with_logits",
    "MSELoss": "mse", "mse_loss": "mse", "L1Loss": "l1", "l1_loss": "l1",
    "SmoothL1Loss": "smooth_l1", "smooth_l1_loss": "smooth_l1", "HuberLoss": "huber", "huber_loss": "huber",
}  # fmt: skip

_NOISE = ("Dropout", "AlphaDropout", "FeatureAlphaDropout", "BatchNorm", "LazyBatchNorm", "SyncBatchNorm")
_TORCHVISION = (
    "resnet", "resnext", "wide_resnet", "densenet", "mobilenet", "efficientnet", "vgg", "alexnet", "inception",
    "shufflenet", "googlenet", "squeezenet", "mnasnet", "regnet", "convnext",
)  # fmt: skip
_MODULE_BASES = (
    "torch.nn.Module",
    "torch.nn.modules.Module",
    "torch.jit.ScriptModule",
    "torch.nn.modules.module.Module",
)
_SPREAD = {
    "DataParallel", "DistributedDataParallel", "FullyShardedDataParallel", "convert_sync_batchnorm", "prepare_model",
    "prepare_data_loader",
}  # fmt: skip
_KEPT_AS_IT_IS = {
    "torch.compile", "torch.jit.script", "torch.jit.trace", "torch.jit.optimize_for_inference",
    "torch.fx.symbolic_trace", "torch.nn.utils.spectral_norm", "torch.nn.utils.weight_norm",
    "torch.nn.utils.parametrizations.spectral_norm", "torch.nn.utils.parametrizations.weight_norm",
    "torch.nn.utils.parametrizations.orthogonal", "torch.nn.utils.remove_weight_norm",
    "opacus.validators.ModuleValidator.fix",
}  # fmt: skip
_MAX_PARTS = 400


def is_module(value: Value | None) -> bool:
    """Whether a value is a PyTorch module or one of the script's own."""
    if not isinstance(value, Object):
        return False
    if value.kind == ASSUMED or "assumed module" in value.attrs:
        return True
    if value.cls is not None:
        return any(_is_module_base(path) for path in bases(value.cls))
    library, _, name = value.kind.rpartition(".")
    if (
        library.startswith("torch.nn")
        and "functional" not in library
        and "utils" not in library
        and name != "Parameter"
    ):
        return name[:1].isupper()
    return library.startswith("torchvision.models")


def is_parallel_wrapper(path: str) -> bool:
    """Whether a function returns its module, on several devices or on each at once."""
    return path.rpartition(".")[2] in _SPREAD


def returns_its_module(path: str) -> bool:
    """Whether a function returns the module that it gets."""
    return path in _KEPT_AS_IT_IS or is_parallel_wrapper(path)


def _is_module_base(path: str) -> bool:
    return path in _MODULE_BASES or path.startswith("torch.nn.") or path.endswith("LightningModule")


def is_lightning(value: Value | None) -> bool:
    """Whether a framework runs this module's loop."""
    return isinstance(value, Object) and value.cls is not None and any("Lightning" in p for p in bases(value.cls))


def bases(cls: Class, depth: int = 0) -> Iterator[str]:
    """The full names of what a class is derived from."""
    for base in cls.bases:
        if isinstance(base, External):
            yield base.path
        elif isinstance(base, Class) and depth < 20:
            yield from bases(base, depth + 1)


def modules_in(module: Value, seen: set[int] | None = None) -> Iterator[Object]:
    """The module and all modules in it."""
    seen = set() if seen is None else seen
    if id(module) in seen or len(seen) > _MAX_PARTS:
        return
    seen.add(id(module))
    if isinstance(module, Object):
        if is_module(module):
            yield module
        inside = [*module.attrs.values(), *module.args, *module.kwargs.values()] if is_module(module) else []
        for value in inside:
            yield from modules_in(value, seen)
    elif isinstance(module, Items):
        for value in module.items:
            yield from modules_in(value, seen)
    elif isinstance(module, Dictionary):
        for value in module.entries.values():
            yield from modules_in(value, seen)


def mode_dependent(module: Value) -> str | None:
    """The first layer that behaves differently in training and evaluation, or None."""
    for part in modules_in(module):
        library, _, name = part.kind.rpartition(".")
        if part.cls is None and library.startswith("torchvision.models") and name.lower().startswith(_TORCHVISION):
            return name
        if part.cls is None and library.startswith("torch.nn") and name.startswith(_NOISE):
            p = part.args[0] if part.args else part.kwargs.get("p")
            if not ("Dropout" in name and isinstance(p, Const) and p.value == 0):
                return name
    return None


def tensor_device(value: Value | None) -> str | None:
    """``cpu`` or ``accelerator`` for a device argument; None if it is not known."""
    if isinstance(value, Object) and value.kind in ("torch.device", "builtins.device"):
        value = value.args[0] if value.args else None
    if isinstance(value, Const) and isinstance(value.value, int) and not isinstance(value.value, bool):
        return "accelerator"
    if isinstance(value, Const) and isinstance(value.value, str):
        if value.value in ("cpu", "accelerator"):
            return value.value
        return "accelerator" if value.value.partition(":")[0] in ("cuda", "mps", "xpu") else None
    return None


_TRAINED = ("Linear", "Lazy", "Bilinear", "Conv", "LSTM", "GRU", "RNN", "Embedding", "BatchNorm", "LayerNorm",
            "Transformer", "Multihead", "GroupNorm", "InstanceNorm", "PReLU")  # fmt: skip


_WEIGHTS = re.compile(r"\b(Parameter|register_buffer|register_parameter|ParameterList|ParameterDict)\(")


def is_trained_layer(value: Value | None) -> bool:
    """Whether a value is a layer of PyTorch with parameters of its own."""
    if not isinstance(value, Object) or value.cls is not None or not value.kind.startswith("torch.nn."):
        return False
    return value.kind.rpartition(".")[2].startswith(_TRAINED)


def holds_weights(module: Value | None) -> bool:
    """Whether a module may have parameters or buffers: a loss written as a module has none."""
    for part in modules_in(module) if module is not None else ():
        if is_trained_layer(part) or part.kind == ASSUMED or part.kind.startswith("torchvision.models."):
            return True
        if part.cls is not None and _WEIGHTS.search(ast.unparse(part.cls.node)):
            return True
    return False


def is_optimizer(value: Value | None) -> bool:
    """Whether a value is an optimizer of PyTorch or one that the script derives from it."""
    if not isinstance(value, Object):
        return False
    if value.cls is not None:
        return any(path.startswith("torch.optim.Optimizer") for path in bases(value.cls))
    if value.kind.startswith(("torch.optim.lr_scheduler", "torch.optim.swa_utils")):
        return False
    given = any(isinstance(v, Object) and v.kind == "parameters" for v in (*value.args, *value.kwargs.values()))
    a_class = value.kind.rpartition(".")[2][:1].isupper() and not value.kind.startswith("torch.nn.")
    return value.kind.startswith("torch.optim.") or (given and a_class and "sched" not in value.kind.lower())


def is_scheduler(value: Value | None, hint: str) -> bool:
    """Whether a value steps the learning rate."""
    if isinstance(value, Object) and value.kind.startswith("torch.optim.lr_scheduler"):
        return True
    return "sched" in hint.lower() and not is_optimizer(value)
