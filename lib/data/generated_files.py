"""Small generated image sets as files, in exactly the layout in which the real ones lie on a disk.

They let tests, and anyone without the real files, run what reads CIFAR-100 and ImageNet. The images are those of
`lib.data.generated`: patterns plus noise, which stand in for no real set.
"""

import hashlib
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from lib.data.generated import generate

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR100

CLASSES_OF_CIFAR100 = 100


def write_cifar100(root: Path, train: int = 600, test: int = 200) -> "type[CIFAR100]":
    """Write a generated set in CIFAR-100's format: pickles train, test and meta below cifar-100-python.

    A pickle holds `data`, uint8 [N, 3072] (the red, green and blue plane of each image), and `fine_labels`, a list.

    Args:
        root: the folder into which cifar-100-python goes.
        train, test: number of images of each half.

    Returns:
        torchvision's class for CIFAR-100 with the MD5s of these files instead of the published ones.
    """
    from torchvision.datasets import CIFAR100  # a second to import

    fields = generate("generated-objects", train, test, CLASSES_OF_CIFAR100)
    folder = root / CIFAR100.base_folder
    folder.mkdir(parents=True)
    contents: dict[str, dict] = {
        half: {
            "data": fields[f"{half}_images"].permute(0, 3, 1, 2).flatten(1).numpy(),
            "fine_labels": fields[f"{half}_labels"].tolist(),
            "coarse_labels": (fields[f"{half}_labels"] // 5).tolist(),
            "filenames": [f"{half}_{number}.png" for number in range(len(fields[f"{half}_labels"]))],
            "batch_label": f"{half} batch 1 of 1",
        }
        for half in ("train", "test")
    }
    contents["meta"] = {
        "fine_label_names": list(fields["class_names"]),
        "coarse_label_names": [f"group {number}" for number in range(CLASSES_OF_CIFAR100 // 5)],
    }
    digests = {}
    for name, content in contents.items():
        written = pickle.dumps(content, protocol=2)
        (folder / name).write_bytes(written)
        digests[name] = hashlib.md5(written, usedforsecurity=False).hexdigest()

    class GeneratedCIFAR100(CIFAR100):
        """The generated files, checked against their own MD5s."""

        train_list = [["train", digests["train"]]]
        test_list = [["test", digests["test"]]]
        meta = CIFAR100.meta | {"md5": digests["meta"]}

    return GeneratedCIFAR100


def write_image_folders(root: Path, train: int = 160, test: int = 40, classes: int = 4) -> None:
    """Write a generated set in ImageNet's layout: train/<class>/*.JPEG and val/<class>/*.JPEG.

    Args:
        root: the folder into which train and val go.
        train, test: number of images of each half; they have different sizes and both orientations.
        classes: number of classes, named as WordNet numbers.
    """
    from PIL import Image

    fields = generate("generated-objects", train, test, classes)
    for half, folder in (("train", "train"), ("test", "val")):
        images: Tensor = fields[f"{half}_images"]
        labels: Tensor = fields[f"{half}_labels"]
        for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
            place = root / folder / f"n{label + 1:08d}"
            place.mkdir(parents=True, exist_ok=True)
            size = 72 + 8 * (number % 3), 64 + 16 * (number % 2)
            picture = Image.fromarray(image.numpy()).resize(size, Image.Resampling.NEAREST)
            picture.save(place / f"n{label + 1:08d}_{number}.JPEG", quality=95)
