"""The same numbers as torchvision's transforms, to the bit."""

import pytest
import torch
from torchvision.transforms import functional

from lib.data import NORMALIZATIONS, ImageSet, load, normalization, normalize
from lib.errors import InputError


@pytest.mark.parametrize("name", ["imagenet", "cifar"])
def test_equals_torchvision(name: str) -> None:
    images = load("generated-objects").test_images[:20]
    constants = normalization(name)
    scaled = torch.stack([functional.to_tensor(image.numpy()) for image in images])
    expected = functional.normalize(scaled, list(constants.mean), list(constants.std))
    inputs = normalize(images, constants)
    assert torch.equal(inputs, expected) and inputs.is_contiguous()


@pytest.mark.parametrize("name", sorted(NORMALIZATIONS))
def test_black_is_what_a_black_pixel_becomes(name: str) -> None:
    constants = normalization(name)
    black = torch.zeros(1, 1, 1, len(constants.mean), dtype=torch.uint8)
    assert torch.equal(normalize(black, constants).flatten(), constants.black)


def test_mnist_has_mean_zero_and_deviation_one(mnist: ImageSet) -> None:
    inputs = normalize(mnist.train_images, normalization("mnist"))
    assert inputs.shape == (60_000, 1, 28, 28)
    assert abs(float(inputs.mean())) < 1e-3 and abs(float(inputs.std()) - 1) < 1e-3


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="Did you mean 'imagenet'"):
        normalization("image-net")
    with pytest.raises(InputError, match=r"\[N, H, W, 3\]"):
        normalize(load("generated-digits").test_images, normalization("cifar"))
