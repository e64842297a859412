"""Test sets that a network was not trained for: published files where they are in the data folder, else made here.

    CIFAR-10-C/fog.npy, ..., CIFAR-10-C/labels.npy                       uint8 [50000, 32, 32, 3]: severities 1 to 5, one
                                                                         after the other, each in the test set's order
    CIFAR-10.1/cifar10.1_v6_data.npy, CIFAR-10.1/cifar10.1_v6_labels.npy uint8 [2000, 32, 32, 3]
    imagenet-c/fog/3/n01440764/*.JPEG                                    224 × 224 pixels, the images of ImageNet's val
    objectnet-1.0/images/alarm_clock/*.png, objectnet-1.0/mappings/*     113 of its classes are in ImageNet

Sources: Dan Hendrycks and Thomas Dietterich, ICLR 2019 (both -C); Benjamin Recht et al., "Do CIFAR-10 classifiers generalize
to CIFAR-10?", 2018 (CIFAR-10.1); Andrei Barbu et al., "ObjectNet", NeurIPS 2019.

Without the published files, the real test set is corrupted here (`lib.data.corruptions`). What is in memory is kept in the
data folder. Images in files are corrupted as they are read. They are not written as JPEG once more; ImageNet-C's were, and
LIP's of VOC.
"""

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lib.data.corruptions import SEVERITIES, chosen_constants, corrupt
from lib.data.folder_images import IMAGENET, IMAGENET_COUNTS, FolderImages, FolderSet
from lib.data.image_sets import FOLDER_VARIABLE, ImageSet, default_folder, sha256
from lib.data.image_sources import report
from lib.errors import InputError

FEW_VALUES = 2**22  # 1,365 images of CIFAR, 28 of ImageNet

MADE_HERE = "corrupted here"
CIFAR10_C, CIFAR10_1, IMAGENET_C, OBJECTNET = "CIFAR-10-C", "CIFAR-10.1", "ImageNet-C", "ObjectNet"

CIFAR10_1_IMAGES = 2000  # of version 6
CIFAR10_1_FILES = ("cifar10.1_v6_data.npy", "cifar10.1_v6_labels.npy")
WHOLE_NUMBERS = "whole numbers"
BORDER = 3  # pixels around each of ObjectNet's images, red
MAPPINGS = (
    "folder_to_objectnet_label.json", "objectnet_to_imagenet_1k.json", "pytorch_to_imagenet_2012_id.json",
    "imagenet_to_label_2012_v2",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Distribution:
    """Labelled images to test on.

    Attributes:
        images: uint8 [N, H, W, 3], or those of files.
        labels: [N].
        source: "CIFAR-10-C", "CIFAR-10.1", "ImageNet-C", "ObjectNet" or "corrupted here"; tables name it.
    """

    images: Tensor | FolderImages
    labels: Tensor
    source: str

    @property
    def published(self) -> bool:
        """Whether these are published files."""
        return self.source != MADE_HERE


def corrupted(
    images: Tensor, name: str, severity: int, seed: int = 0, constants: str | None = None, folder: Path | None = None
) -> Tensor:
    """Return what `lib.data.corrupt` returns, and keep it in the data folder, in corrupted/, as large as the images.

    A file belongs to the bytes of the images and all settings. It is checked whenever it is read, and made again if it is
    damaged or was made by another version of the corruptions. Few images, which take a second, are not kept; and none are
    where nothing can be written.

    Args:
        images, name, severity, seed, constants: see `lib.data.corrupt`.
        folder: the data folder; None means `lib.data.default_folder()`.
    """
    values = chosen_constants(images, name, severity, constants)
    if images.numel() < FEW_VALUES:
        return corrupt(images, name, severity, seed, constants)
    settings = f"{sha256(images.cpu())} {list(images.shape)} {images.device.type} {name} {severity} {seed} {values}"
    content = hashlib.sha256(settings.encode()).hexdigest()[:24]
    path = _place(folder) / "corrupted" / f"{name}-{severity}-{content}.safetensors"
    if (kept := _kept(path, images)) is not None:
        return kept
    made = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if (kept := _kept(path, images)) is not None:  # the process we waited for has left it
                return kept
            made = corrupt(images, name, severity, seed, constants)
            partial = path.with_suffix(".partial")
            try:
                save_file({"images": made.cpu()}, partial, {"program": _program(), "sha256": sha256(made.cpu())})
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
    except (OSError, NotImplementedError, SafetensorError) as problem:  # also a file system without locks
        report(f"{name} at severity {severity} is made anew each time: {path} cannot be written: {problem}.")
    return corrupt(images, name, severity, seed, constants) if made is None else made


def _kept(path: Path, images: Tensor) -> Tensor | None:
    """Return the corrupted images of a good file, None if there is none."""
    try:
        if not path.is_file():
            return None
        with safe_open(path, "pt") as file:
            found, own = file.get_tensor("images"), file.metadata() or {}
        if own.get("program") != _program():
            return None
        if (found.dtype, found.shape, own.get("sha256")) == (images.dtype, images.shape, sha256(found)):
            return found.to(images.device)
        problem: object = "its SHA-256 is another one"
    except (OSError, SafetensorError) as error:
        problem = error
    report(f"{path} is damaged, and made again: {problem}.")
    return None


@functools.cache
def _program() -> str:
    """Return the SHA-256 of the source of all corruptions."""
    files = sorted(Path(__file__).parent.glob("corruption*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def test_distribution(
    image_set: ImageSet | FolderSet, name: str, severity: int, folder: Path | None = None
) -> Distribution:
    """Return the test images of a set under a corruption: CIFAR-10-C and ImageNet-C where their files are.

    Args:
        image_set: what `lib.data.load` or `lib.data.open_folders` returned.
        name: one of `lib.data.CORRUPTIONS`.
        severity: 1 to 5.
        folder: the data folder; None means `lib.data.default_folder()`.

    Returns:
        The images, in the order of the test set, and where they come from.

    Raises:
        InputError: an unknown name or severity, or published files that are damaged.
    """
    images, labels, place = image_set.test_images, image_set.test_labels, _place(folder)
    chosen_constants(torch.empty(images.shape, dtype=torch.uint8, device="meta"), name, severity)
    if isinstance(image_set, FolderSet):
        root = place / IMAGENET_C.lower() / name / str(severity)
        if image_set.name == IMAGENET and root.exists():
            return _imagenet_c(root, image_set)
        return Distribution(replace(image_set.test_images, corruption=(name, severity, 0)), labels, MADE_HERE)
    if has_cifar10_c(image_set.name, name, folder):
        return Distribution(_cifar10_c(place / CIFAR10_C / f"{name}.npy", severity, image_set), labels, CIFAR10_C)
    return Distribution(corrupted(image_set.test_images, name, severity, folder=folder), labels, MADE_HERE)


test_distribution.__test__ = False  # to pytest  # pyright: ignore[reportFunctionMemberAccess]


def has_cifar10_c(image_set: str, name: str, folder: Path | None = None) -> bool:
    """Tell whether a set is CIFAR-10, and the data folder has the published file of a corruption of it."""
    return image_set == "cifar10" and (_place(folder) / CIFAR10_C / f"{name}.npy").exists()


def _cifar10_c(path: Path, severity: int, image_set: ImageSet) -> Tensor:
    """Return a severity's part of a published file."""
    do = f"Unpack CIFAR-10-C.tar (Zenodo, record 2535967) in {path.parent.parent}, or remove {path} to corrupt images here."
    count, labels = len(image_set.test_images), path.with_name("labels.npy")
    part, all_of_them = slice((severity - 1) * count, severity * count), len(SEVERITIES) * count
    found = _array(path, "uint8", (all_of_them, *image_set.test_images.shape[1:]), do)[part]
    if not np.array_equal(_array(labels, WHOLE_NUMBERS, (all_of_them,), do)[part], image_set.test_labels.numpy()):
        raise InputError(f"{labels} does not hold the labels of CIFAR-10's test set, five times over. {do}")
    return torch.from_numpy(found.copy())


def has_cifar10_1(folder: Path | None = None) -> bool:
    """Tell whether the files of CIFAR-10.1 are in the data folder."""
    return all((_place(folder) / CIFAR10_1 / name).is_file() for name in CIFAR10_1_FILES)


def cifar10_1(folder: Path | None = None) -> Distribution:
    """Return CIFAR-10.1, version 6: 2,000 new images of CIFAR-10's classes.

    Args:
        folder: the data folder; None means `lib.data.default_folder()`.

    Raises:
        InputError: the files are not there, or damaged.
    """
    root = _place(folder) / CIFAR10_1
    do = f"Put {' and '.join(CIFAR10_1_FILES)} there, from the folder datasets of github.com/modestyachts/CIFAR-10.1."
    data, truth = (root / name for name in CIFAR10_1_FILES)
    images = _array(data, "uint8", (CIFAR10_1_IMAGES, 32, 32, 3), do)
    labels = _array(truth, WHOLE_NUMBERS, images.shape[:1], do)
    if labels.min() < 0 or labels.max() > 9:
        raise InputError(f"{truth} goes from {labels.min()} to {labels.max()}; allowed: the classes 0 to 9. {do}")
    return Distribution(torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.uint8)), CIFAR10_1)


def _imagenet_c(root: Path, image_set: FolderSet) -> Distribution:
    """List the images of one corruption and severity."""
    do = f"Unpack ImageNet-C (Zenodo, record 2235448) there, or remove {root} to corrupt images here."
    paths, labels = _listed(root, {name: number for number, name in enumerate(image_set.class_names)}, do)
    if not torch.equal(labels, image_set.test_labels):
        counts = [one.bincount(minlength=len(image_set.class_names)) for one in (labels, image_set.test_labels)]
        wrong = int((counts[0] != counts[1]).int().argmax())
        found, needed = (int(one[wrong]) for one in counts)
        raise InputError(
            f"{root / image_set.class_names[wrong]} has {found} images; allowed: {needed}, as in val. {do}"
        )
    device = image_set.test_images.device
    return Distribution(FolderImages(root, paths, device, short_side=None), labels, IMAGENET_C)


def objectnet(folder: Path | None = None) -> Distribution:
    """Return ObjectNet's images of the classes that are in ImageNet, without their border.

    An object may be several of ImageNet's classes. As in LIP's program, the label is the first one that the mapping names.

    Args:
        folder: the data folder; None means `lib.data.default_folder()`.

    Raises:
        InputError: images or mappings are not there, or not in the published format.
    """
    root = _place(folder) / "objectnet-1.0"
    do = f"Unpack objectnet-1.0.zip (objectnet.dev) in {root.parent}: {root.name}/images and {root.name}/mappings."
    names, words, lines = (_read_json(root / "mappings" / name, do) for name in MAPPINGS[:3])
    path = root / "mappings" / MAPPINGS[3]
    try:
        line_of = {text.strip(): line for line, text in enumerate(path.read_text("utf-8").splitlines())}
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"{path} cannot be read: {problem}. {do}") from problem
    classes = {line: int(number) for number, line in lines.items() if number.isdecimal()}
    count = IMAGENET_COUNTS["classes"]
    labels = {}
    for name, label in names.items():
        if label in words:
            first = str(words[label]).split(";")[0].strip()
            number = classes.get(line_of.get(first, -1), -1)
            if not 0 <= number < count:
                where = root / "mappings" / MAPPINGS[1]
                raise InputError(f"{where} maps {label!r} to {first!r}, which is no class of ImageNet in {path}. {do}")
            labels[name] = number
    if not labels:
        raise InputError(f"{root / 'mappings'} maps no folder of images to a class of ImageNet. {do}")
    paths, found = _listed(root / "images", labels, do)
    return Distribution(FolderImages(root / "images", paths, border=BORDER), found, OBJECTNET)


def _place(folder: Path | None) -> Path:
    return default_folder() if folder is None else Path(folder).expanduser()


def _array(path: Path, kind: str, shape: tuple[int, ...], do: str) -> np.ndarray:
    """Open a file of NumPy's, without reading it; raise InputError for a damaged one, or another type or shape."""
    moved = f"The environment variable {FOLDER_VARIABLE} names another data folder."
    try:
        found = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError as problem:
        raise InputError(f"there is no {path}. {do} {moved}") from problem
    except (OSError, ValueError) as problem:  # also of a truncated one
        raise InputError(f"{path} cannot be read as an array: {problem}. {do}") from problem
    right = np.issubdtype(found.dtype, np.integer) if kind == WHOLE_NUMBERS else found.dtype == kind
    if not right or found.shape != shape:
        raise InputError(f"{path} is {found.dtype} {list(found.shape)}; allowed: {kind} {list(shape)}. {do}")
    return found


def _listed(root: Path, labels: Mapping[str, int], do: str) -> tuple[np.ndarray, Tensor]:
    """Return the paths of the images below `root` and their labels, folder by folder, sorted."""
    from torchvision.datasets.folder import IMG_EXTENSIONS  # a second to import

    paths, found = [], []
    for name in sorted(labels):
        own = []
        if (root / name).is_dir():
            own = sorted(file.name for file in os.scandir(root / name) if file.name.lower().endswith(IMG_EXTENSIONS))
        if not own:
            raise InputError(f"{root / name} has no images; {len(labels)} folders of images are needed in {root}. {do}")
        paths += [os.fsencode(f"{name}/{file}") for file in own]
        found += [labels[name]] * len(own)
    return np.array(paths), torch.tensor(found)


def _read_json(path: Path, do: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as problem:
        raise InputError(f"{path} cannot be read as JSON: {problem}. {do}") from problem
    if not isinstance(found, dict):
        raise InputError(f"{path} holds a {type(found).__name__}; allowed: an object of names and values. {do}")
    return found
