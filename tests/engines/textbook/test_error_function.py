"""The textbook's erf against SciPy's."""

from __future__ import annotations

import numpy as np
from scipy import special

from pellucid.engines.textbook.error_function import erf


def test_it_is_exact_to_the_last_digits() -> None:
    x = np.concatenate([np.linspace(-7, 7, 100_003), np.random.default_rng(0).normal(size=10_000), [np.inf, -np.inf]])
    np.testing.assert_allclose(erf(x), special.erf(x), rtol=0, atol=1e-15)
    small = np.logspace(-300, -1, 500)
    np.testing.assert_allclose(erf(small), special.erf(small), rtol=1e-12)
    assert np.isnan(erf(np.array([np.nan])))
