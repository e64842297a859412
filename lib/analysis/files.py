"""Text files that appear whole or not at all."""

import contextlib
import os
import uuid
from pathlib import Path

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
