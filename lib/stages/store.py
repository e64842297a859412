"""The store keeps finished stages, one folder an entry named by its key, and what was measured on them.

An entry appears whole or not at all. A stack's entries appear together: they are written aside, declared complete by one
rename, then moved to their places; whoever opens the store after a kill carries a declared batch to its end and drops an
undeclared one. Every file is listed with its SHA-256, which is checked when it is read; an entry that no longer matches is
named, set aside and trained again. Locks are the system's, so they end with the process that holds them.
"""

import contextlib
import errno
import json
import os
import shutil
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from platformdirs import user_cache_path
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from lib.errors import InputError, unknown
from lib.stages.checksums import MANIFEST, digest, measurement_problem, sha256
from lib.stages.packing import keep_remaining, restore_weight, unpack


def default_store() -> Path:
    """Return the folder used where none is named: $PRUNING_BOOK_STORE, else the user's cache."""
    return Path(os.environ.get("PRUNING_BOOK_STORE") or user_cache_path("pruning-book") / "store")


class Damaged(InputError):
    """A stage or a measurement is not as it was written; `key` names it, and it was set aside."""

    def __init__(self, key: str, message: str):
        super().__init__(message)
        self.key = key


def set_aside(path: Path, problem: str) -> Damaged:
    """Move an entry or a measurement to the store's folder `damaged`; return the error that says so."""
    key, aside = path.stem, path.parents[1] / "damaged" / f"{path.name}-{uuid.uuid4().hex[:6]}"
    aside.parent.mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):  # another process was first
        path.rename(aside)
    return Damaged(
        key, f"{key} is damaged on disk ({problem}); it was moved to {aside}, and the next run makes it again"
    )


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
        """Read one group of tensors: "weights", pruned ones being zero, "examples", or "masks" as bits (see `masks`).

        Raises:
            Damaged: if a file differs from its checksum.
        """
        tensors, metadata = self._read(name)
        if names := json.loads(metadata.get("remaining", "[]")):
            masks = self.masks()
            tensors |= {weight: restore_weight(tensors[weight], masks[weight]) for weight in names}
        return tensors

    def masks(self) -> dict[str, Tensor]:
        """Return the masks, name → bool like the weight, True where it remains.

        Raises:
            Damaged: if a file differs from its checksum.
        """
        packed, metadata = self._read("masks")
        if "shapes" in metadata:
            shapes = json.loads(metadata["shapes"])
        else:  # kept before the shapes were
            shapes = {name: weight.shape for name, weight in self._read("weights")[0].items()}
        return {name: unpack(bits, shapes[name]) for name, bits in packed.items()}

    def _read(self, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
        """Return the tensors and the metadata of a file, once its checksum is right."""
        path = self.folder / f"{name}.safetensors"
        try:
            files = json.loads((self.folder / MANIFEST).read_text())["files"]
            problem = f"{path.name} differs from its checksum"
            if path.name not in files or sha256(path) == files[path.name]:
                problem = ""
        except (OSError, ValueError, KeyError) as error:
            files, problem = {}, repr(error)
        if problem:
            raise set_aside(self.folder, problem)
        if path.name not in files:
            raise unknown("group of tensors", name, [Path(file).stem for file in files])
        with safe_open(path, "pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118


class Store:
    """A folder of finished stages.

    Args:
        folder: where; None takes `default_store()`. It is created.

    Attributes:
        folder: of all of it; in it `entries`, `measurements`, `incoming`, `locks` and `checkpoints`.

    Raises:
        InputError: if the folder cannot be written.
    """

    def __init__(self, folder: str | Path | None = None):
        self.folder = Path(folder).expanduser() if folder else default_store()
        self.entries, self.measurements = self.folder / "entries", self.folder / "measurements"
        self.incoming, self.checkpoints = self.folder / "incoming", self.folder / "checkpoints"
        self.locks = self.folder / "locks"
        self._in_use: FileLock | None = None
        with self.explained():
            for path in (self.entries, self.measurements, self.incoming, self.checkpoints, self.locks):
                path.mkdir(parents=True, exist_ok=True)
        self._finish_interrupted()

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn the system's refusals into an error that says what to do."""
        try:
            yield
        except OSError as error:
            what = {
                errno.ENOSPC: "has no space left; free some, or clean the store (python -m lib.stages clean)",
                errno.EROFS: "is on a read-only file system",
                errno.EACCES: "may not be written by this user",
                errno.EDQUOT: "is over its quota",
            }.get(error.errno or 0, f"cannot be written ({error})")
            raise InputError(
                f"the store {self.folder} {what}. Another folder can be named by the page's parameter `store` or "
                "PRUNING_BOOK_STORE; finished stages are untouched."
            ) from error

    # finished stages

    def find(self, key: str) -> Entry | None:
        """Return the entry of a key, or None; one that is not whole is named in a warning, set aside and counts as absent.

        What its files hold is checked when they are read.
        """
        folder = self.entries / key
        if not folder.exists():
            return None
        try:
            manifest = json.loads((folder / MANIFEST).read_text())
            missing = [name for name in manifest["files"] if not (folder / name).exists()]
            problem, record = f"{', '.join(missing)} missing" if missing else "", manifest["record"]
        except (OSError, ValueError, KeyError) as error:
            problem, record = f"{MANIFEST}: {error!r}", {}
        if not problem:
            return Entry(key, folder, record)
        warnings.warn(str(set_aside(folder, problem)), stacklevel=2)
        return None

    def keys(self) -> list[str]:
        """Return the keys of all entries."""
        return sorted(p.name for p in self.entries.iterdir())

    def put(self, entries: Mapping[str, tuple[dict, Mapping[str, Mapping[str, Tensor]]]]) -> None:
        """Keep the entries of a stack: all of them or none.

        Args:
            entries: key → (record, group name → tensors); of "weights" only what "masks", packed to bits, lets remain is
                written.

        Raises:
            InputError: if the folder is full or read-only; nothing half-written is left to be found.
        """
        with self.batch() as batch:
            for key, (record, groups) in entries.items():
                (batch / key).mkdir(parents=True)
                weights = {name: tensor.cpu() for name, tensor in groups.get("weights", {}).items()}
                shapes = {name: list(weights[name].shape) for name in groups.get("masks", {})}
                masks = {name: unpack(groups["masks"][name], shape) for name, shape in shapes.items()}
                remaining = keep_remaining(weights, masks)
                metadata = {"weights": {"remaining": [*remaining]}, "masks": {"shapes": shapes}}
                for name, tensors in groups.items():
                    written = {**weights, **remaining} if name == "weights" else tensors
                    said = {n: json.dumps(value) for n, value in metadata.get(name, {}).items()}
                    whole = {n: t.contiguous() for n, t in written.items()}
                    save_file(whole, batch / key / f"{name}.safetensors", said)
                files = {p.name: sha256(p) for p in sorted((batch / key).iterdir())}
                manifest = {"key": key, "created": time.time(), "files": files, "record": record}
                (batch / key / MANIFEST).write_text(json.dumps(manifest, indent=1))

    @contextlib.contextmanager
    def batch(self) -> Iterator[Path]:
        """Give a folder whose contents are moved in when the block ends, entries as folders and measurements as files."""
        batch = self.incoming / uuid.uuid4().hex
        try:
            with self.explained():
                batch.mkdir()
                yield batch
                with FileLock(self.locks / "incoming.lock"):  # lest another process moves it in meanwhile
                    batch.rename(complete := batch.with_suffix(".complete"))
                    self._move_in(complete)
        except BaseException:
            shutil.rmtree(batch, ignore_errors=True)
            raise

    def _move_in(self, batch: Path) -> None:
        for part in list(batch.iterdir()):
            place = (self.entries if part.is_dir() else self.measurements) / part.name
            if not place.exists():
                part.rename(place)
            elif part.is_dir():
                shutil.rmtree(part)  # trained twice, as when two folders are merged: the first stays
            else:
                part.unlink()
        batch.rmdir()

    def _finish_interrupted(self) -> None:
        with self.explained(), FileLock(self.locks / "incoming.lock"):
            for batch in list(self.incoming.iterdir()):
                with contextlib.suppress(
                    FileNotFoundError
                ):  # its writer may be alive and finish it meanwhile
                    if batch.suffix == ".complete":
                        self._move_in(batch)
                    elif time.time() - batch.stat().st_mtime > 3600:
                        shutil.rmtree(batch)

    # measurements on finished stages

    def measured(
        self, keys: Sequence[str], description: Mapping[str, Any], compute: Callable[[], Any]
    ) -> Any:
        """Return what was measured on some stages: kept from before, or computed now and kept.

        Args:
            keys: of the stages that it was measured on, in an order that means something.
            description: what was measured and how, as JSON; whatever changes the result belongs into it, a version of the
                measurement too.
            compute: returns the result, a JSON value such as a list of rows; called where the store has none.

        Returns:
            The result as JSON gives it back: lists for tuples, text for the keys of a mapping.
        """
        name = digest([list(keys), dict(description)])
        path = self.measurements / f"{name}.json"
        with FileLock(self.locks / f"{name}.lock"):
            if path.exists():
                if not (problem := measurement_problem(path)):
                    return json.loads(path.read_text())["value"]
                warnings.warn(str(set_aside(path, problem)), stacklevel=2)
            value = json.loads(json.dumps(compute()))
            content = {"keys": list(keys), "description": dict(description), "sha256": digest(value)}
            with self.batch() as batch:
                (batch / path.name).write_text(json.dumps(content | {"value": value}))
        return value

    # locks

    @contextlib.contextmanager
    def locked(self, keys: Iterable[str]) -> Iterator[None]:
        """Hold the locks of some keys, so that no two processes train the same stage.

        They are taken in sorted order, so that two stacks that overlap cannot wait for each other.
        """
        with contextlib.ExitStack() as held:
            for key in sorted(keys):
                lock = FileLock(self.locks / f"{key}.lock")
                try:
                    held.enter_context(lock.acquire(timeout=0))
                except Timeout:
                    print(f"waiting for another process that trains stage {key}", flush=True)
                    held.enter_context(lock.acquire())
            yield

    def hold(self, keys: Iterable[str]) -> None:
        """Keep `lib.stages.housekeeping.clean` from removing these entries while this object lives."""
        with self.explained(), FileLock(self.locks / "clean.lock"):
            if self._in_use is None:
                self._in_use = FileLock(self.locks / f"in-use-{uuid.uuid4().hex}.lock")
                self._in_use.acquire()
            with Path(self._in_use.lock_file).with_suffix(".keys").open("a") as file:
                file.writelines(f"{key}\n" for key in keys)

    # checkpoints within a stage

    def checkpoint_path(self, keys: Iterable[str]) -> Path:
        """Return where a stack that trains these stages, in any order, keeps its checkpoint."""
        return self.checkpoints / f"{digest(sorted(keys))}.pt"

    def save_checkpoint(self, path: Path, state: dict) -> None:
        """Replace a checkpoint, whole."""
        with self.explained():
            partial = path.with_suffix(f".{os.getpid()}")
            torch.save(state, partial)
            partial.replace(path)

    def load_checkpoint(self, path: Path) -> dict | None:
        """Read a checkpoint; one that cannot be read is dropped with a warning."""
        if not path.exists():
            return None
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever torch makes of a damaged file: the stage simply starts over
            warnings.warn(f"checkpoint {path} cannot be read ({error}); its stage starts over", stacklevel=2)
            path.unlink()
            return None
