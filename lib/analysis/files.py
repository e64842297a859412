"""Text files that appear whole or not at all, in folders whose readers and writers take turns."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from lib.errors import InputError, refused

LOCK = ".lock"
"""The file in a folder whose lock whoever writes there holds."""

REPOSITORY = Path(__file__).resolve().parents[2]


def write_whole(texts: dict[Path, str]) -> None:
    """Write text files, content by path with line ends as given, each by a rename from a temporary name in its own folder.

    All temporary files are complete on disk before anything else happens: where a folder is full or read-only, OSError
    leaves everything as it was. Then every file but the first is removed, and the renames follow the order given: whoever is
    killed in between leaves the first without the others, never a new one beside an old one.
    """
    partial = {path: path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial") for path in texts}
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial[path].open("x", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        for path in reversed(list(texts)[1:]):
            path.unlink(missing_ok=True)
        for path in texts:
            partial[path].replace(path)
    finally:
        for path in partial.values():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def written_by_one(folder: Path, *others: Path) -> Iterator[None]:
    """Hold the lock of a folder, or wait for it, while writing there and into others; what killed writers left in them goes.

    Raises:
        InputError: the system refuses to write; what lay there is as it was.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / LOCK):
            for left in (file for one in (folder, *others) for file in one.glob(".*.partial")):
                left.unlink()
            yield
    except OSError as error:
        raise InputError(
            f"the folder of tables {folder} {refused(error)}. What lay there is as it was; make room or allow writing, "
            "and give the same command again."
        ) from error


@contextlib.contextmanager
def not_written_now(folder: Path) -> Iterator[None]:
    """Keep others from writing into a folder while it is read, if it has a lock that this process may take."""
    with FileLock(folder / LOCK) if os.access(folder / LOCK, os.W_OK) else contextlib.nullcontext():
        yield
