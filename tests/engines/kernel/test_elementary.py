"""The elementary functions against NumPy's in extended precision, and SciPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from pellucid.engines.kernel import elementary

Array = NDArray[Any]


@njit(error_model="numpy")  # type: ignore[untyped-decorator]
def over(code: int, x: Any, y: Any) -> None:
    for r in range(len(x)):
        if code == 0:
            y[r] = elementary.exp_of_negative(x[r])
        elif code == 1:
            y[r] = elementary.expm1_of_negative(x[r])
        elif code == 2:
            y[r] = elementary.log1p_of_share(x[r])
        elif code == 3:
            y[r] = elementary.sigmoid(x[r])
        elif code == 4:
            y[r] = elementary.tanh(x[r])
        else:
            y[r] = elementary.erfc_scaled(x[r])


def erfcx(x: Array) -> Array:
    special = pytest.importorskip("scipy.special")
    return np.asarray(special.erfcx(x.astype(np.float64)))


FUNCTIONS: dict[str, tuple[int, Callable[[Array], Array], float, float]] = {
    "exp": (0, np.exp, -80, 0),
    "expm1": (1, np.expm1, -80, 0),
    "log1p": (2, np.log1p, 0, 1),
    "sigmoid": (3, lambda x: 1 / (1 + np.exp(-x)), -80, 80),
    "tanh": (4, np.tanh, -80, 80),
    "erfcx": (5, erfcx, 0, 80),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_to_the_last_digits(name: str, dtype: Any) -> None:
    code, right, low, high = FUNCTIONS[name]
    generator = np.random.default_rng(0)
    sizes = generator.choice([1e-12, 1e-6, 1e-3, 0.1, 0.5, 1.0], 50_000)
    x = (generator.uniform(low, high, 50_000) * sizes).astype(dtype)
    x[:2] = low, high
    y = np.empty_like(x)
    over(code, x, y)
    wanted = right(x.astype(np.longdouble))
    digits = 8 if name == "erfcx" else 2
    apart = np.abs(y - wanted) / np.where(wanted == 0, 1, np.abs(wanted))
    assert apart.max() <= digits * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_ends(dtype: Any) -> None:
    x = np.array([-np.inf, -1e30, -1000.0, -0.0, 0.0, np.nan], dtype)
    ends = {0: [0, 0, 0, 1, 1], 1: [-1, -1, -1, 0, 0], 3: [0, 0, 0, 0.5, 0.5], 4: [-1, -1, -1, 0, 0]}
    for code, wanted in ends.items():
        y = np.empty_like(x)
        over(code, x, y)
        np.testing.assert_array_equal(y[:-1], np.array(wanted, dtype))
        assert np.isnan(y[-1])
    for code in (2, 5):
        y = np.empty_like(x[-1:])
        over(code, x[-1:], y)
        assert np.isnan(y[0])
