"""Images in folders, one per class, read when they are asked for: sets that do not fit in a device's memory.

    train/<class>/*.JPEG        val/<class>/*.JPEG

is ImageNet's usual layout; its val is the test set here. Files count in sorted order, class by class. An image is resized
until its short side has 256 pixels, and its 224 × 224 pixels in the middle are taken; for training a random part of it is
resized to 224 × 224 and flipped half of the time. TR takes an area of 10 to 100 % and an aspect ratio of 0.8 to 1.25 (facts
A.3), LIP torchvision's 8 to 100 % and 3/4 to 4/3 (facts C.1).

The random choices of an image come from a seed of its own, which its replicate draws; so they do not depend on how many
worker processes read files. What the files hold is not checked beyond their number: no list of their hashes was at hand.
"""

import functools
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lib.data.corruptions import corrupt_alone
from lib.data.generated import write_image_folders
from lib.data.image_sets import FOLDER_VARIABLE, NAMES, default_folder, load
from lib.errors import InputError, unknown

SIDE, SHORT_SIDE = 224, 256  # pixels
RANDOM_PARTS = {
    "resized-crop": ((0.1, 1.0), (0.8, 1.25)),
    "resized-crop-wide": ((0.08, 1.0), (3 / 4, 4 / 3)),
}
"""Area and aspect ratio of the random part of an image, by the augmentation of a recipe."""

FEW_IMAGES = 1000  # below it, starting worker processes takes longer than reading the images
MOST_WORKERS = 16

IMAGENET, GENERATED_FOLDERS = "imagenet", "generated-folders"
SEGMENTED: tuple[str, ...] = ("sbd", "voc2012", "generated-segmentation")
"""Sets with a class for each pixel, see `lib.data.segmentation_images`."""
STREAMED: tuple[str, ...] = (IMAGENET, GENERATED_FOLDERS, *SEGMENTED)
"""Every name that `open_folders` accepts; generated ones are small sets in temporary folders, for tests."""

IMAGENET_COUNTS = {"train": 1_281_167, "val": 50_000, "classes": 1000}  # ILSVRC 2012


@dataclass(frozen=True, eq=False)
class FolderImages:
    """Some images in files, in an order; indexed like a tensor uint8 [N, 224, 224, 3], from which it differs in speed.

    Attributes:
        root: folder that the paths start from.
        paths: bytes [N], one path per image; an array, since worker processes would copy a list object by object.
        device: where batches are wanted.
        short_side: pixels to which the short side is resized; None for files of 224 × 224 pixels, which stay as they are.
        border: pixels that are cut off at each side of a file first.
        corruption: name, severity and seed of `lib.data.corrupt_alone`, which corrupts what was read; None for none.
        random_part: which of `RANDOM_PARTS` an augmented image is.
    """

    root: Path
    paths: np.ndarray
    device: torch.device = torch.device("cpu")
    short_side: int | None = SHORT_SIDE
    border: int = 0
    corruption: tuple[str, int, int] | None = None
    random_part: str = "resized-crop"

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Images, height, width, channels."""
        return len(self), SIDE, SIDE, 3

    def __getitem__(self, indices: Tensor | slice) -> Tensor:
        """Read images, not augmented: uint8 [n, 224, 224, 3] on the device, for int64 [n] or a slice."""
        chosen = torch.arange(len(self))[indices] if isinstance(indices, slice) else indices
        parts = [*self.read(chosen, max(1, len(chosen)))]
        return parts[0] if parts else torch.empty(0, *self.shape[1:], dtype=torch.uint8, device=self.device)

    def some(self, indices: Tensor, device: torch.device) -> Self:
        """Return some of the images, still in files, for a device."""
        return replace(self, paths=self.paths[indices.numpy()], device=device)

    def read(self, indices: Tensor, batch_size: int, seeds: Tensor | None = None) -> Iterator[Tensor]:
        """Read images in an order, a batch ahead of what is asked for.

        Args:
            indices: int64 [n], which images.
            batch_size: images in a batch; the last one may be smaller.
            seeds: int64 [n], from which each image's random part and flip are drawn; None for no augmentation.

        Yields:
            uint8 [B, 224, 224, 3] on the device.

        Raises:
            InputError: a file cannot be read as an image.
        """
        files = replace(self, paths=self.paths[indices.cpu().numpy()])._decoded(seeds)
        count = worker_count(len(indices))
        own = torch.Generator()  # lest it draws from the process's generator
        pinned = self.device.type == "cuda"
        try:
            for batch in DataLoader(files, batch_size, num_workers=count, pin_memory=pinned, generator=own):
                yield batch.to(self.device, non_blocking=True)
        except InputError as problem:  # its frames would keep the workers, for five seconds more at the next collection
            raise problem.with_traceback(None) from None

    def _decoded(self, seeds: Tensor | None) -> Dataset:
        """Return these images in their order, decoded one by one, augmented by their seeds."""
        return _Files(self, seeds)


def worker_count(images: int) -> int:
    """Return how many processes read so many images: one per processor that this process may use, none for few."""
    if images < FEW_IMAGES:
        return 0
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_WORKERS)


@dataclass(frozen=True, eq=False)
class _Files(Dataset):
    """Decoded images by their position in an order."""

    images: FolderImages
    seeds: Tensor | None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> Tensor:
        images, which = self.images, os.fsdecode(self.images.paths[position])
        path = images.root / which
        try:
            with Image.open(path) as file:
                image = ImageOps.crop(file.convert("RGB"), images.border)
        except (OSError, SyntaxError, ValueError) as problem:  # of a broken PNG, and of one smaller than its border
            message = f"{path} cannot be read as an image: {problem}. Replace it by the original file."
            raise InputError(message) from problem
        if images.short_side is None and image.size != (SIDE, SIDE):
            found = " × ".join(map(str, image.size))
            raise InputError(f"{path} has {found} pixels; allowed: {SIDE} × {SIDE}. Replace it by the original file.")
        middle, random_part = _transforms(images.short_side or SIDE, images.random_part)
        if self.seeds is None:
            pixels = torch.from_numpy(np.array(middle(image)))
        else:
            with torch.random.fork_rng(devices=[]):  # torchvision draws from the process's generator
                torch.default_generator.manual_seed(int(self.seeds[position]))
                pixels = torch.from_numpy(np.array(random_part(image)))
        return corrupt_alone(pixels, *images.corruption, which=which) if images.corruption else pixels


@functools.cache
def _transforms(short_side: int, random_part: str):
    """Return the transforms of an image for evaluation and for training; a second to import."""
    from torchvision import transforms

    middle = [transforms.Resize(short_side), transforms.CenterCrop(SIDE)]
    area, ratio = RANDOM_PARTS[random_part]
    part = transforms.RandomResizedCrop(SIDE, scale=area, ratio=ratio)
    return transforms.Compose(middle), transforms.Compose([part, transforms.RandomHorizontalFlip()])


def draw_seeds(count: int, generator: torch.Generator) -> Tensor:
    """Draw the seeds of the random choices of `count` images, int64 [count]."""
    return torch.randint(2**62, (count,), generator=generator)


@dataclass(frozen=True, eq=False)
class FolderSet:
    """A labelled image set like `ImageSet`, but in files: labels are int64, classes are named by their folders, sorted."""

    name: str
    train_images: FolderImages
    train_labels: Tensor
    test_images: FolderImages
    test_labels: Tensor
    class_names: tuple[str, ...]


def open_folders(name: str, folder: Path | None = None) -> FolderSet:
    """Return an image set that stays in its files.

    Args:
        name: "imagenet", or "generated-folders", which is written to a temporary folder and read in the same way; or one of
            `SEGMENTED`.
        folder: the data folder, with ImageNet in `imagenet/`; None means `lib.data.default_folder()`.

    Raises:
        InputError: the name is unknown, or the files are not there or not all there.
    """
    if name in SEGMENTED:
        from lib.data.segmentation_images import open_segmentation  # which needs this module

        return open_segmentation(name, folder)
    if name == GENERATED_FOLDERS:
        return read_folders(name, Path(_generated().name))
    if name != IMAGENET:
        raise unknown("image set in folders", name, STREAMED)
    root = (default_folder() if folder is None else Path(folder).expanduser()) / IMAGENET
    return read_folders(name, root, IMAGENET_COUNTS)


def read_folders(name: str, root: Path, counts: dict[str, int] | None = None) -> FolderSet:
    """List the files of a set; raise InputError for another layout, or other numbers than `counts`, where given."""
    train, train_labels, classes = _list(root, "train")
    test, test_labels, same = _list(root, "val")
    if classes != same:
        odd = sorted(set(classes) ^ set(same))
        raise _wrong(root, f"train and val have different classes, among them {', '.join(odd[:3])}")
    found = {"train": len(train), "val": len(test), "classes": len(classes)}
    if counts is not None and found != counts:
        text = "{train:,} training and {val:,} validation images of {classes:,} classes"
        raise _wrong(root, f"it has {text.format(**found)}, not {text.format(**counts)}")
    images = FolderImages(root, train), FolderImages(root, test)
    return FolderSet(name, images[0], train_labels, images[1], test_labels, classes)


def _list(root: Path, half: str) -> tuple[np.ndarray, Tensor, tuple[str, ...]]:
    """Return the paths below `root`, the labels and the names of the classes of one half, all sorted."""
    from torchvision.datasets import ImageFolder  # a second to import

    try:
        images = ImageFolder(root / half)
    except OSError as problem:  # no folder, no folders of classes, or one without images
        raise _wrong(root, f"{half} cannot be used: {problem}") from problem
    paths = np.array([os.fsencode(path.removeprefix(f"{root}{os.sep}")) for path, _ in images.samples])
    return paths, torch.tensor(images.targets), tuple(images.classes)


def _wrong(root: Path, what: str) -> InputError:
    return InputError(
        f"{root} does not hold the image set: {what}. Put there train/<class>/*.JPEG and val/<class>/*.JPEG, one folder per "
        "class, such as train/n01440764/n01440764_10026.JPEG. For ImageNet: unpack ILSVRC2012_img_train.tar and the archive "
        "of each class in it, and sort the images of ILSVRC2012_img_val.tar into folders by class. A link named "
        f"{IMAGENET} in the data folder will do; the environment variable {FOLDER_VARIABLE} names another data folder."
    )


@functools.cache
def _generated() -> tempfile.TemporaryDirectory:
    """Write the generated set once in a process; its folder goes when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="generated-folders-")
    write_image_folders(Path(folder.name))
    return folder


def class_names(name: str) -> tuple[str, ...]:
    """Return the names of the classes of any image set, resident or streamed."""
    if name not in (*NAMES, *STREAMED):
        raise unknown("image set", name, (*NAMES, *STREAMED))
    return (open_folders if name in STREAMED else load)(name).class_names
