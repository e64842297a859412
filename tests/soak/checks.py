"""What a kill may not do to a copy: lose what was finished, change a number, leave a lock, leave half a file."""

import contextlib
import json
import re
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
from filelock import FileLock, Timeout

from lib.analysis.part import read_part
from lib.errors import InputError
from lib.stages.entry import MANIFEST, problem
from tests.soak.works import TAKEN_IN

OF_A_RUN = {"seconds", "training_seconds", "measuring_seconds", "date", "started", "created", "commit", "sha256"}
"""What a record says of the run that made it, not of what was found; checksums count it in."""
WHEN = re.compile(r"Run on \d+ \w+ \d+|(?:[\d.]+ (?:ms|s|seconds?|min|minutes?|h|hours?)\b\s*)+")
"""What a page says of its own run."""
STORES = ("store", TAKEN_IN)
KEPT = tuple(f"{store}/{room}/*" for store in STORES for room in ("entries", "measurements"))
FINISHED = (*KEPT, "runs/pages/*/*/[!.]*.ipynb", "runs/published/*/*.ipynb")


def finished(folder: Path) -> dict[str, int]:
    """Return when each finished stage, measurement, run and part of a table appeared in a copy, by its path."""
    found = [path for pattern in FINISHED for path in folder.glob(pattern) if ".partial" not in path.name]
    parts = [path for path in folder.glob("runs/tables/*/*/*.json") if not path.name.startswith(".")]
    times = {}
    for path in [*found, *parts]:
        with contextlib.suppress(FileNotFoundError):
            times[str(path.relative_to(folder))] = path.stat().st_mtime_ns
    return times


def lost(before: dict[str, int], folder: Path) -> list[str]:
    """Return what was finished before and is gone, or was made again."""
    now = finished(folder)
    return [
        f"{path} {'was made again' if path in now else 'is gone'}" for path in before if now.get(path) != before[path]
    ]


def different(whole: Path, folder: Path) -> list[str]:
    """Return which stages, tables and pages of a copy are not those of an uninterrupted one."""
    there, here = _contents(whole), _contents(folder)
    return sorted(path for path in there.keys() | here.keys() if there.get(path) != here.get(path))


def _contents(folder: Path) -> dict[str, object]:
    """Return what a copy has made, by path, without what is of one run."""
    found: dict[str, object] = {}
    for path in _files(folder):
        name = str(path.relative_to(folder))
        if path.name == MANIFEST or name.startswith(("runs/tables/", "store/measurements/")) and path.suffix == ".json":
            found[name] = _without_run(json.loads(path.read_text()))
        elif name.startswith("runs/tables/") and path.suffix == ".csv":
            found[name] = path.read_bytes()
        elif path.suffix == ".html" and name.startswith("book/_build/"):
            found[name] = WHEN.sub("", path.read_text("utf-8"))
        elif path.suffix == ".ipynb" and name.startswith(("runs/", "book/papers/")):
            found[name] = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    return found


def _without_run(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_run(one) for name, one in value.items() if name not in OF_A_RUN}
    return [_without_run(one) for one in value] if isinstance(value, list) else value


def half(folder: Path, whole: bool) -> list[str]:
    """Return what cannot be read whole in a copy, with the reason.

    Args:
        folder: of the copy.
        whole: the work is whole: nothing that was on its way may be left, and the book's HTML counts too.
    """
    entries = [entry for pattern in KEPT for entry in folder.glob(pattern)]
    wrong = [f"{entry.relative_to(folder)}: {said}" for entry in entries if (said := problem(entry))]
    for path in _files(folder):
        with contextlib.suppress(FileNotFoundError):
            if said := _half(path, whole, path.relative_to(folder).parts):
                wrong.append(f"{path.relative_to(folder)}: {said}")
    return wrong


def _half(path: Path, whole: bool, place: tuple[str, ...]) -> str:
    """Say what is wrong with a file; nothing where it is whole, or on its way and may be."""
    if "_build" in place and not whole:
        return ""
    on_its_way = ".partial" in path.name or "incoming" in place or "checkpoints" in place
    if on_its_way or path.suffix == ".tmp":
        return "was left" if whole and path.suffix != ".lock" else ""
    try:
        if place[:2] == ("runs", "tables") and path.suffix == ".json" and not path.name.endswith(".detail.json"):
            read_part(path.with_suffix(".csv"))
        elif place[:2] == ("runs", "tables") and path.suffix == ".csv":
            return "has no JSON beside it" if whole and not path.with_suffix(".json").exists() else ""
        elif path.suffix == ".ipynb":
            nbformat.validate(nbformat.read(path, 4))
        elif path.suffix == ".json":
            json.loads(path.read_text("utf-8"))
        elif path.suffix == ".tar":
            with tarfile.open(path) as archive:
                sum(len(file.read()) for one in archive if (file := archive.extractfile(one)))
        elif path.suffix == ".html" and "_static" not in place:
            return "" if path.read_text("utf-8").rstrip().endswith("</html>") else "does not end as HTML does"
    except (InputError, ValueError, tarfile.TarError, nbformat.ValidationError) as error:
        return repr(error)
    return ""


def locked(folder: Path, patience: float = 10.0) -> list[str]:
    """Return the processes of a copy that do not end although they were killed, and the locks that nobody lets go."""
    wrong = [f"process {one.pid} lives on" for one in still_alive(folder, patience)]
    for path in folder.rglob("*.lock"):
        try:
            FileLock(path).acquire(timeout=0).lock.release()
        except Timeout:
            wrong.append(f"{path.relative_to(folder)} is held")
    return wrong


def still_alive(folder: Path, patience: float = 10.0) -> list[psutil.Process]:
    """Wait so many seconds until nothing that was started in a copy lives, and return what does even then."""
    until = time.monotonic() + patience
    while (alive := [*_processes(folder)]) and time.monotonic() < until:
        time.sleep(0.1)
    return alive


def _processes(folder: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            of_the_copy = process.environ().get("PRUNING_BOOK_STORE") == str(folder / "store")
            if of_the_copy and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files that the work makes in a copy."""
    for room in ("store", "runs", "work", "book/papers", "book/generated", "book/_build"):
        yield from (path for path in (folder / room).rglob("*") if path.is_file())
