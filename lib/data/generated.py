"""Two tiny generated image sets, for tests that must run anywhere in a second.

An image is its class's pattern of 4x4 blocks plus noise. They stand in for no real set: they have names of
their own, and nothing measured on them says anything about pruning. Integers only, so that every machine
makes the same bytes.
"""

from typing import Any

import torch
from torch import Tensor

from lib.seeds import generator

BLOCK_PIXELS = 4
NOISE = 48  # largest absolute change of a pixel

GENERATED: dict[str, tuple[int, int]] = {"generated-digits": (28, 1), "generated-objects": (32, 3)}
"""Side in pixels and channels of each generated set; MNIST's and CIFAR-10's shapes."""


def generate(name: str, train: int = 600, test: int = 200, classes: int = 10) -> dict[str, Any]:
    """Return the fields of a generated image set, always the same.

    Args:
        name: one of `GENERATED`.
        train: number of training images.
        test: number of test images.
        classes: number of classes; each has its share of every half, to within one image.

    Returns:
        `train_images` and `test_images` uint8 [N, H, W, C], `train_labels` and `test_labels` uint8 [N],
        `class_names`.
    """
    side, channels = GENERATED[name]
    draw = generator(0, f"generated image set {name}")
    blocks = torch.randint(
        0, 256, (classes, side // BLOCK_PIXELS, side // BLOCK_PIXELS, channels), generator=draw
    )
    patterns = blocks.repeat_interleave(BLOCK_PIXELS, 1).repeat_interleave(BLOCK_PIXELS, 2)

    def half(count: int) -> tuple[Tensor, Tensor]:
        labels = (torch.arange(count) % classes)[torch.randperm(count, generator=draw)]
        noise = torch.randint(-NOISE, NOISE + 1, (count, side, side, channels), generator=draw)
        return (patterns[labels] + noise).clamp(0, 255).to(torch.uint8), labels.to(torch.uint8)

    train_images, train_labels = half(train)
    test_images, test_labels = half(test)
    return {
        "train_images": train_images,
        "train_labels": train_labels,
        "test_images": test_images,
        "test_labels": test_labels,
        "class_names": tuple(f"pattern {number}" for number in range(classes)),
    }
