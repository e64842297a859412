"""Images with a class for each pixel, in files: Pascal VOC 2012, and its larger relative SBD, which LIP calls VOC 2011.

    sbd/                 img/NAME.jpg         cls/NAME.mat                train.txt, val.txt (8,498 and 2,857 names)
    VOCdevkit/VOC2012/   JPEGImages/NAME.jpg  SegmentationClass/NAME.png  ImageSets/Segmentation/train.txt, val.txt

are torchvision's layouts (SBDataset, VOCSegmentation), in the data folder; val is the test set here. A map has 0 for the
background, 1 to 20 for the objects and 255 for pixels that do not count.

An image is resized until its short side has 513 pixels, and its 513 × 513 pixels in the middle are taken; for training the
short side has 256 to 1,024, what lacks is black and does not count, and a random part is flipped half of the time (LIP App.
B.5; facts C.6, L28). A corruption is that of the file, before it is resized.

Sources: Mark Everingham et al., "The Pascal Visual Object Classes Challenge: A Retrospective", 2015; Bharath Hariharan et
al., "Semantic Contours from Inverse Detectors", 2011.
"""

import functools
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from lib.data.corruptions import corrupt_alone
from lib.data.folder_images import SEGMENTED, FolderImages, FolderSet
from lib.data.image_sets import FOLDER_VARIABLE, default_folder
from lib.errors import InputError, unknown
from lib.seeds import generator

IGNORED = 255  # in a map: a pixel that does not count
SIDE = 513  # pixels
SMALLEST_RESIZED, LARGEST_RESIZED = 256, 1024  # short side of a training image, for parts of 513 pixels

CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "dining table",
    "dog", "horse", "motorbike", "person", "potted plant", "sheep", "sofa", "train", "tv monitor",
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Where a set keeps the files of an image by its name, and the lists of names of its halves."""

    folder: str
    image: str
    map: str
    list: str
    counts: tuple[int, int] | None = None
    side: int = SIDE


LAYOUTS = {
    "sbd": Layout("sbd", "img/{}.jpg", "cls/{}.mat", "{}.txt", (8498, 2857)),
    "voc2012": Layout(
        "VOCdevkit/VOC2012",
        "JPEGImages/{}.jpg",
        "SegmentationClass/{}.png",
        "ImageSets/Segmentation/{}.txt",
        (1464, 1449),
    ),
}
GENERATED_SEGMENTATION = "generated-segmentation"
"""A small generated set in SBD's layout, for tests."""


@dataclass(frozen=True, eq=False)
class SegmentationImages(FolderImages):
    """Some images in files with their maps, in an order; `paths` are their names.

    Indexed like a tensor they are images alone; `read` yields uint8 [B, side, side, 4]: red, green, blue, and the class of
    each pixel. `split_classes` takes them apart.
    """

    layout: Layout = LAYOUTS["sbd"]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Images, height, width, channels."""
        return len(self), self.layout.side, self.layout.side, 3

    def __getitem__(self, indices: Tensor | slice) -> Tensor:
        return super().__getitem__(indices)[..., :3]

    def _decoded(self, seeds: Tensor | None) -> Dataset:
        return _Files(self, seeds)


def split_classes(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the images, uint8 [B, H, W, 3], and the class of each pixel, int64 [B, H, W], of what was read."""
    return pixels[..., :3], pixels[..., 3].long()


@dataclass(frozen=True, eq=False)
class _Files(Dataset):
    """Decoded images and maps by their position in an order."""

    images: SegmentationImages
    seeds: Tensor | None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> Tensor:
        from torchvision import tv_tensors

        images, name = self.images, os.fsdecode(self.images.paths[position])
        path, map_path = (images.root / place.format(name) for place in (images.layout.image, images.layout.map))
        image, classes = _decode(path, lambda file: Image.open(file).convert("RGB")), _decode(map_path, _read_map)
        wrong = classes[(classes >= len(CLASSES)) & (classes != IGNORED)]
        if classes.shape != (image.height, image.width) or wrong.size:
            what = (
                f"class {wrong[0]}"
                if wrong.size
                else f"{classes.shape}, but {path.name} has {image.height, image.width}"
            )
            raise InputError(f"{map_path} has {what}. Replace it by the original file.")
        if images.corruption:
            corrupted = corrupt_alone(torch.from_numpy(np.array(image)), *images.corruption, which=name)
            image = Image.fromarray(corrupted.numpy())
        middle, random_part = _transforms(images.layout.side)
        pair = image, tv_tensors.Mask(torch.from_numpy(classes))
        if self.seeds is None:
            image, mask = middle(*pair)
        else:
            with torch.random.fork_rng(devices=[]):  # torchvision draws from the process's generator
                torch.default_generator.manual_seed(int(self.seeds[position]))
                image, mask = random_part(*pair)
        pixels = torch.from_numpy(np.array(image))
        return torch.cat([pixels, mask.as_subclass(Tensor).unsqueeze(-1)], -1)


def _decode(path: Path, decode):
    try:
        return decode(path)
    except Exception as problem:  # SciPy raises many kinds for a file that is cut short
        what = f"{path} cannot be read: {type(problem).__name__}: {problem}. Replace it by the original file."
        raise InputError(what) from problem


def _read_map(path: Path) -> np.ndarray:
    """Return the class of each pixel, uint8 [H, W], of SBD's MATLAB file or VOC's image with a palette."""
    if path.suffix == ".mat":
        from scipy.io import loadmat

        classes = loadmat(path)["GTcls"][0]["Segmentation"][0]
    else:
        with Image.open(path) as file:
            classes = np.array(file)
    if classes.ndim != 2 or classes.dtype != np.uint8:
        raise ValueError(f"it holds {classes.dtype} {classes.shape}, not uint8 [height, width]")
    return np.ascontiguousarray(classes)


@functools.cache
def _transforms(side: int):
    """Return the transforms of an image and its map for evaluation and for training; a second to import."""
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    small, large = SMALLEST_RESIZED * side // SIDE, LARGEST_RESIZED * side // SIDE
    fill: dict[type | str, Any] = {tv_tensors.Mask: IGNORED, "others": 0}
    crop = v2.RandomCrop(side, pad_if_needed=True, fill=fill)
    middle = v2.Compose([v2.Resize(side), v2.CenterCrop(side)])
    return middle, v2.Compose([v2.RandomResize(small, large + 1), crop, v2.RandomHorizontalFlip()])


def open_segmentation(name: str, folder: Path | None = None) -> FolderSet:
    """Return a segmentation set that stays in its files; labels of whole images are 0, since it has none.

    Args:
        name: one of `lib.data.folder_images.SEGMENTED`.
        folder: the data folder; None means `lib.data.default_folder()`.

    Raises:
        InputError: the name is unknown, or the files are not there or not all there.
    """
    if name == GENERATED_SEGMENTATION:
        return read_segmentation(name, Path(_generated().name), replace(LAYOUTS["sbd"], counts=None, side=33))
    if name not in LAYOUTS:
        raise unknown("segmentation set", name, SEGMENTED)
    root = default_folder() if folder is None else Path(folder).expanduser()
    return read_segmentation(name, root / LAYOUTS[name].folder, LAYOUTS[name])


def read_segmentation(name: str, root: Path, layout: Layout) -> FolderSet:
    """List the images of a set in a folder; raise InputError for files that lack, or other numbers than the layout's."""
    train, test = (_list(root, layout, half) for half in ("train", "val"))
    if layout.counts not in (None, (len(train), len(test))):
        raise _wrong(root, layout, f"it lists {len(train):,} and {len(test):,} images, not {layout.counts}")
    images = [SegmentationImages(root, names, layout=layout) for names in (train, test)]
    labels = [torch.zeros(len(names), dtype=torch.int64) for names in (train, test)]
    return FolderSet(name, images[0], labels[0], images[1], labels[1], CLASSES)


def _list(root: Path, layout: Layout, half: str) -> np.ndarray:
    try:
        names = (root / layout.list.format(half)).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as problem:
        raise _wrong(root, layout, str(problem)) from problem
    files = [place.format(name) for name in names for place in (layout.image, layout.map)]
    if absent := [file for file in files if not (root / file).is_file()]:
        raise _wrong(root, layout, f"{len(absent):,} files are not there, the first is {absent[0]}")
    if not names:
        raise _wrong(root, layout, f"{layout.list.format(half)} lists no image")
    return np.array([os.fsencode(name) for name in names])


def _wrong(root: Path, layout: Layout, what: str) -> InputError:
    files = [layout.image.format("NAME"), layout.map.format("NAME"), *map(layout.list.format, ("train", "val"))]
    return InputError(
        f"{root} does not hold the segmentation set: {what}. Put there {', '.join(files)}: for SBD they are in the folder "
        "benchmark_RELEASE/dataset of benchmark.tgz, for VOC 2012 in VOCtrainval_11-May-2012.tar. A link in the data folder "
        f"will do; the environment variable {FOLDER_VARIABLE} names another data folder."
    )


def write_segmentation(root: Path, layout: Layout, train: int = 24, test: int = 8) -> None:
    """Write a generated set in a layout: a rectangle of one of three classes on noise, in images of different sizes.

    A pixel's brightness says its class; a rectangle's rim does not count, as in VOC.
    """
    from scipy.io import savemat

    draw = generator(0, "generated segmentation set")
    for place in (layout.image, layout.map, layout.list):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
    for half, count in (("train", train), ("val", test)):
        names = [f"2008_{number + (half == 'val') * train:06d}" for number in range(count)]
        (root / layout.list.format(half)).write_text("\n".join(names) + "\n")
        for number, name in enumerate(names):
            height, width = 40 + 8 * (number % 3), 56 - 8 * (number % 2)
            top, left = (int(v) for v in torch.randint(4, 12, (2,), generator=draw))
            classes = np.zeros((height, width), dtype=np.uint8)
            classes[top : top + 22, left : left + 26] = IGNORED
            classes[top + 1 : top + 21, left + 1 : left + 25] = 1 + number % 3
            noise = torch.randint(-20, 21, (height, width, 3), generator=draw).numpy()
            bright = np.where(classes == IGNORED, 0, classes)[..., None] * 60
            Image.fromarray((bright + 30 + noise).clip(0, 255).astype(np.uint8)).save(root / layout.image.format(name))
            path = root / layout.map.format(name)
            if path.suffix == ".mat":
                parts = np.zeros((1, 1), dtype=[("Segmentation", object)])
                parts["Segmentation"][0, 0] = classes
                savemat(path, {"GTcls": parts}, do_compression=True)
            else:
                indexed = Image.fromarray(classes, mode="P")
                indexed.putpalette([value for entry in range(256) for value in (entry,) * 3])
                indexed.save(path)


@functools.cache
def _generated() -> tempfile.TemporaryDirectory:
    """Write the generated set once in a process; its folder goes when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="generated-segmentation-")
    write_segmentation(Path(folder.name), LAYOUTS["sbd"])
    return folder
