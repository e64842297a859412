"""PFP's number of draws, and its two bounds."""

import math

import pytest
import torch
from torch import nn

from lib.errors import InputError
from lib.pruning import Batch
from lib.pruning.draws import draws, expected_channels, largest_change
from lib.pruning.sensitivity import channel_sensitivity


def batch(images):
    return Batch(images, torch.zeros(len(images), dtype=torch.int64), torch.Generator())


def test_the_smaller_the_error_the_more_channels_are_kept():
    scores = torch.tensor([1.0, 1.0, 1.0, 1.0, 0.0])
    kept = [expected_channels(scores, 1, 1, error) for error in (1e30, 3e3, 2e3, 1e3, 1e2, 1e-30)]
    assert kept == sorted(kept) and kept[0] == 1 and kept[-1] == 4, "a channel without sensitivity is never drawn"
    assert kept[3] == math.ceil(4 * (1 - 0.75 ** draws(4.0, 1, 1, 1e3)))
    assert expected_channels(torch.tensor([0.3, 0.0]), 64, 9, 1.0) == 1
    assert expected_channels(torch.zeros(3), 64, 9, 1.0) == 0


def test_the_number_of_draws_is_that_of_the_formula():
    alpha = 6 * math.log(8 * (64 + 1) * 9 / 1e-16)
    assert draws(2.5, 64, 9, 0.5) == math.ceil(3 * (6 + 1) * 2.5 * alpha / 0.25)
    with pytest.raises(InputError, match="failure=0 must lie inside"):
        draws(2.5, 64, 9, 0.5, 0)


def test_drawn_channels_give_every_sum_up_to_the_error():
    """With probability 1 - 1e-16, so in each of 50 trials; with a ten-thousandth, not in one."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(6, 20, generator=generator)
    images = torch.rand(8, 20, generator=generator)
    layer, error = nn.Linear(20, 6), 0.5
    layer.weight.data = weight
    scores = channel_sensitivity(layer, ["weight"], batch(images))["weight"]
    count = int(draws(float(scores.sum()), 1, 1, error))
    sums = [images @ half.T for half in (weight.clamp(min=0), (-weight).clamp(min=0))]

    def worst(count):
        came = torch.multinomial(scores, count, True, generator=generator).bincount(minlength=20)
        scaled = images * (came / (count * scores / scores.sum()))
        parts = [scaled @ half.T for half in (weight.clamp(min=0), (-weight).clamp(min=0))]
        assert torch.allclose(parts[0] - parts[1], scaled @ weight.T, atol=1e-4)
        return max(float(((part - whole).abs() / whole).max()) for part, whole in zip(parts, sums, strict=True))

    assert all(worst(count) <= error for _ in range(50))
    assert all(worst(count // 10_000) > error for _ in range(50))


def test_the_kept_channels_change_a_layer_by_no_more_than_the_bound():
    torch.manual_seed(0)
    layer, images = (
        nn.Conv2d(6, 5, 3, bias=False),
        torch.randn(7, 6, 5, 5) * torch.tensor([9, 3, 1, 0.1, 0.01, 0.001]).view(6, 1, 1),
    )
    scores = channel_sensitivity(layer, ["weight"], batch(images))["weight"]
    total = torch.conv2d(images.abs(), layer.weight.abs())
    for count in range(1, 6):
        kept = torch.zeros(6, dtype=torch.bool)
        kept[scores.topk(count).indices] = True
        change = (torch.conv2d(images * ~kept.view(6, 1, 1), layer.weight)).abs()
        bound = largest_change(scores, kept, 9)
        assert (change <= bound * total * (1 + 1e-5)).all()
    assert bound < 0.5


def test_the_bound_on_the_change_is_reached_by_a_single_filter():
    layer = nn.Linear(2, 1, bias=False)
    layer.weight.data = torch.tensor([[1.0, 3.0]])
    scores = channel_sensitivity(layer, ["weight"], batch(torch.ones(1, 2)))["weight"]
    assert largest_change(scores, torch.tensor([False, True]), 1) == 0.25  # 1 of 4 is lost
