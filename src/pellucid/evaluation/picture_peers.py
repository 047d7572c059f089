"""The simpler models that a network for pictures is compared with.

| peer | how it sees a picture | how it predicts |
|---|---|---|
| linear model | its pixels | logistic regression |
| k-nearest-neighbour model | the 64 main directions of its pixels | the votes of the most similar training pictures |
| linear model on edges | its histograms of oriented gradients (`hog`) | logistic regression |

Numbers instead of classes are predicted by ridge regression, and by the neighbours' mean. Trees are left out: on raw
pixels they are slow, and none of the best.

``N`` training rows, ``K`` rows to predict, ``F`` features, ``C`` classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.baselines import linear_answers

__all__ = ["edge_answers", "neighbour_answers", "picture_line_answers", "shrunk", "softmax_regression"]

Array = NDArray[Any]

_STRENGTHS = tuple(10.0**power for power in range(-3, 1))  # one over the penalty of the sum of the losses
_ROWS_TO_CHOOSE, _FOLDS = 900, 3
_ITERATIONS, _LAST_ITERATIONS, _FEW_ITERATIONS = 60, 30, 20  # on some rows, then on all; to choose the strength
_ROWS_AT_FIRST = 10_000
_DIRECTIONS = 64
_NEIGHBOURS = (1, 3, 5, 10, 20)
_ASKED_TO_CHOOSE = 1_000
_VALUES_AT_ONCE = 1 << 23
_LEAST_PROBABILITY = 1e-7


def shrunk(pixels: Array, longest: int) -> Array:
    """Pictures of bytes ``[N, H, W, C]`` with at most this many pixels along the longer side.

    Squares of k × k pixels become their mean; pixels beyond the last whole square are left out.

    >>> shrunk(np.array([0, 255, 255, 254], np.uint8).reshape(1, 2, 2, 1), 1).ravel().tolist()
    [191]
    """
    n, height, width, channels = pixels.shape
    side = min(-(-max(height, width) // longest), height, width)
    if side == 1:
        return pixels
    rows, columns = height // side, width // side
    found = np.empty((n, rows, columns, channels), np.uint8)
    step = max(1, _VALUES_AT_ONCE // max(1, pixels[:1].size))
    for start in range(0, n, step):
        part = pixels[start : start + step, : rows * side, : columns * side].astype(np.float32)
        squares = part.reshape(len(part), rows, side, columns, side, channels)
        found[start : start + step] = np.rint(squares.mean(axis=(2, 4)))
    return found


def picture_line_answers(
    inputs: Array, targets: Array, asked: Array, classes: int, *, weights: Array | None = None
) -> Array:
    """Predict with logistic regression on pixels or edges, or with ridge regression if ``classes`` is 0.

    Parameters
    ----------
    inputs, targets
        The training rows: ``[N, F]`` and ``[N]`` class numbers or numbers.
    asked
        ``[K, F]`` the rows to predict.
    classes
        The number of classes; 0 for numbers.
    weights
        ``[N]``, or None if all are equal.

    Returns
    -------
    ndarray
        Probabilities ``[K, C]``, or numbers ``[K]``.
    """
    mean, scale = inputs.mean(axis=0), float(inputs.std()) or 1.0
    x, wanted = inputs - mean, asked - mean
    x /= scale
    wanted /= scale
    if not classes:
        return linear_answers(x, targets, wanted, 0, weights=weights)
    w = np.ones(len(x)) if weights is None else weights
    strength = _best_strength(x, targets, classes, w)
    return _predicted(wanted, softmax_regression(x, targets, classes, strength, w))


def edge_answers(inputs: Array, targets: Array, asked: Array, classes: int, *, weights: Array | None = None) -> Array:
    """`picture_line_answers` on the histograms of oriented gradients of pictures ``[N, H, W, C]``.

    Parameters
    ----------
    inputs, targets
        The training pictures, and ``[N]`` class numbers or numbers.
    asked
        ``[K, H, W, C]`` the pictures to predict.
    classes
        The number of classes; 0 for numbers.
    weights
        ``[N]``, or None if all are equal.
    """
    from pellucid.evaluation.hog import hog, usual_cell

    cell = usual_cell(*inputs.shape[1:3])
    return picture_line_answers(hog(inputs, cell), targets, hog(asked, cell), classes, weights=weights)


def softmax_regression(x: Array, targets: Array, classes: int, strength: float, weights: Array) -> Array:
    """The weights and, in the last row, the biases of a logistic regression: ``[F + 1, C]``.

    Minimises the mean of the cross-entropies plus ½ ‖weights‖² / (strength · N) by L-BFGS, in at most 60 iterations; of
    many rows, in 60 on about 10,000 of them, and 30 more on all. (scikit-learn's took five times as long for 60,000.)

    Parameters
    ----------
    x
        The training rows ``[N, F]``.
    targets
        Their class numbers ``[N]``.
    classes
        The number of classes.
    strength
        One over the penalty.
    weights
        How much each row counts, ``[N]``.
    """
    # Here and there, not the first: these may be all of one class.
    start, some = np.zeros((x.shape[1] + 1, classes)), slice(None, None, max(1, len(x) // _ROWS_AT_FIRST))
    if len(x) < 2 * _ROWS_AT_FIRST:
        return _descend(x, targets, weights, start, strength, _ITERATIONS)
    near = _descend(x[some], targets[some], weights[some], start, strength, _ITERATIONS)
    return _descend(x, targets, weights, near, strength, _LAST_ITERATIONS)


def _descend(x: Array, targets: Array, weights: Array, start: Array, strength: float, iterations: int) -> Array:
    from scipy.optimize import minimize  # type: ignore[import-untyped]

    n, columns = x.shape
    classes = start.shape[1]
    rows = np.arange(n)
    share = (weights / weights.sum()).astype(x.dtype)
    penalty = 1 / (strength * n)

    def loss_and_slope(flat: Array) -> tuple[float, Array]:
        w = flat.reshape(columns + 1, classes).astype(x.dtype)
        z = x @ w[:-1]  # [N, C]
        z += w[-1]
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        sums = p.sum(axis=1)
        loss = float(share @ (np.log(sums) - z[rows, targets])) + penalty / 2 * float((w[:-1] ** 2).sum())
        p /= sums[:, np.newaxis]
        p[rows, targets] -= 1
        p *= share[:, np.newaxis]
        slope = np.empty((columns + 1, classes))
        slope[:-1] = x.T @ p + penalty * w[:-1]
        slope[-1] = p.sum(axis=0)
        return loss, slope.ravel()

    found = minimize(loss_and_slope, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": iterations})
    solved: Array = found.x.reshape(columns + 1, classes)
    return solved


def _best_strength(x: Array, targets: Array, classes: int, weights: Array) -> float:
    """The strength with the smallest loss on three folds of at most 900 rows."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    some = np.random.default_rng(0).permutation(len(x))[:_ROWS_TO_CHOOSE]
    fold = np.empty(len(some), dtype=np.int64)
    for k in np.unique(targets[some]):  # by turns within each class, so that none lacks one that has a row for it
        own = targets[some] == k
        fold[own] = np.arange(np.count_nonzero(own)) % _FOLDS
    losses = np.zeros(len(_STRENGTHS))
    for k in range(_FOLDS):
        kept, held = some[fold != k], some[fold == k]
        if not len(held) or not len(kept):
            continue
        for i, strength in enumerate(_STRENGTHS):
            start = np.zeros((x.shape[1] + 1, classes))
            with threadpool_limits(limits=1):  # many small products
                w = _descend(x[kept], targets[kept], weights[kept], start, strength, _FEW_ITERATIONS)
            p = _predicted(x[held], w)[np.arange(len(held)), targets[held]]
            losses[i] -= float((weights[held] * np.log(np.maximum(p, _LEAST_PROBABILITY))).sum())
    return _STRENGTHS[int(losses.argmin())]


def _predicted(x: Array, w: Array) -> Array:
    """The probabilities ``[K, C]``."""
    z = x @ w[:-1].astype(x.dtype) + w[-1]
    p = np.exp(z - z.max(axis=1, keepdims=True))
    probabilities: Array = p / p.sum(axis=1, keepdims=True)
    return probabilities


def neighbour_answers(
    inputs: Array, targets: Array, asked: Array, classes: int, *, weights: Array | None = None
) -> Array:
    """Predict with the k nearest training rows, each weighted by one over its distance.

    Distances are measured along the 64 directions in which the training rows vary most (principal components). How
    many neighbours are asked, 1 to 20, is decided on up to 1,000 training rows, each predicted from the others.

    Parameters
    ----------
    inputs, targets
        The training rows: ``[N, F]`` and ``[N]`` class numbers or numbers.
    asked
        ``[K, F]`` the rows to predict.
    classes
        The number of classes; 0 for numbers.
    weights
        ``[N]``, or None if all are equal.

    Returns
    -------
    ndarray
        Probabilities ``[K, C]``, or numbers ``[K]``.

    >>> lights = np.array([[0.0], [0.1], [0.9], [1.0]])
    >>> neighbour_answers(lights, np.array([0, 0, 1, 1]), np.array([[0.05]]), 2).argmax(axis=1).tolist()
    [0]
    """
    from sklearn.neighbors import NearestNeighbors

    mean = inputs.mean(axis=0)
    directions = _main_directions(inputs - mean)
    learned, wanted = ((rows - mean) @ directions for rows in (inputs, asked))
    most = min(max(_NEIGHBOURS), len(learned) - 1)
    if most < 1:
        return _voted(targets, classes, np.zeros((len(asked), 1), np.int64), np.ones((len(asked), 1)), weights)
    search = NearestNeighbors(n_neighbors=most, algorithm="brute").fit(learned)
    some = np.random.default_rng(0).permutation(len(learned))[:_ASKED_TO_CHOOSE]
    distances, rows = search.kneighbors(learned[some], most + 1)
    # A row is its own nearest; among copies of it, it may stand elsewhere or be missing: then the last goes.
    own = rows == some[:, np.newaxis]
    own[~own.any(axis=1), -1] = True
    others, away = rows[~own].reshape(len(some), most), distances[~own].reshape(len(some), most)
    known = targets[some]
    counted = np.ones(len(some)) if weights is None else weights[some]

    def error(k: int) -> float:
        found = _voted(targets, classes, others[:, :k], _nearness(away[:, :k]), weights)
        wrong = found.argmax(axis=1) != known if classes else (found - known) ** 2
        return float(counted @ wrong)

    k = min((k for k in _NEIGHBOURS if k <= most), key=error)
    distances, rows = search.kneighbors(wanted, k)
    return _voted(targets, classes, rows, _nearness(distances), weights)


def _main_directions(centred: Array) -> Array:
    """The directions in which the rows vary most, ``[F, at most 64]`` (Halko, Martinsson & Tropp 2011)."""
    from sklearn.utils.extmath import randomized_svd

    if centred.shape[1] <= _DIRECTIONS:
        return np.eye(centred.shape[1], dtype=centred.dtype)
    _, _, directions = randomized_svd(centred, min(_DIRECTIONS, len(centred)), n_iter=3, random_state=0)
    main: Array = directions.T
    return main


def _nearness(distances: Array) -> Array:
    """One over the distance; a copy counts far more than all that differ."""
    nearness: Array = 1 / np.maximum(distances, 1e-6 * max(float(distances.max()), 1e-30))
    return nearness


def _voted(targets: Array, classes: int, rows: Array, nearness: Array, weights: Array | None) -> Array:
    """The neighbours' shares of the classes ``[K, C]``, or their mean ``[K]``; ``rows``, ``nearness``: ``[K, k]``."""
    votes = nearness if weights is None else nearness * weights[rows]
    votes = votes / votes.sum(axis=1, keepdims=True)
    if not classes:
        means: Array = (votes * targets[rows]).sum(axis=1)
        return means
    places = np.arange(len(rows))[:, np.newaxis] * classes + targets[rows]
    counts = np.bincount(places.ravel(), weights=votes.ravel(), minlength=len(rows) * classes)
    shares: Array = counts.reshape(len(rows), classes)
    return shares
