"""A reader's own images: two tensors, or a folder with one folder of images per class, as an `ImageSet`.

    own_images(images, labels)                   uint8 or [0, 1], [N, C, H, W], [N, H, W, C] or [N, H, W]; class numbers
    own_images("photos")                         photos/<class>/*, of any sizes and formats
    own_images("photos")                         photos/train/<class>/*, and photos/test or photos/val

The book keeps pixels as whole numbers from 0 to 255, so tensors of fractions are rounded to them. Images in files are
resized until their short side has `side` pixels, and the square in the middle is taken; where all are grey, there is one
channel. The set is kept in this process under the SHA-256 of its content, which enters the keys of stages.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lib import by_name
from lib.data.image_sets import ImageSet
from lib.data.splits import split
from lib.errors import InputError

CHANNELS = (1, 3, 4)
MOST_BYTES = 8 * 2**30  # of all pixels, which are held in memory
TEST_FOLDERS = ("test", "val")

Pair = tuple[Any, Any]


def own_images(images: Any, labels: Any = None, test: float | Pair = 0.2, side: int = 32) -> ImageSet:
    """Make an image set of a reader's images, and keep it for `lib.data.load` of this process.

    Args:
        images: a tensor or array, see above; or the path of a folder.
        labels: class numbers [N] from 0 on; None for a folder, where the folders' names in order are the classes.
        test: share of the images that is set aside for testing, at random but always the same; or the test images
            and their labels. Not used where the folder has a test part of its own.
        side: pixels to which images in files are resized.

    Returns:
        The set; its name is that by which this process finds it.

    Raises:
        InputError: says which images or labels cannot be used, and what to do.
    """
    if isinstance(images, str | Path):
        if labels is not None:
            raise InputError("a folder of images has its labels in its folders' names; leave labels out.")
        parts, names = _folder(Path(images).expanduser(), side)
    else:
        if labels is None:
            raise InputError("images were given without labels; give the class number of each image, or a folder.")
        parts, names = [_pair(images, labels, "")], ()
    if len(parts) == 1 and isinstance(test, tuple | list) and len(test) == 2:
        parts.append(_pair(*test, " of the test"))
    classes = len(names) or 1 + max(int(own.max()) for _, own in parts)
    if len(parts) == 1:
        pixels, own = parts[0]
        if not isinstance(test, float) or not 0 < test < 1:
            given = f"{test!r}" if isinstance(test, int | float | str) else f"a {type(test).__name__}"
            raise InputError(f"test is {given}; allowed: a share inside (0, 1), such as 0.2, or (images, labels).")
        kept, aside = split(len(own), min(max(1, round(test * len(own))), len(own) - 1), seed=0)
        parts = [(pixels[kept], own[kept]), (pixels[aside], own[aside])]
    (train, train_labels), (tested, test_labels) = parts
    if train.shape[1:] != tested.shape[1:]:
        raise InputError(
            f"training images are {list(train.shape[1:])}, test images {list(tested.shape[1:])}; make them alike."
        )
    names = names or tuple(map(str, range(classes)))
    _check_classes(train_labels, names)
    if (most := int(test_labels.max())) >= len(names):
        raise InputError(
            f"a test image has label {most}; allowed: below {len(names)}, the classes of the training images."
        )
    digest = hashlib.sha256("\n".join(names).encode())
    for tensor in (train, train_labels, tested, test_labels):
        digest.update(f"{tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().data)
    found = ImageSet("", train, train_labels, tested, test_labels, names)
    return replace(found, name=by_name.keep("images", found, digest.hexdigest()))


def _pair(images: Any, labels: Any, which: str) -> tuple[Tensor, Tensor]:
    """Return pixels, uint8 [N, H, W, C], and labels, int64 [N], of tensors, checked."""
    pixels, numbers = _pixels(images, which), _labels(labels, which)
    if len(pixels) != len(numbers):
        raise InputError(f"{len(pixels)} images{which} have {len(numbers)} labels; give one label for each image.")
    if len(pixels) < 2:
        raise InputError(f"{len(pixels)} images{which} were given; give more.")
    return pixels, numbers


def _pixels(images: Any, which: str) -> Tensor:
    try:
        given = torch.as_tensor(images).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as problem:
        kind = type(images).__name__
        raise InputError(
            f"images{which} are a {kind}; allowed: a tensor, an array, or the path of a folder."
        ) from problem
    if given.ndim == 3:
        given = given.unsqueeze(1)
    if given.ndim != 4 or 0 in given.shape:
        allowed = "[N, channels, height, width], [N, height, width, channels] or [N, height, width]"
        raise InputError(f"images{which} are {list(given.shape)}; allowed: {allowed}.")
    if given.shape[1] in CHANNELS or given.shape[-1] not in CHANNELS:
        given = given.permute(0, 2, 3, 1)
    if given.dtype in (torch.uint16, torch.uint32, torch.uint64):  # torch finds no least of them
        given = given.long()
    low, high = given.min().item(), given.max().item()
    if given.is_floating_point():
        if not 0 <= low <= high <= 1:  # also NaN
            do = "scale them with (x - x.min()) / (x.max() - x.min()); the book normalizes them itself"
            raise InputError(f"images{which} are fractions from {low:g} to {high:g}; allowed: 0 to 1. Else {do}.")
        given = (given.double() * 255).round()
    elif given.is_complex() or not 0 <= low <= high <= 255:
        raise InputError(f"images{which} go from {low} to {high}; allowed: 0 to 255, or fractions from 0 to 1.")
    return given.to(torch.uint8).contiguous()


def _labels(labels: Any, which: str) -> Tensor:
    try:
        given = torch.as_tensor(labels).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as problem:
        example = next(iter(labels), None) if hasattr(labels, "__iter__") else labels
        do = "number the classes from 0, such as [names.index(name) for name in labels]"
        raise InputError(f"labels{which} such as {example!r} are no numbers; {do}.") from problem
    if given.ndim != 1:
        do = ": labels.argmax(1), if they are one-hot" if given.ndim == 2 else ""
        raise InputError(f"labels{which} are {list(given.shape)}; allowed: [N], a class number for each image{do}.")
    if given.is_floating_point() or given.is_complex() or given.dtype == torch.bool:
        kind = str(given.dtype).removeprefix("torch.")
        raise InputError(f"labels{which} are of type {kind}; allowed: whole numbers from 0, such as labels.long().")
    if len(given) and int(given.min()) < 0:
        raise InputError(f"labels{which} go down to {int(given.min())}; allowed: class numbers from 0.")
    return given.long()


def _check_classes(labels: Tensor, names: Sequence[str]) -> None:
    """Raise InputError unless there are two classes, each with an image to train on."""
    counts = labels.bincount(minlength=len(names)).tolist()
    if len(names) < 2:
        raise InputError("all images have the same class; give at least two classes.")
    if empty := [name for name, count in zip(names, counts, strict=True) if not count]:
        more = f" and {len(empty) - 3} more" if len(empty) > 3 else ""
        raise InputError(
            f"{len(names)} classes, but no image to train on of {', '.join(empty[:3])}{more}; number the classes from 0 "
            "without gaps, and give each of them several images."
        )


def _folder(root: Path, side: int) -> tuple[list[tuple[Tensor, Tensor]], tuple[str, ...]]:
    """Read one or two parts of a folder, and the names of the classes."""
    if not root.is_dir():
        raise InputError(f"there is no folder {root}.")
    if side < 1:
        raise InputError(f"side={side}; allowed: 1 or more pixels.")
    halves = [root]
    if (root / "train").is_dir():
        aside = [root / name for name in TEST_FOLDERS if (root / name).is_dir()]
        halves = [root / "train", *aside[:1]]
    parts, classes = [], ()
    for half in halves:
        labels, paths, names = _files(half)
        if classes and names != classes:
            odd = sorted(set(names) ^ set(classes))[:3]
            raise InputError(f"{halves[0]} and {half} have different classes, among them {', '.join(odd)}.")
        classes = names
        if (size := 3 * len(paths) * side**2) > MOST_BYTES:
            held = f"{len(paths):,} images of {side} × {side} pixels take {size / 2**30:.0f} GiB of memory"
            raise InputError(f"{held}; allowed: {MOST_BYTES / 2**30:.0f}. Choose a smaller side.")
        parts.append((torch.from_numpy(np.stack([_read(path, side) for path in paths])), torch.tensor(labels)))
    if all(bool((p[..., :1] == p).all()) for p, _ in parts):  # grey
        parts = [(p[..., :1].contiguous(), labels) for p, labels in parts]
    return parts, classes


def _files(half: Path) -> tuple[list[int], list[Path], tuple[str, ...]]:
    """List labels and paths of the images, class by class, and the classes' names, all sorted."""
    from torchvision.datasets.folder import IMG_EXTENSIONS  # a second to import

    folders = sorted(each for each in half.iterdir() if each.is_dir() and not each.name.startswith("."))
    found = [sorted(p for p in each.rglob("*") if p.suffix.lower() in IMG_EXTENSIONS) for each in folders]
    for folder, paths in zip(folders, found, strict=True):
        if not paths:
            raise InputError(f"{folder} has no image; allowed: files ending in {', '.join(IMG_EXTENSIONS)}.")
    if len(folders) < 2:
        raise InputError(
            f"{half} has {len(folders)} folders; it needs one folder of images for each class, at least two."
        )
    labels = [label for label, paths in enumerate(found) for _ in paths]
    return labels, [path for paths in found for path in paths], tuple(each.name for each in folders)


def _read(path: Path, side: int) -> np.ndarray:
    """Read the middle of an image, uint8 [side, side, 3]."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as file:
            whole = ImageOps.exif_transpose(file).convert("RGB")
    except (OSError, SyntaxError) as problem:  # of a broken PNG
        raise InputError(f"{path} cannot be read as an image: {problem}. Replace or remove it.") from problem
    return np.asarray(ImageOps.fit(whole, (side, side), Image.Resampling.BILINEAR))
