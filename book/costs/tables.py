"""The small tables of what work costs: written by `python -m book.costs --write`, read by the page "What it costs".

A table is two files beside this one: `<part>_<device type>.csv` with the numbers, units in the names of the
columns, and a JSON object of the same name that says how they were measured. Any table may be absent.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas
import pydantic

from lib.analysis.files import write_whole
from lib.errors import InputError

FOLDER = Path(__file__).parent

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "epochs": (
        "benchmark", "variant", "precision", "replicates", "seconds_per_replicate_epoch", "times_faster", "floor_seconds",
        "floor",
    ),
    "other": ("work", "value", "unit", "detail"),
    "batch": ("work", "value", "unit", "detail"),
    "paths": (
        "network", "weights_remaining_percent", "masks_alone_seconds", "left_out_seconds", "sparse_seconds", "unit",
        "times_faster", "computed_percent",
    ),
    "convolutions": ("layer", "weights_remaining_percent", "dense_seconds", "sparse_seconds", "times_faster"),
    "pages": ("paper", "page", "benchmark", "scale", "replicate_epochs", "seconds", "basis"),
    "precision": (
        "benchmark", "noise_percent", "weights_remaining_percent", "precision", "replicates", "error_percent_mean",
        "error_percent_std", "difference_mean", "difference_std",
    ),
}  # fmt: skip
"""The columns of every part, in the order of the file."""

CONVENTIONAL, OWN = "conventional loop", "this book"
"""Variants of `epochs`: the loop that all are compared with, and how the names of this book's own begin."""


class Source(pydantic.BaseModel):
    """How a table was measured: machine, number of threads, versions by name, day, command, and sentences about it."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    device: str
    threads: Annotated[int, pydantic.Field(ge=1)]
    versions: dict[str, str]
    date: datetime.date
    command: str
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it, for below a table."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        facts = f"{self.device}, {self.threads} threads · {versions} · {self.date} · `{self.command}`."
        return " ".join([facts, *self.notes])


@dataclass(frozen=True)
class Costs:
    """One table.

    Attributes:
        part: a name of `COLUMNS`.
        device_type: "cpu", "cuda" or "mps".
        source: how it was measured.
        frame: its rows.
    """

    part: str
    device_type: str
    source: Source
    frame: pandas.DataFrame


def command(part: str) -> str:
    """Return the command that measures a part on the machine it runs on, and keeps the table."""
    return f"python -m book.costs {part} --write"


def read(part: str, folder: Path = FOLDER) -> list[Costs]:
    """Read the tables of a part, one for each type of device that there is.

    Raises:
        InputError: a table has other columns, or a JSON that does not say how it was measured.
    """
    found = []
    for path in sorted(folder.glob(f"{part}_*.csv")):
        frame = pandas.read_csv(path, keep_default_na=False, na_values=[""])
        if tuple(frame.columns) != COLUMNS[part]:
            raise InputError(
                f"{path.name} has the columns {', '.join(frame.columns)}; it needs {', '.join(COLUMNS[part])}. "
                f"Write it again with `{command(part)}`, or remove it."
            )
        try:
            source = Source.model_validate_json(path.with_suffix(".json").read_text(encoding="utf-8"))
        except (OSError, pydantic.ValidationError) as error:
            raise InputError(
                f"{path.stem}.json does not say how its table was measured; `{command(part)}` writes it again. {error}"
            ) from None
        found.append(Costs(part, path.stem.rpartition("_")[2], source, frame))
    return found


def write(costs: Costs, folder: Path = FOLDER) -> None:
    """Write a table with its source, whole or not at all."""
    path = folder / f"{costs.part}_{costs.device_type}.csv"
    text = costs.frame.to_csv(index=False, lineterminator="\n")
    write_whole({path: text, path.with_suffix(".json"): costs.source.model_dump_json(indent=1) + "\n"})
