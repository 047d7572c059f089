"""Headings that are the same but for case, spaces and small signs are matched, and never guessed."""

from __future__ import annotations

import pytest

from pellucid.data.headings import matched_headings
from pellucid.errors import DataError


@pytest.mark.parametrize(
    "written", ["SHOP NAME", "shop_name", "Shop-Name", " shop  name ", "shop.name", "ShopName", "shop\u00a0name"]
)
def test_one_heading_is_matched(written: str) -> None:
    assert matched_headings(["shop name", "age"], ["age", written]) == {written: "shop name"}


def test_what_is_there_under_its_own_name_is_left_alone() -> None:
    assert matched_headings(["age"], ["Age", "age", "AGE"]) == {}


@pytest.mark.parametrize("other", ["shopname2", "shop/name", "shop names", "sh%op name"])
def test_other_headings_are_not_matched(other: str) -> None:
    assert matched_headings(["shop name"], [other]) == {}


def test_two_candidates_are_named() -> None:
    with pytest.raises(DataError, match=r"'age' is not in the table, and 'Age' and 'AGE_' both differ"):
        matched_headings(["age"], ["Age", "AGE_"])


def test_one_candidate_for_two_columns_is_named_with_both() -> None:
    with pytest.raises(DataError, match=r"'A B' of the table may be 'a_b' or 'a-b' of the model"):
        matched_headings(["a_b", "a-b"], ["A B"])


def test_what_may_be_absent_is_not_matched_where_it_is_ambiguous() -> None:
    assert matched_headings(["x", "age"], ["x", "Age", "AGE_"], spared=["age"]) == {}


def test_signs_alone_are_no_name() -> None:
    assert matched_headings(["-"], ["_"]) == {}
