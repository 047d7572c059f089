"""What the tests of the fused plan share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def nothing_is_left_over() -> Iterator[None]:
    """New buffers hold NaN, so that a result which was not computed is not found in the memory of an earlier one."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(before)
