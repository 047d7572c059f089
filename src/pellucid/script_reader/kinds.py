"""Which objects are modules of PyTorch, what they hold, and what behaves otherwise in evaluation."""

from __future__ import annotations

from collections.abc import Iterator

from pellucid.script_reader.values import Class, Const, External, Items, Obj, Table, Value

__all__ = [
    "ASSUMED",
    "LOSSES",
    "bases",
    "gives_back",
    "is_lightning",
    "is_module",
    "noise",
    "parts_of",
    "spreads",
    "tensor_device",
]

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
    """Whether a value is one of PyTorch's modules or of the script's own."""
    if not isinstance(value, Obj):
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


def spreads(path: str) -> bool:
    """Whether a function gives its module back, on several devices or on each at once."""
    return path.rpartition(".")[2] in _SPREAD


def gives_back(path: str) -> bool:
    """Whether a function gives back the module that it is given."""
    return path in _KEPT_AS_IT_IS or spreads(path)


def _is_module_base(path: str) -> bool:
    return path in _MODULE_BASES or path.startswith("torch.nn.") or path.endswith("LightningModule")


def is_lightning(value: Value | None) -> bool:
    """Whether a framework runs this module's loop."""
    return isinstance(value, Obj) and value.cls is not None and any("Lightning" in p for p in bases(value.cls))


def bases(cls: Class, depth: int = 0) -> Iterator[str]:
    """The full names of what a class is derived from."""
    for base in cls.bases:
        if isinstance(base, External):
            yield base.path
        elif isinstance(base, Class) and depth < 20:
            yield from bases(base, depth + 1)


def parts_of(module: Value, seen: set[int] | None = None) -> Iterator[Obj]:
    """The module and all modules in it."""
    seen = set() if seen is None else seen
    if id(module) in seen or len(seen) > _MAX_PARTS:
        return
    seen.add(id(module))
    if isinstance(module, Obj):
        if is_module(module):
            yield module
        inside = [*module.attrs.values(), *module.args, *module.kwargs.values()] if is_module(module) else []
        for value in inside:
            yield from parts_of(value, seen)
    elif isinstance(module, Items):
        for value in module.items:
            yield from parts_of(value, seen)
    elif isinstance(module, Table):
        for value in module.entries.values():
            yield from parts_of(value, seen)


def noise(module: Value) -> str | None:
    """The first layer that does something else in training than in evaluation, or None."""
    for part in parts_of(module):
        library, _, name = part.kind.rpartition(".")
        if part.cls is None and library.startswith("torchvision.models") and name.lower().startswith(_TORCHVISION):
            return name
        if part.cls is None and library.startswith("torch.nn") and name.startswith(_NOISE):
            p = part.args[0] if part.args else part.kwargs.get("p")
            if not ("Dropout" in name and isinstance(p, Const) and p.value == 0):
                return name
    return None


def tensor_device(value: Value | None) -> str | None:
    """``cpu`` or ``accelerator`` for what is given as a device, None where it is not known."""
    if isinstance(value, Obj) and value.kind in ("torch.device", "builtins.device"):
        value = value.args[0] if value.args else None
    if isinstance(value, Const) and isinstance(value.value, int) and not isinstance(value.value, bool):
        return "accelerator"
    if isinstance(value, Const) and isinstance(value.value, str):
        if value.value in ("cpu", "accelerator"):
            return value.value
        return "accelerator" if value.value.partition(":")[0] in ("cuda", "mps", "xpu") else None
    return None
