"""The gather equals a slow way, draws have torchvision's distribution, a stack draws as replicates do."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms import RandomCrop, RandomHorizontalFlip

from lib.data import augment, crop_and_flip, draw, load, normalization, normalize
from lib.errors import InputError
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
    sides = [padding] * 4
    padded = torch.stack(
        [torch.nn.functional.pad(c, sides, value=float(v)) for c, v in zip(image, fill, strict=True)]
    )
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
    images = load("generated-objects").train_images[:16]
    constants = normalization("imagenet")
    raw = images.permute(0, 3, 1, 2).contiguous()
    cropped = augment(raw, generator(5, "augmentation"), torch.zeros(3, dtype=torch.uint8))
    first = normalize(cropped.permute(0, 2, 3, 1), constants)
    second = augment(normalize(images, constants), generator(5, "augmentation"), constants.black)
    assert torch.equal(first, second)


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


def test_a_replicate_meets_the_same_draws_alone_and_in_a_stack(batch: Tensor) -> None:
    stack = torch.stack([batch, batch.flip(0), batch * 2])
    together = augment(stack, [generator(seed, "augmentation") for seed in range(3)], BLACK)
    alone = [augment(stack[seed], generator(seed, "augmentation"), BLACK) for seed in range(3)]
    assert together.shape == stack.shape and torch.equal(together, torch.stack(alone))
    assert not torch.equal(*(augment(batch, generator(seed, "augmentation"), BLACK) for seed in (0, 1)))


def test_switching_off_changes_nothing_else(batch: Tensor) -> None:
    with_flips, without = (draw(50, generator(2, "augmentation"), flip=flip) for flip in (True, False))
    assert (
        torch.equal(with_flips[:, :2], without[:, :2]) and not without[:, 2].any() and with_flips[:, 2].any()
    )
    assert torch.equal(augment(batch, generator(0, "augmentation"), BLACK, padding=0, flip=False), batch)


def test_bad_input_is_refused(batch: Tensor) -> None:
    one = generator(0, "augmentation")
    with pytest.raises(InputError, match="one generator per replicate"):
        augment(batch.expand(2, *batch.shape), [one], BLACK)
    with pytest.raises(InputError, match="with one generator"):
        augment(batch.expand(2, *batch.shape), one, BLACK)
    with pytest.raises(InputError, match="fill"):
        augment(batch, one, torch.zeros(1))
    with pytest.raises(InputError, match="padding"):
        augment(batch, one, BLACK, padding=-1)
