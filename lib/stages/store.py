"""The store keeps finished stages: one folder an entry, named by its key.

An entry appears whole or not at all. A stack's entries appear together: they are written aside, declared complete by one
rename, then moved to their places; whoever opens the store after a kill carries a declared batch to its end
and drops an undeclared one. Every file is listed with its SHA-256, and an entry that no longer matches is named, set
aside and trained again. Locks are the system's (flock), so they end with the process that holds them.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tarfile
import time
import uuid
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from platformdirs import user_cache_path
from safetensors.torch import load_file, save_file
from torch import Tensor

from lib.errors import InputError

MANIFEST = "manifest.json"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default_store() -> Path:
    """Return the folder used where none is named: $PRUNING_BOOK_STORE, else the user's cache."""
    return Path(os.environ.get("PRUNING_BOOK_STORE") or user_cache_path("pruning-book") / "store")


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
        """Read one group of tensors: "weights", "masks" or "examples"."""
        return load_file(self.folder / f"{name}.safetensors")


class Store:
    """A folder of finished stages.

    Args:
        folder: where; None takes `default_store()`. It is created.

    Raises:
        InputError: if the folder cannot be written.
    """

    def __init__(self, folder: str | Path | None = None):
        self.folder = Path(folder).expanduser() if folder else default_store()
        self._entries, self._incoming = self.folder / "entries", self.folder / "incoming"
        self._locks, self._checkpoints = self.folder / "locks", self.folder / "checkpoints"
        with self._explained():
            for path in (self._entries, self._incoming, self._locks, self._checkpoints):
                path.mkdir(parents=True, exist_ok=True)
        self._finish_interrupted()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
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

    # reading

    def find(self, key: str) -> Entry | None:
        """Return the entry of a key, or None; a damaged entry is named in a warning, set aside and counts as absent."""
        folder = self._entries / key
        if not folder.exists():
            return None
        try:
            manifest = json.loads((folder / MANIFEST).read_text())
            damaged = [n for n, digest in manifest["files"].items() if _sha256(folder / n) != digest]
            record = manifest["record"]
        except (OSError, ValueError, KeyError) as error:
            damaged, record = [f"{MANIFEST} ({error})"], {}
        if not damaged:
            return Entry(key, folder, record)
        aside = self.folder / "damaged" / f"{key}-{uuid.uuid4().hex[:6]}"
        aside.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # another process was first
            folder.rename(aside)
        warnings.warn(
            f"stage {key} is damaged on disk ({', '.join(damaged)} differ from their checksums); it was moved to "
            f"{aside} and will be trained again",
            stacklevel=2,
        )
        return None

    def keys(self) -> list[str]:
        """Return the keys of all entries."""
        return sorted(p.name for p in self._entries.iterdir())

    # writing

    def put(self, entries: Mapping[str, tuple[dict, Mapping[str, Mapping[str, Tensor]]]]) -> None:
        """Keep the entries of a stack: all of them or none.

        Args:
            entries: key → (record, group name → tensors).

        Raises:
            InputError: if the folder is full or read-only; nothing half-written is left to be found.
        """
        batch = self._incoming / uuid.uuid4().hex
        try:
            with self._explained():
                for key, (record, groups) in entries.items():
                    (batch / key).mkdir(parents=True)
                    for name, tensors in groups.items():
                        whole = {n: t.contiguous() for n, t in tensors.items()}
                        save_file(whole, batch / key / f"{name}.safetensors")
                    files = {p.name: _sha256(p) for p in sorted((batch / key).iterdir())}
                    manifest = {"key": key, "created": time.time(), "files": files, "record": record}
                    (batch / key / MANIFEST).write_text(json.dumps(manifest, indent=1))
                self._declare(batch)
        except BaseException:
            shutil.rmtree(batch, ignore_errors=True)
            raise

    def _declare(self, batch: Path) -> None:
        """Declare a batch complete and move it in; under the lock, lest another process moves it in meanwhile."""
        with FileLock(self._locks / "incoming.lock"):
            batch.rename(complete := batch.with_suffix(".complete"))
            self._move_in(complete)

    def _move_in(self, batch: Path) -> None:
        for entry in list(batch.iterdir()):
            place = self._entries / entry.name
            if place.exists():
                shutil.rmtree(entry)  # trained twice, as when two folders are merged: the first stays
            else:
                entry.rename(place)
        batch.rmdir()

    def _finish_interrupted(self) -> None:
        with self._explained(), FileLock(self._locks / "incoming.lock"):
            for batch in list(self._incoming.iterdir()):
                with contextlib.suppress(
                    FileNotFoundError
                ):  # its writer may be alive and finish it meanwhile
                    if batch.suffix == ".complete":
                        self._move_in(batch)
                    elif time.time() - batch.stat().st_mtime > 3600:
                        shutil.rmtree(batch)

    @contextlib.contextmanager
    def locked(self, keys: Iterable[str]) -> Iterator[None]:
        """Hold the locks of some keys, so that no two processes train the same stage.

        They are taken in sorted order, so that two stacks that overlap cannot wait for each other.
        """
        with contextlib.ExitStack() as held:
            for key in sorted(keys):
                lock = FileLock(self._locks / f"{key}.lock")
                try:
                    held.enter_context(lock.acquire(timeout=0))
                except Timeout:
                    print(f"waiting for another process that trains stage {key}", flush=True)
                    held.enter_context(lock.acquire())
            yield

    # checkpoints within a stage

    def checkpoint_path(self, keys: Iterable[str]) -> Path:
        """Return where a stack that trains these stages keeps its checkpoint."""
        return self._checkpoints / (hashlib.sha256("".join(sorted(keys)).encode()).hexdigest()[:32] + ".pt")

    def save_checkpoint(self, path: Path, state: dict) -> None:
        """Replace a checkpoint, whole."""
        with self._explained():
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

    # housekeeping

    def size(self) -> tuple[int, int]:
        """Return the number of entries and the bytes of the whole folder."""
        return len(self.keys()), sum(p.stat().st_size for p in self.folder.rglob("*") if p.is_file())

    def clean(self, older_than_days: float | None = None, keep: Iterable[str] | None = None) -> list[str]:
        """Remove entries by age, or all that are not to be kept, and what was damaged or abandoned.

        Args:
            older_than_days: removes entries that were made longer ago.
            keep: removes entries whose key is not among these.

        Returns:
            The removed keys.

        Raises:
            InputError: if neither is given: an empty call must not empty the store.
        """
        if older_than_days is None and keep is None:
            raise InputError("clean needs older_than_days, keep, or both")
        wanted, now, removed = None if keep is None else set(keep), time.time(), []
        for key in self.keys():
            age = (now - (self._entries / key).stat().st_mtime) / 86400
            if (older_than_days is None or age > older_than_days) and (wanted is None or key not in wanted):
                with FileLock(self._locks / f"{key}.lock"):
                    shutil.rmtree(self._entries / key)
                removed.append(key)
        shutil.rmtree(self.folder / "damaged", ignore_errors=True)
        for path in self._checkpoints.iterdir():
            if now - path.stat().st_mtime > 86400 * (older_than_days or 1):  # nobody has gone on from it
                path.unlink()
        return removed

    def export(self, file: Path, keys: Iterable[str] | None = None) -> int:
        """Write entries into one tar file, which appears when it is whole; return their number."""
        chosen = sorted(self.keys() if keys is None else keys)
        partial = file.with_name(file.name + ".partial")
        with tarfile.open(partial, "w") as archive:
            for key in chosen:
                archive.add(self._entries / key, arcname=key)
        partial.replace(file)
        return len(chosen)

    def import_(self, file: Path) -> int:
        """Take in the entries of an exported file, all or none; return how many were new.

        Raises:
            InputError: if the file is not a whole export.
        """
        batch = self._incoming / uuid.uuid4().hex
        before = len(self.keys())
        try:
            with self._explained():
                batch.mkdir()
            with tarfile.open(file) as archive:
                archive.extractall(batch, filter="data")
            for entry in batch.iterdir():
                files = json.loads((entry / MANIFEST).read_text())["files"]
                if bad := [name for name, digest in files.items() if _sha256(entry / name) != digest]:
                    raise InputError(
                        f"{file}: stage {entry.name} is damaged ({', '.join(bad)}); nothing was imported"
                    )
            self._declare(batch)
        except (tarfile.TarError, OSError, ValueError, KeyError) as error:
            shutil.rmtree(batch, ignore_errors=True)
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{file} is not a whole export of a store ({error}); nothing was imported"
            ) from error
        return len(self.keys()) - before
