"""What work costs: the small tables that `python -m lib.benchmark --write` leaves in `book/costs/`, and their checks.

A table is two files. `<part>_<device type>.csv` has the numbers; a JSON object of the same name says how they were measured:
device, threads, versions, date, command, and notes, which are sentences for the reader. Any table may be absent. All tables
are checked before any is shown, so that a wrong file stops the book's build instead of drawing wrong numbers.
"""

import csv
import datetime
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from lib.analysis.schema import SCALES
from lib.errors import InputError, unknown

Kind = Literal["text", "optional text", "count", "positive", "number", "optional"]
"""What the cells of a column hold: text; a whole number of at least 1; a number above 0; a number; a number or nothing."""

PARTS: Mapping[str, Mapping[str, Kind]] = {
    "epochs": {
        "benchmark": "text",
        "variant": "text",
        "precision": "text",
        "replicates": "count",
        "seconds_per_replicate_epoch": "positive",
        "times_faster": "positive",
        "floor_seconds": "optional",
        "floor": "optional text",
    },
    "paths": {
        "network": "text",
        "weights_remaining_percent": "positive",
        "masks_alone_seconds": "positive",
        "left_out_seconds": "positive",
        "unit": "text",
        "times_faster": "positive",
        "computed_percent": "optional",
    },
    "precision": {
        "benchmark": "text",
        "noise_percent": "number",
        "weights_remaining_percent": "positive",
        "precision": "text",
        "replicates": "count",
        "error_percent_mean": "number",
        "error_percent_std": "optional",
        "difference_mean": "optional",
        "difference_std": "optional",
    },
    "other": {"work": "text", "value": "number", "unit": "optional text", "detail": "optional text"},
    "pages": {
        "paper": "text",
        "page": "text",
        "benchmark": "text",
        "scale": "text",
        "replicate_epochs": "number",
        "seconds": "number",
        "basis": "text",
    },
}
"""The columns of every part, in the order of the file, with what their cells hold; units are in the names."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "epochs": ("benchmark", "variant", "precision", "replicates"),
    "paths": ("network", "weights_remaining_percent"),
    "precision": ("benchmark", "noise_percent", "weights_remaining_percent", "precision"),
    "other": ("work", "detail"),
    "pages": ("paper", "page", "benchmark", "scale", "basis"),
}
"""The columns that name a row of a part; no two rows share them."""

ALLOWED: Mapping[str, tuple[str, ...]] = {
    "precision": ("float32", "bfloat16", "tf32"),
    "floor": ("operations", "bytes", ""),
    "scale": SCALES[::-1],  # small ones first
    "basis": ("estimated", "measured"),
}
DEVICE_TYPES = ("cpu", "cuda", "mps")
CONVENTIONAL, OWN = "conventional loop", "this book"
"""Variants of `epochs`: the loop that all are compared with, and what the names of this book's own begin with."""

Text = Annotated[str, pydantic.Field(min_length=1)]


class Source(pydantic.BaseModel):
    """How a table was measured: machine, number of threads, versions by name, day, command, and sentences about it."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    device: Text
    threads: Annotated[int, pydantic.Field(ge=1)]
    versions: dict[str, str]
    date: datetime.date
    command: Text
    notes: tuple[str, ...] = ()

    @property
    def counted_threads(self) -> str:
        """The number of threads in words: "2 threads"."""
        return f"{self.threads} thread" + ("" if self.threads == 1 else "s")


@dataclass(frozen=True)
class Costs:
    """One table.

    Attributes:
        part: a name of `PARTS`.
        device_type: one of `DEVICE_TYPES`.
        source: how it was measured.
        rows: in the order of the file, column → text, int, float, or None for an empty optional number.
    """

    part: str
    device_type: str
    source: Source
    rows: tuple[dict[str, Any], ...]


def command(part: str) -> str:
    """Return the command that measures a part on the machine it runs on, and keeps the table."""
    return f"python -m lib.benchmark {part} --write"


def significant(value: float, digits: int = 3) -> str:
    """Write a number with at most so many significant digits, but all before the point: "0.0123", "9.8", "4,321"."""
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def read(folder: Path) -> list[Costs]:
    """Read every table of a folder; a folder that does not exist has none.

    Args:
        folder: `book/costs`. Only names that end in .csv or .json and do not begin with a dot count.

    Returns:
        The tables in the order of `PARTS`, then of `DEVICE_TYPES`.

    Raises:
        InputError: a file with another name, a table without one of its two files, or one that does not fit its columns.
    """
    stems = {path.stem for ending in ("csv", "json") for path in folder.glob(f"[!.]*.{ending}")}
    found = [_read(folder, stem) for stem in sorted(stems)]
    return sorted(found, key=lambda t: (list(PARTS).index(t.part), DEVICE_TYPES.index(t.device_type)))


def _read(folder: Path, stem: str) -> Costs:
    table, description = folder / f"{stem}.csv", folder / f"{stem}.json"
    part, _, device_type = stem.rpartition("_")
    if part not in PARTS:
        raise unknown(
            f"part in the name of {_name(table)}, which should be <part>_<device type>:", part or stem, PARTS
        )
    if device_type not in DEVICE_TYPES:
        raise unknown(f"device type in the name of {_name(table)}:", device_type, DEVICE_TYPES)
    for path in (table, description):
        if not path.is_file():
            raise InputError(
                f"{_name(path)} is missing: a table is a .csv and a .json of the same name. "
                f"Write both again with `{command(part)}`, or remove the other one."
            )
    try:
        source = Source.model_validate(json.loads(description.read_text("utf-8")))
    except (ValueError, pydantic.ValidationError) as error:
        raise InputError(
            f"{_name(description)} does not say how its table was measured. It needs {', '.join(Source.model_fields)}; "
            f"`{command(part)}` writes it again. {error}"
        ) from None
    return Costs(part, device_type, source, _rows(table, part))


def _rows(path: Path, part: str) -> tuple[dict[str, Any], ...]:
    columns = PARTS[part]
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        given = list(reader.fieldnames or [])
        if missing := [name for name in columns if name not in given]:
            raise InputError(
                f"{_name(path)} lacks the columns {', '.join(missing)}; it has {', '.join(given) or 'none'} and needs "
                f"{', '.join(columns)}. Write it again with `{command(part)}`."
            )
        rows = tuple(
            {
                name: _cell(row[name] or "", name, kind, f"{_name(path)}, row {number}")
                for name, kind in columns.items()
            }
            for number, row in enumerate(reader, 1)
        )
    if not rows:
        raise InputError(f"{_name(path)} has no rows. Write it again with `{command(part)}`, or remove it.")
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        key = tuple(row[name] for name in KEYS[part])
        if key in seen:
            raise InputError(
                f"{_name(path)} has two rows for {', '.join(map(str, key))}; {', '.join(KEYS[part])} name a row. "
                "Keep one of them."
            )
        seen.add(key)
    return rows


def _cell(text: str, column: str, kind: Kind, where: str) -> str | int | float | None:
    """Turn a cell into its value, or say what is wrong with it."""
    text = text.strip()
    if kind in ("text", "optional text"):
        if column in ALLOWED and text not in ALLOWED[column]:
            raise unknown(f"{column} in {where}:", text, ALLOWED[column])
        if column == "variant" and text != CONVENTIONAL and not text.startswith(OWN):
            raise unknown(f"variant in {where}:", text, (CONVENTIONAL, OWN, f"{OWN}, <how>"))
        if not text and kind == "text":
            raise InputError(f"{where}: {column} is empty; it must be text.")
        return text
    if kind == "optional" and not text:
        return None
    try:
        number = float(text)
        good = math.isfinite(number) and (kind not in ("positive", "count") or number > 0)
        good = good and (kind != "count" or number == int(number))
    except ValueError:
        number, good = 0.0, False
    if not good:
        wanted = {
            "count": "a whole number of at least 1",
            "positive": "a number above 0",
            "optional": "a finite number or nothing",
        }
        raise InputError(f"{where}: {column} is {text!r}; it must be {wanted.get(kind, 'a finite number')}.")
    return int(number) if kind == "count" else number


def _name(path: Path) -> str:
    """Name a file of the folder without naming the machine's folders."""
    return f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
