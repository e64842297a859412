"""Checksums: what a value is called in the store, and whether what lies on disk is what was written."""

import hashlib
import json
from pathlib import Path

MANIFEST = "manifest.json"
"""Of an entry: its files with their SHA-256, and its record."""


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(value: object) -> str:
    """Return what identifies a JSON value in the store."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def entry_problem(folder: Path) -> str:
    """Return what is wrong with an entry's files, nothing for a whole one."""
    try:
        files = json.loads((folder / MANIFEST).read_text())["files"]
        wrong = [name for name, kept in files.items() if sha256(folder / name) != kept]
    except (OSError, ValueError, KeyError) as error:
        return repr(error)
    return f"{', '.join(wrong)} differ from their checksums" if wrong else ""


def measurement_problem(path: Path) -> str:
    """Return what is wrong with a kept measurement, nothing for a whole one."""
    try:
        content = json.loads(path.read_text())
        return "" if digest(content["value"]) == content["sha256"] else "its value differs from its checksum"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return repr(error)
