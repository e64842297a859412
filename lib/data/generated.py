"""Small generated image sets, for tests that must run anywhere in a second; in memory, or as files like the real ones.

An image is its class's pattern of 4 × 4 blocks plus noise. They stand in for no real set: they have names of their own, and
nothing measured on them says anything about pruning. Integers only, so that every machine makes the same bytes.
"""

import hashlib
import pickle
from pathlib import Path
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
        train, test: number of images of each half.
        classes: number of classes; each has its share of every half, to within one image.

    Returns:
        The fields of an `ImageSet` but for its name.
    """
    side, channels = GENERATED[name]
    draw = generator(0, f"generated image set {name}")
    blocks_per_side = side // BLOCK_PIXELS
    blocks = torch.randint(0, 256, (classes, blocks_per_side, blocks_per_side, channels), generator=draw)
    patterns = blocks.repeat_interleave(BLOCK_PIXELS, 1).repeat_interleave(BLOCK_PIXELS, 2)

    def half(part: str, count: int) -> dict[str, Tensor]:
        labels = (torch.arange(count) % classes)[torch.randperm(count, generator=draw)]
        noise = torch.randint(-NOISE, NOISE + 1, (count, side, side, channels), generator=draw)
        images = (patterns[labels] + noise).clamp(0, 255)
        return {f"{part}_images": images.to(torch.uint8), f"{part}_labels": labels.to(torch.uint8)}

    class_names = tuple(f"pattern {number}" for number in range(classes))
    return {**half("train", train), **half("test", test), "class_names": class_names}


def write_cifar100(root: Path, train: int = 600, test: int = 200) -> Any:
    """Write a generated set in CIFAR-100's format: pickles train, test and meta below cifar-100-python.

    A pickle holds `data`, uint8 [N, 3072] (the red, green and blue plane of each image), and `fine_labels`, a list.

    Args:
        root: the folder into which cifar-100-python goes.
        train, test: number of images of each half.

    Returns:
        torchvision's class for CIFAR-100 with the MD5s of these files instead of the published ones.
    """
    from torchvision.datasets import CIFAR100  # a second to import

    fields = generate("generated-objects", train, test, classes=100)
    contents: dict[str, dict] = {
        half: {
            "data": fields[f"{half}_images"].permute(0, 3, 1, 2).flatten(1).numpy(),
            "fine_labels": fields[f"{half}_labels"].tolist(),
        }
        for half in ("train", "test")
    }
    contents["meta"] = {"fine_label_names": list(fields["class_names"])}
    folder = root / CIFAR100.base_folder
    folder.mkdir(parents=True)
    digests = {}
    for name, content in contents.items():
        written = pickle.dumps(content, protocol=2)
        (folder / name).write_bytes(written)
        digests[name] = hashlib.md5(written, usedforsecurity=False).hexdigest()

    class GeneratedCIFAR100(CIFAR100):
        train_list = [["train", digests["train"]]]
        test_list = [["test", digests["test"]]]
        meta = CIFAR100.meta | {"md5": digests["meta"]}

    return GeneratedCIFAR100


def write_image_folders(root: Path, train: int = 160, test: int = 40, classes: int = 4) -> None:
    """Write a generated set in ImageNet's layout: train/<class>/*.JPEG and val/<class>/*.JPEG, below `root`.

    Images have different sizes and both orientations; classes are named as WordNet numbers.
    """
    from PIL import Image

    fields = generate("generated-objects", train, test, classes)
    for half, folder in (("train", "train"), ("test", "val")):
        pairs = zip(fields[f"{half}_images"], fields[f"{half}_labels"].tolist(), strict=True)
        for number, (image, label) in enumerate(pairs):
            place = root / folder / f"n{label + 1:08d}"
            place.mkdir(parents=True, exist_ok=True)
            size = 72 + 8 * (number % 3), 64 + 16 * (number % 2)
            picture = Image.fromarray(image.numpy()).resize(size, Image.Resampling.NEAREST)
            picture.save(place / f"{place.name}_{number}.JPEG", quality=95)
