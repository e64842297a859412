"""Looking after a store: its size, whether all of it is whole, what may go, and moving it to another machine."""

import contextlib
import json
import lzma
import math
import re
import shutil
import tarfile
import time
import uuid
import warnings
import zlib
from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock, Timeout

from lib.errors import InputError
from lib.stages.checkpoint import keys_of
from lib.stages.entry import problem, set_aside
from lib.stages.store import Store


def size(store: Store) -> tuple[int, int]:
    """Return the number of finished stages and the bytes of the whole folder."""
    total = 0
    for path in store.folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # others may be at work
            total += path.stat().st_size if path.is_file() else 0
    return len(store.keys()), total


def verify(store: Store) -> list[str]:
    """Check every file against its checksum; set aside, name in a warning and return what is damaged."""
    damaged = []
    for path in [*store.entries.iterdir(), *store.measurements.iterdir()]:
        if (wrong := problem(path)) and path.exists():  # else it was cleaned away meanwhile
            error = set_aside(path, wrong)
            warnings.warn(str(error), stacklevel=2)
            damaged.append(error.key)
    return damaged


def clean(store: Store, older_than_days: float | None = None, keep: Iterable[str] | None = None) -> list[str]:
    """Remove stages and measurements by age, or all that are not to be kept, and what was damaged or abandoned.

    What a process trains or has looked up since it opened the store stays.

    Args:
        store: of which.
        older_than_days: removes what was made longer ago; of checkpoints that nobody has gone on from, one day if not given.
        keep: removes stages whose key is not among these, measurements on any of them, and their checkpoints.

    Returns:
        The removed keys of stages.

    Raises:
        InputError: if neither is given, or no age that can be: a slip must not empty the store.
    """
    if older_than_days is None and keep is None:
        raise InputError("clean needs older_than_days, keep, or both")
    if older_than_days is not None and not 0 <= older_than_days < math.inf:
        raise InputError(f"older_than_days is {older_than_days:g}. Allowed: a number of days from 0 on.")
    kept, now, removed = None if keep is None else set(keep), time.time(), []

    def goes(path: Path, keys: Iterable[str]) -> bool:
        old = older_than_days is None or _older(path, now - 86400 * older_than_days)
        return old and (kept is None or not kept.issuperset(keys))

    with store.explained(), FileLock(store.locks / "clean.lock"):
        held, trash = _held_keys(store), store.folder / "damaged"
        trash.mkdir(exist_ok=True)
        for key in set(store.keys()) - held:
            if goes(store.entries / key, [key]):
                with contextlib.suppress(Timeout, FileNotFoundError), FileLock(store.locks / f"{key}.lock", timeout=0):
                    # at once, so that nobody finds half of it; a clean that was killed may have left one of this name
                    (store.entries / key).rename(trash / f"{key}-{uuid.uuid4().hex[:6]}")
                    removed.append(key)
        for path, keys in _measurements(store):
            if held.isdisjoint(keys) and goes(path, keys):
                path.unlink(missing_ok=True)
        for path in trash.iterdir():  # the folder stays: something damaged may be on its way there
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in store.checkpoints.iterdir():
            if _older(path, now - 86400 * (1 if older_than_days is None else older_than_days)):
                keys = keys_of(path) if kept or held else []
                if held.isdisjoint(keys) and not (kept and keys and kept.issuperset(keys)):
                    path.unlink(missing_ok=True)
    return sorted(removed)


def _older(path: Path, moment: float) -> bool:
    """Say whether a file is there and was made before a moment; what comes from the future, by a clock set back, was not."""
    try:
        return path.stat().st_mtime < moment
    except FileNotFoundError:  # another process was first
        return False


def _measurements(store: Store) -> list[tuple[Path, list[str]]]:
    """Return the whole measurements, each with the keys of its stages."""
    found = []
    for path in sorted(store.measurements.iterdir()):
        with contextlib.suppress(FileNotFoundError):  # set aside by another process since
            if not problem(path):
                found.append((path, json.loads(path.read_text())["keys"]))
    return found


def _held_keys(store: Store) -> set[str]:
    """Return the keys that living processes hold (`Store.hold`), and forget what the others held."""
    held: set[str] = set()
    for path in store.locks.glob("in-use-*.keys"):
        try:
            with FileLock(path.with_suffix(".lock"), timeout=0):
                path.unlink()
            path.with_suffix(".lock").unlink(missing_ok=True)
        except Timeout:
            held |= set(path.read_text().split())
    return held


def export(store: Store, file: Path, keys: Iterable[str] | None = None) -> int:
    """Write stages, or all, and what was measured on them alone, into one tar file, which appears when it is whole.

    Returns:
        The number of stages.

    Raises:
        InputError: if a stage is damaged, or the file cannot be written.
    """
    chosen = set(store.keys() if keys is None else keys)
    partial = file.with_name(file.name + ".partial")
    store.hold(chosen)  # lest they are cleaned away meanwhile
    try:
        with tarfile.open(partial, "w") as archive:
            for key in sorted(chosen):
                if wrong := problem(store.entries / key):
                    raise InputError(f"{key} is damaged ({wrong}); `verify` sets aside what is")
                archive.add(store.entries / key, arcname=key)
            for path, measured in _measurements(store):
                if chosen.issuperset(measured):
                    archive.add(path, arcname=path.name)
        partial.replace(file)
    except (OSError, InputError) as error:
        partial.unlink(missing_ok=True)
        todo = " Name another place, or make room." if isinstance(error, OSError) else ""
        raise InputError(f"nothing was exported to {file}: {error}.{todo}") from error
    return len(chosen)


def _as_exported(member: tarfile.TarInfo, place: str) -> tarfile.TarInfo:
    """Let in what an export has, files of stages and measurements, and raise InputError for a link or a path elsewhere."""
    if not ((member.isdir() or member.isreg()) and re.fullmatch(r"\w[\w-]*(/\w[\w.-]*)?|\w+\.json", member.name)):
        what = "a link" if member.issym() or member.islnk() else "no file of a stage or a measurement"
        raise InputError(f"its member {member.name!r} is {what}. Allowed: what `python -m lib.stages export` writes")
    return tarfile.data_filter(member, place)


def import_(store: Store, file: Path) -> int:
    """Take in an exported file, all or nothing; return how many stages were new.

    Raises:
        InputError: if the file is not a whole export.
    """
    try:
        with tarfile.open(file) as archive, store.batch() as batch:
            archive.extractall(batch, filter=_as_exported)
            for path in batch.iterdir():
                if wrong := problem(path):
                    raise InputError(f"{path.stem} is damaged ({wrong})")
            new = sum(path.is_dir() and not (store.entries / path.name).exists() for path in batch.iterdir())
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError, InputError) as error:
        raise InputError(f"nothing was imported from {file}: {error}") from error
    return new
