"""The store keeps finished stages, one folder an entry named by its key, and what was measured on them.

An entry appears whole or not at all. A stack's entries appear together: they are written aside, declared complete by one
rename, then moved to their places; whoever opens the store after a kill carries a declared batch to its end and drops one
whose writer is gone. What does not match its checksum when it is read is named, set aside and made again. Locks are the
system's, so they end with the process that holds them. A store that may not be written can still be read.
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
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_cache_path
from torch import Tensor

from lib.errors import InputError, refused
from lib.stages.entry import (
    MANIFEST,
    NOT_THERE,
    Entry,
    digest,
    problem,
    read_manifest,
    set_aside,
    unreadable,
    write_entry,
)

READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


def default_store() -> Path:
    """Return the folder used where none is named: $PRUNING_BOOK_STORE, else the user's cache."""
    return Path(os.environ.get("PRUNING_BOOK_STORE") or user_cache_path("pruning-book") / "store").expanduser()


class Store:
    """A folder of finished stages.

    Args:
        folder: where; None takes `default_store()`. It is created.

    Attributes:
        folder: of all of it; in it `entries`, `measurements`, `incoming`, `locks` and `checkpoints`.

    Raises:
        InputError: if there is no store and it cannot be made, or the disk is full.
    """

    def __init__(self, folder: str | Path | None = None):
        self.folder = Path(folder).expanduser() if folder else default_store()
        self.entries, self.measurements = self.folder / "entries", self.folder / "measurements"
        self.incoming, self.checkpoints = self.folder / "incoming", self.folder / "checkpoints"
        self.locks = self.folder / "locks"
        self._seconds: dict[str, float] = {}  # see `clock`: of measurements that were found kept
        self._waited = 0.0
        self._in_use: FileLock | None = None
        with self.explained():
            for path in (self.entries, self.measurements, self.incoming, self.checkpoints, self.locks):
                path.mkdir(parents=True, exist_ok=True)
            with _if_it_may_be_written():
                self._finish_interrupted()

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn the system's refusals into an error that says what to do."""
        try:
            yield
        except OSError as error:
            what = refused(error)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                what += "; free some, or clean the store (python -m lib.stages clean --days 30)"
            elif error.errno in READ_ONLY:
                what += ": what it holds can be read, but nothing can be added to it"
            raise InputError(
                f"the store {self.folder} {what}. Another folder can be named by the page's parameter `store` or "
                "PRUNING_BOOK_STORE; finished stages are untouched."
            ) from error

    # finished stages

    def find(self, key: str) -> Entry | None:
        """Return the entry of a key, or None; one that is not whole is named in a warning, set aside and counts as absent.

        What its files hold is checked when they are read. InputError where the system would not let it be read.
        """
        folder = self.entries / key
        if not folder.exists():
            return None
        try:
            manifest = read_manifest(folder)
            missing = [name for name in manifest["files"] if not (folder / name).exists()]
            if not missing:
                return Entry(key, folder, manifest["record"])
            wrong = f"{', '.join(missing)} missing"
        except OSError as error:
            if not isinstance(error, NOT_THERE):
                raise unreadable(folder, error) from error
            wrong = f"{MANIFEST}: {error!r}"
        except (ValueError, KeyError) as error:
            wrong = f"{MANIFEST}: {error!r}"
        if folder.exists():  # else another process has removed it meanwhile
            warnings.warn(str(set_aside(folder, wrong)), stacklevel=2)
        return None

    def keys(self) -> list[str]:
        """Return the keys of all entries."""
        return sorted(p.name for p in self.entries.iterdir())

    def put(self, entries: Mapping[str, tuple[dict, Mapping[str, Mapping[str, Tensor]]]]) -> None:
        """Keep the entries of a stack, key → (record, groups of tensors) as `write_entry` takes them: all or none.

        Raises:
            InputError: if the folder is full or read-only; nothing half-written is left to be found.
        """
        with self.batch() as batch:
            for key, (record, groups) in entries.items():
                write_entry(batch / key, record, groups)

    @contextlib.contextmanager
    def batch(self) -> Iterator[Path]:
        """Give a folder whose contents are moved in when the block ends, entries as folders and measurements as files."""
        batch = self.incoming / uuid.uuid4().hex
        with self.explained(), FileLock(alive := batch.with_suffix(".lock")):  # as long as it is held, the writer lives
            try:
                batch.mkdir()
                yield batch
                with FileLock(self.locks / "incoming.lock"):  # lest another process moves it in meanwhile
                    batch.rename(complete := batch.with_suffix(".complete"))
                    self._move_in(complete)
            finally:
                shutil.rmtree(batch, ignore_errors=True)
                alive.unlink(missing_ok=True)

    def _move_in(self, batch: Path) -> None:
        for part in [*batch.iterdir()]:
            place = (self.entries if part.is_dir() else self.measurements) / part.name
            if not place.exists():  # made twice, as when two folders are merged: the first stays
                part.rename(place)
        shutil.rmtree(batch)

    def _finish_interrupted(self) -> None:
        with FileLock(self.locks / "incoming.lock"):
            for path in [*self.incoming.iterdir()]:
                with contextlib.suppress(FileNotFoundError, Timeout):  # its writer may be alive and finish meanwhile
                    if path.suffix == ".complete":
                        self._move_in(path)
                    elif path.suffix == ".lock":
                        with FileLock(path, timeout=0):  # its writer is gone, whatever the clock says
                            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
                            path.unlink()
                    elif not path.with_suffix(".lock").exists() and time.time() - path.stat().st_mtime > 3600:
                        shutil.rmtree(path)  # written before there were such locks

    # measurements on finished stages

    def measured(self, keys: Sequence[str], description: Mapping[str, Any], compute: Callable[[], Any]) -> Any:
        """Return what was measured on some stages: kept from before, or computed now and kept.

        Args:
            keys: of the stages that it was measured on, in an order that means something.
            description: what was measured and how, as JSON; whatever changes the result belongs into it, a version of the
                measurement too.
            compute: returns the result, a JSON value such as a list of rows; called where the store has none.

        Returns:
            The result as JSON gives it back: lists for tuples, text for the keys of a mapping.
        """
        [value] = self.measured_all([keys], description, lambda missing: [compute()])
        return value

    def measured_all(
        self, several: Sequence[Sequence[str]], description: Mapping[str, Any],
        compute: Callable[[Sequence[int]], Sequence[Any]],
    ) -> list[Any]:  # fmt: skip
        """Return several such results, of the keys of each; `compute` takes the places of those that the store lacks.

        They are computed under one lock and kept together, so that two processes that ask for the same compute it once.
        """
        names = self._names(several, description)
        found = self._kept(
            names, range(len(names))
        )  # no lock: they appear whole, and the store may be there to be read only
        if missing := [i for i in range(len(names)) if i not in found]:
            started = time.perf_counter()
            with contextlib.ExitStack() as held:
                with self.explained():
                    held.enter_context(FileLock(self.locks / f"{names[missing[0]]}.lock"))
                self._waited += time.perf_counter() - started
                found |= self._kept(names, missing, mend=True)
                if missing := [i for i in missing if i not in found]:
                    found |= self._measure(missing, names, several, description, compute)
        return [found[i] for i in range(len(names))]

    def _measure(
        self, missing: list[int], names: list[str], several: Any, description: Any, compute: Any
    ) -> dict[int, Any]:
        """Compute what the store lacks, and keep all of it or nothing."""
        started = time.perf_counter()
        values = json.loads(json.dumps(compute(missing)))
        each = round((time.perf_counter() - started) / len(missing), 4)
        with self.batch() as batch:
            for i, value in zip(missing, values, strict=True):
                content = {"keys": list(several[i]), "description": dict(description), "sha256": digest(value)}
                (batch / f"{names[i]}.json").write_text(json.dumps(content | {"seconds": each, "value": value}))
                self._seconds[names[i]] = 0.0
        return dict(zip(missing, values, strict=True))

    def _names(self, several: Sequence[Sequence[str]], description: Mapping[str, Any]) -> list[str]:
        return [digest([list(keys), dict(description)]) for keys in several]

    def _kept(self, names: Sequence[str], places: Iterable[int], mend: bool = False) -> dict[int, Any]:
        """Return what is kept at some places; to `mend` is to set aside what is damaged, whose lock must be held."""
        found = {}
        for i in places:
            if not (path := self.measurements / f"{names[i]}.json").exists():
                continue
            if not (wrong := problem(path)):
                content = json.loads(path.read_text())
                self._seconds.setdefault(names[i], content.get("seconds", 0.0))  # of those from before it was noted, 0
                found[i] = content["value"]
            elif mend:
                warnings.warn(str(set_aside(path, wrong)), stacklevel=4)
        return found

    def is_being_measured(self, several: Sequence[Sequence[str]], description: Mapping[str, Any]) -> bool:
        """Say whether another process is at work on what `measured_all` would compute."""
        lacking = (n for n in self._names(several, description) if not (self.measurements / f"{n}.json").exists())
        first = next(lacking, None)  # whose lock is that of all
        return first is not None and self.is_locked(first)

    def clock(self) -> Callable[[], float]:
        """Return a function that says how many seconds measuring took since: with what was kept, without waiting for it."""
        self._seconds, self._waited, started = {}, 0.0, time.perf_counter()
        return lambda: time.perf_counter() - started - self._waited + sum(self._seconds.values())

    # locks

    @contextlib.contextmanager
    def locked(self, keys: Iterable[str]) -> Iterator[None]:
        """Hold the locks of some keys, so that no two processes train the same stage.

        They are taken in sorted order, so that two stacks that overlap cannot wait for each other.
        """
        with contextlib.ExitStack() as held:
            for key in sorted(keys):
                lock = FileLock(self.locks / f"{key}.lock")
                with self.explained():
                    try:
                        held.enter_context(lock.acquire(timeout=0))
                    except Timeout:
                        print(f"waiting for another process that trains stage {key}", flush=True)
                        held.enter_context(lock.acquire())
            yield

    def is_locked(self, key: str) -> bool:
        """Say whether the lock of a key is held at this moment."""
        with self.explained():
            try:
                with FileLock(self.locks / f"{key}.lock", timeout=0):
                    return False
            except Timeout:
                return True

    def hold(self, keys: Iterable[str]) -> None:
        """Keep `lib.stages.housekeeping.clean` from removing these entries while this object lives, where it may write."""
        with self.explained(), _if_it_may_be_written(), FileLock(self.locks / "clean.lock"):
            if self._in_use is None:
                self._in_use = FileLock(self.locks / f"in-use-{uuid.uuid4().hex}.lock")
                self._in_use.acquire()
            with Path(self._in_use.lock_file).with_suffix(".keys").open("a") as file:
                file.writelines(f"{key}\n" for key in keys)


@contextlib.contextmanager
def _if_it_may_be_written() -> Iterator[None]:
    """Leave out what only a store that may be written needs."""
    try:
        yield
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise
