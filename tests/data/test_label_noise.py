"""Exact counts, the partition, and the two distributions of new labels."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data import ImageSet, add_label_noise, noisy_count, split
from lib.errors import InputError
from lib.seeds import generator


def test_count_is_exact() -> None:
    assert noisy_count(58_000, 0.07 * 100) == 4_060  # 7.000000000000001 in floating point
    assert [noisy_count(7, percent) for percent in (0, 0.1, 50, 100)] == [0, 1, 4, 7]  # rounded up
    assert noisy_count(0, 50) == 0
    for percent in (-1, 100.5, float("nan"), float("inf"), True):
        with pytest.raises(InputError, match="from 0 to 100"):
            noisy_count(100, percent)


@given(
    count=st.integers(0, 300),
    percent=st.integers(0, 1000).map(lambda tenths: tenths / 10),
    kind=st.sampled_from(["other", "any"]),
    classes=st.integers(2, 12),
    dtype=st.sampled_from([torch.uint8, torch.int64]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_partition(count: int, percent: float, kind: str, classes: int, dtype: torch.dtype, seed: int) -> None:
    labels = torch.randint(0, classes, (count,), generator=generator(seed, "test labels")).to(dtype)
    before = labels.clone()
    noise = add_label_noise(labels, percent, kind, classes, generator(seed, "label noise"))
    again = add_label_noise(labels, percent, kind, classes, generator(seed, "label noise"))
    assert torch.equal(labels, before), "the given labels are not changed"
    assert torch.equal(noise.labels, again.labels) and torch.equal(noise.noisy, again.noisy)
    assert noise.labels.dtype == dtype
    assert int(noise.noisy.sum()) == noisy_count(count, percent)
    assert torch.equal(noise.labels[~noise.noisy], before[~noise.noisy])
    if count:
        assert int(noise.labels.max()) < classes
    if kind == "other":
        assert torch.equal(noise.labels != before, noise.noisy)


@pytest.mark.parametrize("kind, kept", [("other", 0.0), ("any", 0.1)])
def test_new_labels_are_uniform(kind: str, kept: float) -> None:
    labels = torch.full((90_000,), 3, dtype=torch.uint8)
    noise = add_label_noise(labels, 100, kind, 10, generator(0, "label noise"))
    shares = torch.bincount(noise.labels.long(), minlength=10) / len(labels)
    expected = torch.full((10,), (1 - kept) / 9)
    expected[3] = kept
    assert torch.allclose(shares, expected, atol=0.005)  # five standard deviations


def test_more_noise_keeps_the_noise_that_was_there() -> None:
    labels = torch.randint(0, 10, (1000,), generator=generator(0, "test labels"))
    less, more = (add_label_noise(labels, p, "other", 10, generator(1, "label noise")) for p in (5, 15))
    assert more.noisy[less.noisy].all() and int(more.noisy.sum()) > int(less.noisy.sum())
    assert torch.equal(less.labels[less.noisy], more.labels[less.noisy])
    other = add_label_noise(labels, 5, "other", 10, generator(2, "label noise"))
    assert not torch.equal(less.noisy, other.noisy)


def test_the_papers_count_on_mnist(mnist: ImageSet) -> None:
    train, validation = split(60_000, 2_000, seed=0)
    noise = add_label_noise(mnist.train_labels[train], 15, "other", 10, generator(0, "label noise"))
    assert (len(train), len(validation)) == (58_000, 2_000)
    assert int((noise.labels != mnist.train_labels[train]).sum()) == 8_700


def test_bad_input_is_refused() -> None:
    labels = torch.tensor([0, 1, 2])
    for wrong, kind, classes, says in (
        (labels, "others", 10, "Did you mean 'other'"),
        (labels, "other", 2, "allowed: 0 to 1"),
        (labels * 0, "other", 1, "at least 2 classes"),
    ):
        with pytest.raises(InputError, match=says):
            add_label_noise(wrong, 5, kind, classes, generator(0, "label noise"))
