"""Who takes part: a short name, where it is, and what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ENTRIES", "MIXED", "OURS", "PLAIN", "PRODUCTS", "Entry", "entry"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A contestant.

    Parameters
    ----------
    name
        What commands and results call it.
    label
        What the tables call it.
    make
        ``module:name`` of what is called with a job and its arrays.
    needs
        The packages without which it is "not installed".
    environment
        Variables that its process starts with.
    """

    name: str
    label: str
    make: str
    needs: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


PLAIN = "plain"
OURS = ("fused", "torch", "kernel", "kernel_runs")

ENTRIES = (
    Entry(name="fused", label="**Pellucid, fused**", make="peers.pellucid_engine:fused", needs=("torch",)),
    Entry(name="kernel", label="**Pellucid, kernel**", make="peers.pellucid_kernel:Steps", needs=("numba",)),
    Entry(
        name="kernel_runs",
        label="**Pellucid, kernel, whole runs**",
        make="peers.pellucid_kernel:Runs",
        needs=("numba",),
    ),
    Entry(name="torch", label="**Pellucid, autograd**", make="peers.pellucid_engine:torch_engine", needs=("torch",)),
    Entry(name=PLAIN, label="PyTorch, plain loop", make="peers.plain:Plain", needs=("torch",)),
    Entry(name="loader", label="PyTorch, DataLoader", make="peers.loader:Loader", needs=("torch",)),
    Entry(
        name="image_loader",
        label="PyTorch, DataLoader of pictures",
        make="peers.image_loader:ImageLoader",
        needs=("torch", "PIL"),
    ),
    Entry(name="sklearn", label="scikit-learn", make="peers.sklearn_mlp:Sklearn", needs=("sklearn",)),
    Entry(name="skorch", label="skorch", make="peers.skorch_net:Skorch", needs=("skorch",)),
    Entry(
        name="keras_torch",
        label="Keras on torch",
        make="peers.keras_model:Keras",
        needs=("keras",),
        environment={"KERAS_BACKEND": "torch"},
    ),
    Entry(
        name="keras_jax",
        label="Keras on JAX",
        make="peers.keras_model:Keras",
        needs=("keras", "jax"),
        environment={"KERAS_BACKEND": "jax"},
    ),
    Entry(name="lightning", label="Lightning", make="peers.lightning_loop:Lightning", needs=("lightning",)),
    Entry(name="jax", label="JAX, compiled loop", make="peers.jax_scan:Jax", needs=("jax",)),
)
PRODUCTS = Entry(name="products", label="the matrix products alone", make="peers.products:Products", needs=("torch",))
MIXED = (
    Entry(name="mixed_pellucid", label="**Pellucid**", make="peers.mixed_pellucid:MixedPellucid"),
    Entry(
        name="mixed_pandas",
        label="pandas → ColumnTransformer → torch",
        make="peers.mixed_pandas:MixedPandas",
        needs=("pandas", "sklearn", "torch"),
    ),
)


def entry(name: str) -> Entry:
    """The contestant of this name.

    >>> entry("plain").label
    'PyTorch, plain loop'
    """
    found = {each.name: each for each in (*ENTRIES, PRODUCTS, *MIXED)}
    if name not in found:
        raise KeyError(f"there is no contestant {name!r}; there are {', '.join(found)}")
    return found[name]
