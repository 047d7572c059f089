"""A vector for each token."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import SettingError
from pellucid.network.layers.checks import MAX_WIDTH, check_whole
from pellucid.network.layers.layer import Fan, Layer, Parameter, Role, Shape

__all__ = ["Embedding"]


@dataclass(frozen=True, kw_only=True)
class Embedding(Layer):
    """Each token becomes the row of a matrix that belongs to it (Bengio et al. 2003): ``[B, T]`` to ``[B, T, width]``.

    Tokens are whole numbers below ``vocabulary``. Token 0 is padding: it becomes zeros, and nothing is learned for it.

    >>> layer = Embedding(vocabulary=100, width=8)
    >>> layer.words(), layer.output_shape((20,))
    ('Embedding 100 → 8', (20, 8))
    """

    vocabulary: int
    width: int

    role = Role.WEIGHTED

    def __post_init__(self) -> None:
        """Check the size of the matrix."""
        check_whole("Embedding", "vocabulary", self.vocabulary, 2, MAX_WIDTH)
        check_whole("Embedding", "width", self.width, 1, MAX_WIDTH)

    def output_shape(self, shape: Shape) -> Shape:
        """``(steps,)`` to ``(steps, width)``."""
        if len(shape) != 1:
            raise SettingError(
                f"{self.words()} takes rows of tokens, (steps,), but what comes before it gives the shape {list(shape)}"
            )
        return (*shape, self.width)

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        """The matrix ``[V, D]``, a row for each token; that of padding starts at 0 and stays there."""
        return (Parameter(name="weight", shape=(self.vocabulary, self.width), start="drawn", zero_row=True),)

    def fan(self, shape: Shape) -> Fan:
        """Each output is one number of the matrix: as a sum over tokens, all but one of its factors are 0."""
        return Fan(inputs=1, outputs=self.width)

    def words(self) -> str:
        """``Embedding 100 → 8``."""
        return f"Embedding {self.vocabulary} → {self.width}"
