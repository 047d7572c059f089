"""Multi-head self-attention."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import SettingError
from pellucid.network.layers.checks import MAX_WIDTH, check_bool, check_whole
from pellucid.network.layers.layer import Fan, Layer, Parameter, Role, Shape
from pellucid.network.layers.steps import check_steps

__all__ = ["SelfAttention"]


@dataclass(frozen=True, kw_only=True)
class SelfAttention(Layer):
    """Each step takes a weighted mean of all steps, with weights that it computes from their contents.

    Multi-head scaled dot-product attention (Vaswani et al. 2017, section 3.2): ``[B, T, width]`` to the same. Each of
    ``heads`` has ``width / heads`` numbers of its own for queries, keys and values. Where it is ``causal``, no step
    sees a later one. Padded steps are seen by none. Its arrays have the names that they have in
    ``torch.nn.MultiheadAttention``.

    >>> SelfAttention(width=8, heads=2, causal=True).output_shape((20, 8))
    (20, 8)
    """

    width: int
    heads: int
    causal: bool = False

    role = Role.WEIGHTED
    steps_axis = 0

    def __post_init__(self) -> None:
        """Check the fields."""
        check_whole("SelfAttention", "width", self.width, 1, MAX_WIDTH)
        check_whole("SelfAttention", "heads", self.heads, 1, MAX_WIDTH)
        check_bool("SelfAttention", "causal", self.causal)
        if self.width % self.heads:
            raise SettingError(
                f"SelfAttention's heads must divide its width, got {self.heads} heads and a width of {self.width}"
            )

    def output_shape(self, shape: Shape) -> Shape:
        """``(steps, width)``, kept."""
        check_steps(self.words(), shape, self.width)
        return shape

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        """Of queries, keys and values together ``[3D, D]`` and ``[3D]``; of the output ``[D, D]`` and ``[D]``."""
        d = self.width
        return (
            Parameter(name="in_proj_weight", shape=(3 * d, d), start="drawn"),
            Parameter(name="in_proj_bias", shape=(3 * d,)),
            Parameter(name="out_proj.weight", shape=(d, d), start="drawn"),
            Parameter(name="out_proj.bias", shape=(d,)),
        )

    def fan(self, shape: Shape) -> Fan:
        """Each query, key, value and output sums the numbers of a step."""
        return Fan(inputs=self.width, outputs=self.width)

    def between(self, shape: Shape) -> int:
        """Queries, keys and values, and a weight for each head and each two steps."""
        steps = shape[0]
        return 4 * steps * self.width + self.heads * steps * steps

    def words(self) -> str:
        """``SelfAttention 8, 2 heads, causal``."""
        heads = f"{self.heads} head{'s' * (self.heads != 1)}"
        return f"SelfAttention {self.width}, {heads}" + (", causal" if self.causal else "")
