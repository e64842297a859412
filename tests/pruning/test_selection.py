"""Selection against brute force: exact counts, ties, monotone masks."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import InputError
from lib.models import build
from lib.pruning import find_score, magnitude, select, weights_remaining
from lib.pruning.selection import prune_count


def ones(scores):
    return {name: torch.ones_like(score, dtype=torch.bool) for name, score in scores.items()}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=2, max_size=60),
    st.integers(1, 59),
    st.floats(0.01, 0.99),
    st.integers(0, 2**31),
)
def test_removes_the_lowest_in_tensor_order(values, cut, fraction, seed):
    """A stable sort of all remaining scores gives the same masks."""
    cut = min(cut, len(values) - 1)
    flat = torch.tensor(values, dtype=torch.float32)
    kept = torch.rand(len(values), generator=torch.Generator().manual_seed(seed)) < 0.7
    scores = {"a": flat[:cut].clone(), "b": flat[cut:].clone()}
    masks = {"a": kept[:cut], "b": kept[cut:]}
    new = select(scores, masks, fraction)
    order = [i for i in sorted(range(len(values)), key=lambda i: values[i]) if kept[i]]
    expected = kept.clone()
    expected[order[: prune_count(int(kept.sum()), fraction)]] = False
    assert torch.equal(torch.cat([new["a"], new["b"]]), expected)


def test_twenty_one_levels_of_a_fifth():
    """LeNet's 265,200 weights: ⌈0.2 R⌉ go at each level."""
    network = build("lenet-300-100")
    scores, remaining = magnitude(network.module, network.prunable), 265_200
    masks = ones(scores)
    for _ in range(21):
        old = masks
        masks = select(scores, masks, 0.2)
        remaining -= -(-remaining // 5)
        assert sum(int(m.sum()) for m in masks.values()) == remaining
        assert all(bool((old[n] | ~masks[n]).all()) for n in scores)
    assert weights_remaining(masks) == pytest.approx(0.8**21, rel=2e-3)


def test_equal_scores_go_first_tensor_first():
    scores = {"a": torch.zeros(4), "b": torch.zeros(4)}
    new = select(scores, ones(scores), 0.5)
    assert not new["a"].any() and new["b"].all()


def test_layer_scope_removes_the_fraction_in_each():
    scores = {"a": torch.arange(10.0), "b": torch.arange(10.0) + 100}
    new = select(scores, ones(scores), 0.3, "layer")
    assert [int(m.sum()) for m in new.values()] == [7, 7]


def test_count_is_not_misled_by_rounding():
    assert prune_count(5, 0.2) == 1
    assert prune_count(100, 1 - 0.8) == 20
    assert prune_count(11, 0.2) == 3


def test_bad_input_is_named():
    scores = {"a": torch.tensor([1.0, float("nan")])}
    for fraction in (0, 1, -0.1):
        with pytest.raises(InputError, match="inside \\(0, 1\\)"):
            select(scores, ones(scores), fraction)
    with pytest.raises(InputError, match="NaN"):
        select(scores, ones(scores), 0.5)
    with pytest.raises(InputError, match="Did you mean 'layer'"):
        select({"a": torch.zeros(2)}, {"a": torch.ones(2, dtype=torch.bool)}, 0.5, "layers")  # pyright: ignore
    with pytest.raises(InputError, match="Did you mean 'magnitude'"):
        find_score("magnitud")


def test_a_share_of_all_weights_is_kept_whatever_was_pruned_before():
    scores = {"a": torch.arange(10.0), "b": torch.arange(10.0) + 100}
    half = {"a": torch.arange(10) >= 5, "b": torch.ones(10, dtype=torch.bool)}
    new = select(scores, half, 0.2, keep=0.25)
    assert not new["a"].any() and new["b"].tolist() == [False] * 5 + [True] * 5
    assert [int(m.sum()) for m in select(scores, half, 0.2, "layer", 0.7).values()] == [5, 7]
    with pytest.raises(InputError, match="keep=1.0 must lie inside"):
        select(scores, half, 0.2, keep=1.0)
