"""A split is a partition, fixed by its seed."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data import split
from lib.errors import InputError


@given(data=st.data(), count=st.integers(1, 300), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_split_is_a_sorted_partition(data: st.DataObject, count: int, seed: int) -> None:
    held_out = data.draw(st.integers(0, count - 1))
    train, validation = split(count, held_out, seed)
    assert len(validation) == held_out and train.dtype == validation.dtype == torch.int64
    assert torch.equal(torch.cat([train, validation]).sort().values, torch.arange(count))
    assert torch.equal(train, train.sort().values) and torch.equal(validation, validation.sort().values)
    assert torch.equal(train, split(count, held_out, seed)[0])


def test_seeds_differ_and_impossible_splits_are_refused() -> None:
    assert not torch.equal(split(1000, 100, 0)[1], split(1000, 100, 1)[1])
    for count, validation in ((10, 10), (10, -1), (0, 0)):
        with pytest.raises(InputError, match="allowed"):
            split(count, validation, 0)
