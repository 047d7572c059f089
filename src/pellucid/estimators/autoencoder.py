"""A network that encodes each row in a few numbers and reconstructs the row from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from pellucid.errors import DataError, SettingError
from pellucid.estimators import settings
from pellucid.estimators.base import NetworkEstimator

if TYPE_CHECKING:
    from pellucid.network import Network
    from pellucid.network.task import Task

__all__ = ["NeuralAutoencoder"]

Array = NDArray[Any]


class NeuralAutoencoder(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]  # scikit-learn brings no types
    TransformerMixin,  # type: ignore[misc]
    NetworkEstimator,
):
    """An autoencoder: ``transform`` gives the code, ``inverse_transform`` reconstructs the row.

    The narrowest hidden layer is the code; it is linear. Parameters are those of `NetworkEstimator`, and
    ``hidden_layer_sizes`` needs at least one width, as in ``(32, 2, 32)``.

    >>> from sklearn.datasets import load_iris
    >>> X = load_iris().data
    >>> NeuralAutoencoder((8, 2, 8), max_iter=20, random_state=0).fit_transform(X).shape
    (150, 2)
    """

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, *, X_val: Any = None) -> Self:
        """Learn to reconstruct rows.

        Parameters
        ----------
        X
            ``[N, I]``, an array or a frame.
        y
            Ignored.
        sample_weight
            ``[N]``: a weight of 2 counts as two equal rows, a weight of 0 as none.
        X_val
            Rows that choose the best epoch, instead of a share of ``X``.

        Raises
        ------
        SettingError, DataError
            A parameter or the data cannot be used; both are ``ValueError``.
        """
        return self._fit(X, None, sample_weight, X_val)

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch on these rows; the first call also fits the preprocessing, which is then kept."""
        return self._partial_fit(X, None, sample_weight)

    def transform(self, X: Any) -> Array:
        """The code of each row, ``[N, width of the narrowest layer]``."""
        codes: Array = self._traces(self._inputs(X), self._waist())[0]
        return codes

    def inverse_transform(self, X: Any) -> Array:
        """The rows reconstructed from codes ``[N, width]``.

        For arrays ``[N, I]`` in the units of the columns; for frames the standardised features that the network sees
        (``recipe_.feature_names``), since texts cannot be reconstructed.
        """
        from pellucid.engines.textbook.forward import forward

        check_is_fitted(self, "ensemble_")
        values = check_array(X, dtype=np.float64)
        if values.shape[1] != self._n_features_out:
            raise DataError(f"a code has {self._n_features_out} numbers, got {values.shape[1]} columns")
        after = self._waist() + 1
        layers = self.network_.layers[after:]
        rest = type(self.network_)(inputs=self._n_features_out, layers=layers)
        weights = {}
        for name, array in self.parameters_.items():
            place, _, what = name.partition(".")
            if int(place) >= after:
                weights[f"{int(place) - after}.{what}"] = np.asarray(array, np.float64) if array.ndim else array
        return self._in_units(forward(rest, weights, values).logits)

    def reconstruct(self, X: Any) -> Array:
        """``inverse_transform(transform(X))``."""
        return self.inverse_transform(self.transform(X))

    def score(self, X: Any, y: Any = None) -> float:
        """The share of the standardised inputs' variance that is reconstructed: 1 − mean squared error / variance."""
        inputs = self._inputs(X)
        missed = ((self._answers(inputs)[0] - inputs) ** 2).sum()
        return float(1 - missed / max(((inputs - inputs.mean(axis=0)) ** 2).sum(), 1e-300))

    @property
    def _n_features_out(self) -> int:
        return int(self.network_.shapes()[self._waist()][0])

    def _waist(self) -> int:
        """The index of the layer that gives the code."""
        shapes = self.network_.shapes()
        return min((block.start for block in self.network_.blocks()[:-1]), key=lambda i: shapes[i][0])

    def _in_units(self, features: Array) -> Array:
        if self._by_table:
            return features
        scale = np.array([step.scale for step in self.recipe_.steps])  # type: ignore[attr-defined]
        centre = np.array([step.centre for step in self.recipe_.steps])  # type: ignore[attr-defined]
        in_units: Array = features * scale + centre
        return in_units

    def _values(self, y: Any, *, known: bool) -> None:
        return None

    def _task(self, width: int) -> Task:
        from pellucid.network.task import Loss, Task

        name = "mse" if self.loss == "auto" else self.loss
        loss = Loss(name=name)  # type: ignore[arg-type]
        return Task(kind="reconstruction", target="", width=width, loss=loss)

    def _prepare(self, X: Any, values: Array | None, weights: Array | None) -> None:
        if (
            settings.preset_of(self) != "plain"
            or settings.scaling_of(self) != "standard"
            or settings.encoding_of(self) != "plain"
        ):
            raise SettingError(
                "an autoencoder reconstructs standardised numbers: leave preset, scaling and number_encoding unset"
            )
        if settings.count_of_networks(self) != 1:
            raise SettingError(f"an autoencoder has one code, got n_networks={self.n_networks!r}: pass 1")
        super()._prepare(X, values, weights)

    def _network(self, width: int, outputs: int, layers: dict[str, Any]) -> Network:
        from pellucid.network import autoencoder

        widths = settings.widths_of(self)
        if not widths:
            raise SettingError("hidden_layer_sizes needs at least one width: the narrowest layer is the code")
        return autoencoder(width, widths, **layers)
