"""A finished stage on disk: a folder with tensors, and a manifest with its record and the SHA-256 of every file.

Booleans lie there as bits, and of a pruned weight only the values that remain, in the order of the flattened tensor. One
that is not zero where its mask is False is kept whole, so nothing is lost but the sign of a zero.
"""

import contextlib
import hashlib
import json
import math
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from lib.errors import InputError, refused, unknown

MANIFEST = "manifest.json"
NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
"""Of the system's refusals, those that say what is on disk. The others say that it could not be read this time."""


class Damaged(InputError):
    """A stage or a measurement is not as it was written; `key` names it, and it was set aside."""

    def __init__(self, key: str, message: str):
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class Entry:
    """A finished stage on disk.

    Attributes:
        key: its key.
        folder: where its files lie.
        record: its numbers: metrics, provenance, whether it diverged.
    """

    key: str
    folder: Path
    record: dict

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Read one group of tensors: "weights", pruned ones being zero, "examples", or "masks"; booleans as bits.

        Raises:
            Damaged: if a file differs from its checksum.
        """
        tensors, metadata = self._read(name)
        if names := json.loads(metadata.get("remaining", "[]")):
            masks = self.masks()
            for weight in names:
                values, mask = tensors[weight], masks[weight]
                tensors[weight] = torch.zeros(mask.shape, dtype=values.dtype).masked_scatter_(mask, values)
        return tensors

    def masks(self) -> dict[str, Tensor]:
        """Return the masks, name → bool like the weight, True where it remains; raises what `tensors` does."""
        packed, metadata = self._read("masks")
        if "shapes" in metadata:
            shapes = json.loads(metadata["shapes"])
        else:  # kept before the shapes were
            shapes = {name: weight.shape for name, weight in self._read("weights")[0].items()}
        return {name: unpack(bits, shapes[name]) for name, bits in packed.items()}

    def _read(self, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
        """Return the tensors and the metadata of a file, once its checksum is right."""
        path = self.folder / f"{name}.safetensors"
        if wrong := problem(self.folder, [path.name]):
            raise set_aside(self.folder, wrong)
        if not path.exists():
            raise unknown("group of tensors", name, [file.stem for file in self.folder.glob("*.safetensors")])
        with safe_open(path, "pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118


def write_entry(folder: Path, record: dict, groups: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Write an entry into a new folder that has its key as name.

    Args:
        folder: made here.
        record: its numbers.
        groups: name → tensors; of "weights" only what "masks" lets remain is written.
    """
    folder.mkdir(parents=True)
    groups = {group: {n: t.cpu() for n, t in tensors.items()} for group, tensors in groups.items()}
    weights, masks = groups["weights"], groups["masks"]
    remaining = {n: weights[n][m] for n, m in masks.items() if not m.all() and not weights[n][~m].any()}
    groups["weights"] = {**weights, **remaining}
    metadata = {
        "weights": {"remaining": json.dumps([*remaining])},
        "masks": {"shapes": json.dumps({name: [*mask.shape] for name, mask in masks.items()})},
    }
    for group, tensors in groups.items():
        written = {n: pack(t) if t.dtype == torch.bool else t.contiguous() for n, t in tensors.items()}
        (folder / f"{group}.safetensors").write_bytes(
            save(written, metadata.get(group, {}))
        )  # a full disk is an OSError
    files = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    checksum = digest(json.loads(json.dumps(record)))  # as it is read: with text for the keys of a mapping
    manifest = {"key": folder.name, "created": time.time(), "files": files, "sha256": checksum, "record": record}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))


def pack(flags: Tensor) -> Tensor:
    """Pack booleans into bits, eight a byte, uint8 [⌈n / 8⌉]."""
    return torch.from_numpy(numpy.packbits(flags.cpu().numpy().ravel()))


def unpack(bits: Tensor, shape: Sequence[int]) -> Tensor:
    """Undo `pack`: bool of the given shape."""
    flags = numpy.unpackbits(bits.numpy(), count=math.prod(shape)).astype(bool)
    return torch.from_numpy(flags).view(*shape)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(value: object) -> str:
    """Return what identifies a JSON value in the store."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def read_manifest(folder: Path) -> dict:
    """Read what an entry says of itself; ValueError, KeyError or OSError where it is not as it was written."""
    manifest = json.loads((folder / MANIFEST).read_text())
    if manifest.get("sha256", (own := digest(manifest["record"]))) != own:  # older ones have no checksum
        raise ValueError("its record differs from its checksum")
    return manifest


def problem(path: Path, only: Sequence[str] | None = None) -> str:
    """Return how an entry (a folder) or a measurement (a file) differs from its checksums; nothing for a whole one.

    Args:
        path: of either.
        only: look at these files of an entry; None for all.

    Raises:
        InputError: the system would not let it be read, which says nothing of what it holds.
    """
    try:
        if path.is_dir():
            manifest = read_manifest(path)
            files = manifest["files"]
            listed = files.keys() if only is None else files.keys() & only
            wrong = [name for name in sorted(listed) if sha256(path / name) != files[name]]
        else:
            content = json.loads(path.read_text())
            wrong = [] if digest(content["value"]) == content["sha256"] else ["its value"]
    except OSError as error:
        if not isinstance(error, NOT_THERE):
            raise unreadable(path, error) from error
        return repr(error)
    except (ValueError, KeyError, TypeError) as error:
        return repr(error)
    return f"{wrong[0]} differs from its checksum" if wrong else ""


def unreadable(path: Path, error: OSError) -> InputError:
    """Build the error for what may be whole, but could not be read."""
    why = error.strerror or str(error)
    return InputError(f"{path} cannot be read ({why}). It is left as it is; try again, as a user who may read it.")


def set_aside(path: Path, wrong: str) -> Damaged:
    """Move an entry or a measurement to the store's folder `damaged`; return the error that says so."""
    key, aside = path.stem, path.parents[1] / "damaged" / f"{path.name}-{uuid.uuid4().hex[:6]}"
    try:
        aside.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # another process was first
            path.rename(aside)
    except OSError as error:
        return Damaged(
            key, f"{key} is damaged on disk ({wrong}), and {path} cannot be moved away: its folder {refused(error)}"
        )
    return Damaged(key, f"{key} is damaged on disk ({wrong}); it was moved to {aside}, and the next run makes it again")
