"""Images on their way through a network: channels, height and width, as far as the layers' settings tell."""

from __future__ import annotations

from pellucid.script_reader.values.value import Arguments, Array, Const, Image, Items, Object, Value

__all__ = [
    "after_layer",
    "after_pool",
    "joined",
    "of_dataset",
    "of_sizes",
    "recurrent_width",
    "row_length",
    "unfit_channels",
]

_FIRST: dict[str, Image] = {
    "MNIST": (1, 28, 28), "FashionMNIST": (1, 28, 28), "KMNIST": (1, 28, 28), "EMNIST": (1, 28, 28),
    "CIFAR10": (3, 32, 32), "CIFAR100": (3, 32, 32), "SVHN": (3, 32, 32), "STL10": (3, 96, 96),
    "ImageFolder": (3, None, None),
}  # fmt: skip
_SAME_SIZE = {
    "ToTensor", "Normalize", "RandomHorizontalFlip", "RandomVerticalFlip", "ColorJitter", "RandomRotation",
    "RandomErasing", "RandomAffine", "ConvertImageDtype", "PILToTensor", "ToPILImage", "AutoAugment", "RandAugment",
    "RandomGrayscale", "ToImage", "ToDtype", "TrivialAugmentWide", "RandomPerspective", "GaussianBlur",
}  # fmt: skip
_CROPS = {"CenterCrop", "RandomCrop", "RandomResizedCrop"}


def _pair(value: Value | None) -> tuple[int, int] | None:
    """A size given as one number or two."""
    if isinstance(value, Const) and type(value.value) is int:
        return value.value, value.value
    if isinstance(value, Items) and len(value.items) == 2:
        two = [v.value for v in value.items if isinstance(v, Const) and type(v.value) is int]
        return (two[0], two[1]) if len(two) == 2 else None
    return None


def of_dataset(dataset: Object) -> Image | None:
    """The images of a torchvision data set after its transforms."""
    if "loader" in dataset.kwargs:
        return None
    image = _FIRST.get(dataset.kind.rpartition(".")[2])
    transform = dataset.kwargs.get("transform")
    return _transformed(image, transform) if image is not None and transform is not None else None


def _transformed(image: Image | None, step: Value) -> Image | None:
    if image is None or not isinstance(step, Object) or not step.kind.startswith("torchvision.transforms"):
        return None
    name = step.kind.rpartition(".")[2]
    if name == "Compose":
        inside = step.args[0] if step.args else None
        for one in inside.items if isinstance(inside, Items) else [Const(value=None)]:
            image = _transformed(image, one)
        return image
    size = step.args[0] if step.args else step.kwargs.get("size")
    if name in _CROPS or (name == "Resize" and isinstance(size, Items)):
        two = _pair(size)
        return (image[0], *two) if two else (image[0], None, None)
    if name == "Resize":
        square = _pair(size) if image[1] is not None and image[1] == image[2] else None
        return (image[0], *square) if square else (image[0], None, None)
    if name == "Grayscale":
        channels = step.args[0] if step.args else step.kwargs.get("num_output_channels") or Const(value=1)
        return (channels.value, *image[1:]) if isinstance(channels, Const) and type(channels.value) is int else None
    return image if name in _SAME_SIZE else None


def of_sizes(sizes: list[Value]) -> Image | None:
    """The image size of an array such as ``torch.randn(8, 3, 32, 32)``."""
    if len(sizes) != 4:
        return None
    channels, height, width = (v.value if isinstance(v, Const) and type(v.value) is int else None for v in sizes[1:])
    return channels, height, width


# ── layers ────────────────────────────────────────────────────────────────────────────────────────────────────


def _setting(layer: Object, place: int, name: str, default: int) -> Value:
    if name in layer.kwargs:
        return layer.kwargs[name]
    return layer.args[place] if len(layer.args) > place else Const(value=default)


def unfit_channels(layer: Object, x: Array) -> int | None:
    """The number of channels a layer gets if it expects another number; None if they match or are not known."""
    name = layer.kind.rpartition(".")[2]
    if name not in ("Conv2d", "ConvTranspose2d", "BatchNorm2d"):
        return None
    taken = _setting(layer, 0, "num_features" if name == "BatchNorm2d" else "in_channels", 0)
    given = x.image[0] if x.image is not None else None
    known = taken.value if isinstance(taken, Const) and type(taken.value) is int else 0
    return given if known and given != known else None


def after_layer(layer: Object, x: Array) -> Image | None:
    """The image after a layer."""
    name = layer.kind.rpartition(".")[2]
    if unfit_channels(layer, x) is not None:
        return None
    if name in ("Conv2d", "ConvTranspose2d"):
        out = _setting(layer, 1, "out_channels", 0)
        channels = out.value if isinstance(out, Const) and type(out.value) is int and out.value else None
        if x.image is None or name == "ConvTranspose2d":
            return channels, None, None
        kernel, stride, padding, dilation = (
            _setting(layer, place, key, default)
            for place, key, default in ((2, "kernel_size", 0), (3, "stride", 1), (4, "padding", 0), (5, "dilation", 1))
        )
        if isinstance(padding, Const) and padding.value == "same":
            return channels, x.image[1], x.image[2]
        return channels, *_slid(x.image, _pair(kernel), _pair(stride), _pair(padding), _pair(dilation))
    if name.startswith(("MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "AdaptiveMaxPool2d", "Upsample")):
        return after_pool(name, x.image, Arguments(layer.args, layer.kwargs, layer.line))
    return x.image if name.startswith(("BatchNorm2d", "GroupNorm", "InstanceNorm2d", "Dropout2d")) else None


def after_pool(name: str, image: Image | None, given: Arguments) -> Image | None:
    """The picture after pooling, of a layer or of a function without its input."""
    if image is None or name == "Upsample":
        return (image[0], None, None) if image is not None else None
    if name.startswith("adaptive") or name.startswith("Adaptive"):
        two = _pair(given.get(0, "output_size"))
        return (image[0], *two) if two else (image[0], None, None)
    kernel = given.get(0, "kernel_size")
    stride = given.get(1, "stride")
    if stride is None or (isinstance(stride, Const) and stride.value is None):
        stride = kernel
    padding = given.get(2, "padding") or Const(value=0)
    if "ceil_mode" in given.kwargs or "dilation" in given.kwargs or len(given.args) > 3:
        return image[0], None, None
    return image[0], *_slid(image, _pair(kernel), _pair(stride), _pair(padding), (1, 1))


def _slid(
    image: Image,
    kernel: tuple[int, int] | None,
    stride: tuple[int, int] | None,
    padding: tuple[int, int] | None,
    dilation: tuple[int, int] | None,
) -> tuple[int | None, int | None]:
    """Height and width after a window has slid over a picture (PyTorch, Conv2d: Shape)."""
    if not (kernel and stride and padding and dilation) or 0 in stride:
        return None, None
    sizes: list[int | None] = []
    for size, k, s, p, d in zip(image[1:], kernel, stride, padding, dilation, strict=True):
        new = None if size is None else (size + 2 * p - d * (k - 1) - 1) // s + 1
        sizes.append(new if new is not None and new > 0 else None)
    return sizes[0], sizes[1]


def row_length(image: Image | None) -> int | None:
    """The number of values of a flattened image."""
    if image is None or None in image:
        return None
    return image[0] * image[1] * image[2]  # type: ignore[operator]


def joined(arrays: list[Array], dim: object) -> Image | None:
    """Images concatenated along their channels."""
    images = [a.image for a in arrays]
    if dim not in (1, -3) or any(i is None for i in images):
        return None
    channels = [i[0] for i in images if i is not None]
    return (None if None in channels else sum(c for c in channels if c is not None)), None, None


def recurrent_width(layer: Object) -> int | None:
    """The number of output columns of a recurrent layer: both directions side by side."""
    size, both = _setting(layer, 1, "hidden_size", 0), _setting(layer, 6, "bidirectional", 0)
    known = isinstance(size, Const) and type(size.value) is int and isinstance(both, Const)
    if not known or "proj_size" in layer.kwargs:
        return None
    return size.value * (2 if both.value else 1) or None  # type: ignore[attr-defined]
