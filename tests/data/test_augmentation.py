"""The gather equals a slow way, also for a stack; draws have torchvision's distribution."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms import RandomCrop, RandomHorizontalFlip

from lib.data import crop_and_flip, draw, load, normalization, normalize
from lib.seeds import generator

BLACK = normalization("imagenet").black


@pytest.fixture(scope="module")
def batch() -> Tensor:
    return normalize(load("generated-objects").train_images[:24], normalization("imagenet"))


def slow(image: Tensor, offsets: Tensor, fill: Tensor, padding: int) -> Tensor:
    """Flip, surround and crop one image [C, H, W], a step at a time."""
    _, height, width = image.shape
    down, right, flipped = offsets.tolist()
    image = image.flip(2) if flipped else image
    pairs = zip(image, fill.tolist(), strict=True)
    padded = torch.stack([torch.nn.functional.pad(c, [padding] * 4, value=v) for c, v in pairs])
    return padded[:, down : down + height, right : right + width]


@pytest.mark.parametrize("padding", [0, 1, 4])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_equals_the_slow_way(batch: Tensor, padding: int, layout: torch.memory_format) -> None:
    draws = draw(len(batch), generator(0, "augmentation"), padding)
    result = crop_and_flip(batch.contiguous(memory_format=layout), draws, BLACK, padding)
    expected = [slow(image, d, BLACK, padding) for image, d in zip(batch, draws, strict=True)]
    assert torch.equal(result, torch.stack(expected))


def test_images_that_are_not_square() -> None:
    batch = torch.arange(2 * 1 * 3 * 5).view(2, 1, 3, 5)
    draws = torch.tensor([[0, 4, 1], [3, 1, 0]])
    expected = [slow(image, d, torch.tensor([-1]), 2) for image, d in zip(batch, draws, strict=True)]
    assert torch.equal(crop_and_flip(batch, draws, torch.tensor([-1]), 2), torch.stack(expected))


def test_padding_is_black_before_normalisation() -> None:
    """Augmenting raw pixels and then normalising gives the same as the other way round, to the bit."""
    images, constants = load("generated-objects").train_images[:16], normalization("imagenet")
    draws = draw(16, generator(5, "augmentation"))
    cropped = crop_and_flip(images.permute(0, 3, 1, 2), draws, torch.zeros(3))
    first = normalize(cropped.permute(0, 2, 3, 1), constants)
    assert torch.equal(first, crop_and_flip(normalize(images, constants), draws, constants.black))


def test_draws_have_torchvisions_distribution() -> None:
    """Offsets uniform on 0..8 per axis, flips half: ours and torchvision's counts within five deviations."""
    count = 9_000
    draws = draw(count, generator(1, "augmentation"))
    image = torch.arange(32.0 * 32).view(1, 32, 32) + 1
    flip = RandomHorizontalFlip()
    theirs = []
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(count):
            down, right, _, _ = RandomCrop.get_params(torch.empty(1, 40, 40), (32, 32))
            theirs.append((down, right, int(flip(image[:, :1, :2])[0, 0, 0] > 1)))
    deviation = (count * (1 / 9) * (8 / 9)) ** 0.5
    for offsets in (draws, torch.tensor(theirs)):
        for axis in (0, 1):
            counts = torch.bincount(offsets[:, axis], minlength=9)
            assert len(counts) == 9 and (counts - count / 9).abs().max() < 5 * deviation
        assert abs(int(offsets[:, 2].sum()) - count / 2) < 5 * (count / 4) ** 0.5
    assert abs(torch.corrcoef(draws.T.double())[0, 1]) < 0.05


def test_a_stack_is_its_replicates(batch: Tensor) -> None:
    stack = torch.stack([batch, batch.flip(0), batch * 2])
    draws = torch.stack([draw(len(batch), generator(seed, "augmentation")) for seed in range(3)])
    together = crop_and_flip(stack, draws, BLACK)
    alone = [crop_and_flip(one, own, BLACK) for one, own in zip(stack, draws, strict=True)]
    assert torch.equal(together, torch.stack(alone)) and not torch.equal(draws[0], draws[1])
