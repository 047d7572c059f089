"""The simpler models that a network for series is compared with.

| peer | how it predicts |
|---|---|
| nearest series | as the training row with the smallest Euclidean distance |
| nearest series, warped | as the training row with the smallest distance of dynamic time warping in a band (`dtw`) |
| ridge on random convolutions | ridge regression on the features of MiniRocket (`random_convolutions`) |

The distances are of the numbers as they are given: scale series and channels before.

``N`` training rows, ``K`` rows to predict, ``T`` steps, ``C`` channels, ``L`` classes. A shorter row ends with steps of
NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import softmax
from pellucid.errors import SettingError
from pellucid.evaluation.baselines import dummy_answers
from pellucid.evaluation.peers.dtw import nearest_warped
from pellucid.evaluation.peers.random_convolutions import convolved_shares, draw_convolutions
from pellucid.evaluation.peers.series import checked, stretched

__all__ = ["best_band", "convolution_answers", "nearest_series_answers", "warped_answers"]

Array = NDArray[Any]
IntArray = NDArray[np.int64]

_BANDS = (0.0, 0.02, 0.05, 0.1, 0.2)  # shares of the longest row
_ASKED_TO_CHOOSE = 300
_PENALTIES = tuple(10.0 ** (power / 2) for power in range(-2, 13))  # of features scaled to a deviation of 1
_SHARPNESS = tuple(2.0 ** (power / 2) for power in range(-4, 15))
_LEAST_PROBABILITY = 1e-7
_LEAST_SPREAD = np.float32(0.01)  # of shares: what hardly varies in training rows must not decide about others
_ROUNDING = 1e-9
_LEAST_ROWS = 3  # to leave one out


def nearest_series_answers(
    inputs: Array, targets: Array, asked: Array, classes: int, *, weights: Array | None = None
) -> Array:
    """Predict as the training row at the smallest Euclidean distance.

    Rows of unequal lengths are first stretched to the longest training row. The class of the nearest row gets the share
    of training rows that this rule is right on, each answered by the others; the other classes divide the rest.

    Parameters
    ----------
    inputs, targets
        The training rows: ``[N, T, C]`` or ``[N, T]``, and ``[N]`` class numbers or numbers.
    asked
        ``[K, T, C]`` or ``[K, T]`` the rows to predict.
    classes
        The number of classes; 0 for numbers.
    weights
        ``[N]`` how much each row counts in that share, or None if all are equal.

    Returns
    -------
    ndarray
        Probabilities ``[K, L]``, or numbers ``[K]``.

    >>> rows = np.array([[0.0, 0.0, 1.0], [0.0, 0.1, 1.0], [5.0, 5.0, 5.0], [5.0, 5.0, 4.0]])
    >>> nearest_series_answers(rows, np.array([0, 0, 1, 1]), np.array([[4.0, 5.0, 5.0]]), 2).round(2).tolist()
    [[0.17, 0.83]]
    """
    from sklearn.neighbors import NearestNeighbors

    (rows, lengths), (wanted, wanted_lengths) = _same_channels(inputs, asked)
    steps = int(lengths.max())
    learned, new = (
        stretched(each, of, steps).reshape(len(each), -1) for each, of in ((rows, lengths), (wanted, wanted_lengths))
    )
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(learned)
    nearest = search.kneighbors(new, return_distance=False)[:, 0]
    if not classes:
        return _numbers(targets[nearest])
    # Without rows of its own to ask, scikit-learn leaves each training row out of its own neighbours.
    others = search.kneighbors(return_distance=False)[:, 0] if len(rows) > 1 else np.zeros(0, np.int64)
    right = _share_right(targets[others], targets, weights) if len(others) else _share_right(others, others, None)
    return _voted(targets[nearest], right, classes)


def warped_answers(
    inputs: Array,
    targets: Array,
    asked: Array,
    classes: int,
    *,
    weights: Array | None = None,
    band: int | None = None,
) -> Array:
    """Predict as the training row at the smallest distance of dynamic time warping.

    The class of the nearest row gets the share of training rows that this rule is right on, each answered by the
    others; the other classes divide the rest.

    Parameters
    ----------
    inputs, targets
        The training rows: ``[N, T, C]`` or ``[N, T]``, and ``[N]`` class numbers or numbers.
    asked
        ``[K, T, C]`` or ``[K, T]`` the rows to predict.
    classes
        The number of classes; 0 for numbers.
    weights
        ``[N]`` how much each row counts in that share, or None if all are equal.
    band
        How many steps a step may be away from its partner; None to choose it (`best_band`).

    Returns
    -------
    ndarray
        Probabilities ``[K, L]``, or numbers ``[K]``.

    >>> early, late = [0.0, 3.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, -3.0, 0.0]
    >>> found = warped_answers(np.array([early, late]), np.array([0, 1]), np.array([[0.0, 0.0, 3.0, 0.0, 0.0]]), 2)
    >>> found.argmax(axis=1).tolist()
    [0]
    """
    rows, wanted = (found[0] for found in _same_channels(inputs, asked))
    right = 0.5
    if band is None:
        band, right = _chosen_band(rows, targets, classes, weights)
    elif classes:
        right = _tried_band(rows, targets, classes, weights, band)[1]
    nearest, _ = nearest_warped(rows, wanted, band)
    return _voted(targets[nearest], right, classes) if classes else _numbers(targets[nearest])


def best_band(inputs: Array, targets: Array, classes: int, *, weights: Array | None = None) -> int:
    """The band in steps with the fewest errors on up to 300 training rows, each answered by the others.

    Tried are 0, 2, 5, 10 and 20 % of the longest row; of equals, the narrowest.

    Parameters
    ----------
    inputs, targets
        The training rows: ``[N, T, C]`` or ``[N, T]``, and ``[N]`` class numbers or numbers.
    classes
        The number of classes; 0 for numbers.
    weights
        ``[N]``, or None if all are equal.

    >>> rows = np.zeros((4, 20))
    >>> rows[0, 8] = rows[1, 9] = 1.0
    >>> rows[2, 8] = rows[3, 9] = -1.0
    >>> best_band(rows, np.array([0, 0, 1, 1]), 2)
    1
    """
    return _chosen_band(checked(inputs)[0], targets, classes, weights)[0]


def _chosen_band(rows: Array, targets: Array, classes: int, weights: Array | None) -> tuple[int, float]:
    """The best band, and the share of rows that it is right on."""
    bands = sorted({round(share * rows.shape[1]) for share in _BANDS})
    if len(rows) < 2:
        return bands[-1], _share_right(targets[:0], targets[:0], None)
    tried = {band: _tried_band(rows, targets, classes, weights, band) for band in bands}
    best = min(bands, key=lambda band: tried[band][0])
    return best, tried[best][1]


def _tried_band(rows: Array, targets: Array, classes: int, weights: Array | None, band: int) -> tuple[float, float]:
    """The sum of the errors on some rows, and the share that is right."""
    if len(rows) < 2:
        return 0.0, _share_right(targets[:0], targets[:0], None)
    some = np.random.default_rng(0).permutation(len(rows))[:_ASKED_TO_CHOOSE]
    nearest, _ = nearest_warped(rows, rows[some], band, own=some)
    known, found = targets[some], targets[nearest]
    counted = np.ones(len(some)) if weights is None else weights[some]
    wrong = found != known if classes else (found - known) ** 2
    return float(counted @ wrong), _share_right(found, known, counted) if classes else 0.0


def _share_right(found: Array, known: Array, weights: Array | None) -> float:
    """As if one more row had been right and one wrong, so that nothing is certain."""
    right = np.asarray(found == known, dtype=np.float64)
    share = float(np.average(right, weights=weights)) if len(right) else 0.5
    return (share * len(right) + 1) / (len(right) + 2)


def _voted(found: IntArray, right: float, classes: int) -> Array:
    """``[K, L]``: this share for the class found, the rest for the others alike."""
    if classes == 1:
        return np.ones((len(found), 1))
    right = max(right, 1 / classes)  # the class found stays the likeliest
    p = np.full((len(found), classes), (1 - right) / (classes - 1))
    p[np.arange(len(found)), found] = right
    return p


def _numbers(found: Array) -> Array:
    return np.asarray(found, dtype=np.float64)


def convolution_answers(
    inputs: Array,
    targets: Array,
    asked: Array,
    classes: int,
    *,
    weights: Array | None = None,
    features: int = 10_000,
    seed: int = 0,
) -> Array:
    """Predict with ridge regression on random convolutions.

    Each channel is first scaled by its mean and standard deviation over the training rows. The penalty is the one with
    the smallest squared error on training rows left out. Of classes, the regression predicts 1 for a row's own and −1
    for the others; a softmax turns that into probabilities, as sharp as is best for rows left out. The features of a
    row take 40 KB, and the regression some times that.

    Parameters
    ----------
    inputs, targets
        The training rows: ``[N, T, C]`` or ``[N, T]``, and ``[N]`` class numbers or numbers.
    asked
        ``[K, T, C]`` or ``[K, T]`` the rows to predict.
    classes
        The number of classes; 0 for numbers.
    weights
        ``[N]``, or None if all are equal.
    features
        About how many; at least 84.
    seed
        Of what is drawn at random.

    Returns
    -------
    ndarray
        Probabilities ``[K, L]``, or numbers ``[K]``.

    >>> step = np.arange(30)
    >>> slow, fast = (np.sin(step * speed + np.arange(8)[:, np.newaxis]) for speed in (0.3, 0.9))
    >>> rows, names = np.concatenate([slow[:6], fast[:6]]), np.repeat([0, 1], 6)
    >>> convolution_answers(rows, names, np.concatenate([slow[6:], fast[6:]]), 2).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """
    (rows, lengths), (wanted, _) = _same_channels(inputs, asked)
    present = np.unique(targets) if classes else np.zeros(0, np.int64)
    if len(present) == 1:
        return np.asarray(np.arange(classes) == np.repeat(present, len(wanted))[:, np.newaxis], dtype=np.float64)
    valid = rows[np.arange(rows.shape[1]) < lengths[:, np.newaxis]]  # [steps of all rows, C]
    mean, deviation = valid.mean(axis=0), valid.std(axis=0)
    scale = np.where(deviation > _ROUNDING * np.abs(mean), deviation, 1.0)
    rows, wanted = (rows - mean) / scale, (wanted - mean) / scale
    drawn = draw_convolutions(rows, features, seed=seed)
    x, new = convolved_shares(drawn, rows), convolved_shares(drawn, wanted)
    centre, spread = x.mean(axis=0), np.maximum(x.std(axis=0), _LEAST_SPREAD)
    x, new = (x - centre) / spread, (new - centre) / spread
    return _ridge_answers(x, targets, new, classes, present, weights)


def _ridge_answers(
    x: Array, targets: Array, asked: Array, classes: int, present: IntArray, weights: Array | None
) -> Array:
    from sklearn.linear_model import RidgeCV

    if len(x) < _LEAST_ROWS:
        return dummy_answers(targets, len(asked), classes, weights)
    if not classes:
        return _numbers(RidgeCV(alphas=_PENALTIES).fit(x, targets, weights).predict(asked))
    own = np.searchsorted(present, targets)
    signs = np.where(own[:, np.newaxis] == np.arange(len(present)), 1.0, -1.0)  # [N, classes present]
    model, left_out = _ridge(x, signs, weights)
    sharpness = min(_SHARPNESS, key=lambda sharp: _log_loss(softmax(sharp * left_out), own, weights))
    p = np.zeros((len(asked), classes))
    doubt = 1 / (len(x) + 1)  # as if of one more row nothing were known: all rows left out may have been right
    p[:, present] = (1 - doubt) * softmax(sharpness * model.predict(asked).astype(np.float64)) + doubt / len(present)
    return p


def _ridge(x: Array, wanted: Array, weights: Array | None) -> tuple[Any, Array]:
    """The regression with the best penalty, and what it predicts for each row if that row is left out, ``[N, L]``."""
    from sklearn.linear_model import RidgeCV

    # Only where a score is named does scikit-learn keep the predictions, and not their squared errors.
    model = RidgeCV(alphas=_PENALTIES, scoring="neg_mean_squared_error", store_cv_results=True)
    model.fit(x, wanted, weights)
    left_out: Array = model.cv_results_[:, :, _PENALTIES.index(float(model.alpha_))]
    return model, left_out


def _log_loss(p: Array, own: IntArray, weights: Array | None) -> float:
    surprise = -np.log(np.maximum(p[np.arange(len(p)), own], _LEAST_PROBABILITY))
    return float(np.average(surprise, weights=weights))


def _same_channels(inputs: Array, asked: Array) -> tuple[tuple[Array, IntArray], tuple[Array, IntArray]]:
    found = checked(inputs), checked(asked)
    channels = [rows.shape[2] for rows, _ in found]
    if channels[0] != channels[1]:
        raise SettingError(
            f"the training rows have {channels[0]} channels, the rows to predict {channels[1]}: give rows with the "
            "same channels"
        )
    return found
