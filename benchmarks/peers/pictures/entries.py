"""Everybody who takes part."""

from __future__ import annotations

from peers.entries import Entry

__all__ = ["ANSWERING", "CONVOLUTIONS", "LEARNING", "PLAIN", "ROUNDED"]

PLAIN = "plain_pictures"

LEARNING = (
    Entry(name="fused_pictures", label="**Pellucid, fused**", make="peers.pictures.ours:Fused", needs=("torch",)),
    Entry(name="torch_pictures", label="**Pellucid, autograd**", make="peers.pictures.ours:Torch", needs=("torch",)),
    Entry(name=PLAIN, label="PyTorch, plain loop, in memory", make="peers.pictures.plain:Plain", needs=("torch",)),
    Entry(
        name="last_pictures",
        label="PyTorch, plain loop, channels-last",
        make="peers.pictures.plain:ChannelsLast",
        needs=("torch",),
    ),
    Entry(
        name="compiled_pictures",
        label="PyTorch, `torch.compile`, channels-last",
        make="peers.pictures.plain:Compiled",
        needs=("torch",),
    ),
    Entry(
        name="loader_pictures",
        label="PyTorch, DataLoader of pictures",
        make="peers.pictures.loader:PictureLoader",
        needs=("torch", "PIL"),
    ),
    Entry(
        name="keras_pictures",
        label="Keras on JAX",
        make="peers.pictures.keras_net:Keras",
        needs=("keras", "jax"),
        environment={"KERAS_BACKEND": "jax"},
    ),
    Entry(name="jax_pictures", label="JAX, compiled loop", make="peers.pictures.jax_net:Jax", needs=("jax",)),
    Entry(
        name="lightning_pictures",
        label="Lightning",
        make="peers.pictures.lightning_net:Lightning",
        needs=("lightning",),
    ),
)
ROUNDED = (
    Entry(name="fused_bf16", label="**Pellucid, fused, bf16**", make="peers.pictures.ours:FusedBf16", needs=("torch",)),
    Entry(
        name="autocast_pictures",
        label="PyTorch, autocast to bf16, channels-last",
        make="peers.pictures.plain:Autocast",
        needs=("torch",),
    ),
)
CONVOLUTIONS = Entry(
    name="convolutions", label="the convolutions alone", make="peers.pictures.convolutions:Convolutions",
    needs=("torch",),
)  # fmt: skip
ANSWERING = (
    LEARNING[0],
    Entry(name="textbook_pictures", label="**Pellucid without PyTorch**", make="peers.pictures.ours:Textbook"),
    *(who for who in LEARNING[2:] if "loader" not in who.name),
)
