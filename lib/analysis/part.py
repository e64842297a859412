"""A part of a table: the rows that one measurement added, and where they come from.

Two files, `NAME.csv` and `NAME.json`. The JSON is written last and removed first, so a part is whole exactly when its JSON
is there. Columns, in this order:

    the paper's dimensions, such as noise_percent | algorithm | seed | level | quantity | position | value | stage_key

`quantity` has its unit in the name, "test error (%)"; `position` orders a series of one quantity, such as the epoch, and is
0 for a single number. Level 0 is dense. A network that diverged has no value (NaN) from then on. What is too long for rows,
such as the histograms of a network's weights, lies beside them as `NAME.detail.json`.
"""

import datetime
import functools
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas
import pydantic

from lib.analysis.files import write_whole
from lib.errors import InputError, unknown

COLUMNS: Mapping[str, str] = {
    "algorithm": "str",
    "seed": "int64",
    "level": "int64",
    "quantity": "str",
    "position": "float64",
    "value": "float64",
    "stage_key": "str",
}
"""Columns after the dimensions, with their types."""
LONGEST_NAME = 200
"""Letters of a part's file name; file systems allow 255 with what comes behind it."""


class Provenance(pydantic.BaseModel):
    """Where the rows of a part come from.

    Attributes:
        seeds: of the replicates.
        device, precision, deterministic, stacking: how the networks were trained.
        date: of the last training.
        training_seconds: of every network that the part needed, those that only score examples included; networks that
            several parts need count in each.
        measuring_seconds: of everything after training, also of what the store had kept from before.
        versions: of Python and torch.
        numerics_version: see `lib.stages.stage.NUMERICS_VERSION`.
        commit: of this repository; empty where it is unknown.
        measurements: name → what identifies the measurement, see `lib.analysis.experiments.Measurement`.
        algorithms: those that it looked at, also where that gave no row.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    seeds: tuple[int, ...]
    device: str
    precision: str
    deterministic: bool = True
    stacking: Literal["stacked", "sequential"]
    date: datetime.date
    training_seconds: Annotated[float, pydantic.Field(ge=0)]
    measuring_seconds: Annotated[float, pydantic.Field(ge=0)] = 0.0
    versions: dict[str, str]
    numerics_version: int
    commit: str = ""
    measurements: dict[str, str]
    algorithms: tuple[str, ...]


def make_frame(found: Iterable[Mapping[str, Any]], dimensions: Sequence[str], part: str) -> pandas.DataFrame:
    """Make the rows of a part from measurements, checked.

    Args:
        found: a mapping per row, with every column; `position` may be missing and is 0 then.
        dimensions: of the paper.
        part: its name.

    Raises:
        InputError: a column is missing or unknown, a value does not fit its type, or a row is given twice.
    """
    given = [{"position": 0.0, **row} for row in found]
    frame = pandas.DataFrame(given) if given else pandas.DataFrame(columns=[*dimensions, *COLUMNS])
    return _checked(frame, dimensions, f"part {part!r}").assign(part=part)


def _checked(frame: pandas.DataFrame, dimensions: Sequence[str], where: str) -> pandas.DataFrame:
    """Return a frame with exactly the columns of a part and their types; dimensions are numbers where they can be."""
    types = {**dict.fromkeys(dimensions, "number or text"), **COLUMNS}
    if extra := [str(name) for name in frame.columns if name not in types]:
        raise InputError(f"{where}: {unknown('column', extra[0], types)}")
    if missing := [name for name in types if name not in frame.columns]:
        raise InputError(f"{where}: missing columns {', '.join(missing)}.")
    columns = {name: _typed(frame.loc[:, name], kind, where) for name, kind in types.items()}
    whole = pandas.DataFrame(columns)
    keys = [name for name in types if name not in ("value", "stage_key")]
    twice = whole.loc[whole.duplicated(subset=keys), keys]
    if len(twice):
        raise InputError(f"{where}, row {twice.index[0] + 1}: already given were {dict(twice.iloc[0])}.")
    return whole


def _typed(column: pandas.Series, kind: str, where: str) -> pandas.Series:
    """Return a column with its type; only values may be NaN."""
    given = column.astype(object)  # so that numbers are read by Python's float, exact to the last bit
    try:
        typed = given.astype(str if kind == "str" else "float64")
    except (TypeError, ValueError) as error:
        if kind == "number or text":
            return _typed(column, "str", where)
        raise InputError(f"{where}, column {column.name!r}: {error}; expected {kind}.") from None
    if kind == "str":
        wrong = given.isna() | (typed == "")
    elif kind == "int64":
        wrong = typed % 1 != 0  # true of NaN
    else:
        wrong = typed.isna() & (column.name != "value")
    if len(bad := given.loc[wrong]):
        place = f"{where}, column {column.name!r}, row {bad.index[0] + 1}"
        raise InputError(f"{place}: {bad.iloc[0]!r} is no {kind}.")
    return typed.astype("int64") if kind == "int64" else typed


def file_name(part: str) -> str:
    """Return a part's name as a file has it; of one that file systems refuse as too long, the beginning and a checksum."""
    name = re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_")
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 9]}_{zlib.crc32(name.encode()):08x}"


def write_part(folder: Path | str, part: str, frame: pandas.DataFrame, provenance: Provenance) -> Path:
    """Write one part whole, floats so that they are read back bit for bit; return the path of its CSV.

    Args:
        folder: of the table, made when missing.
        part: its name.
        frame: its rows, as `make_frame` returns them.
        provenance: where they come from.

    Raises:
        InputError: a row has a seed that the provenance does not name, or a part that is there would lose all its rows.
        OSError: the folder cannot be written; the previous part is left as it was.
    """
    csv = Path(folder) / f"{file_name(part)}.csv"
    if frame.empty and csv.exists():
        raise InputError(f"part {part!r}: rows that are there already are not replaced by none")
    if others := set(frame["seed"]) - set(provenance.seeds):
        known = list(provenance.seeds)
        raise InputError(f"part {part!r}: seed {min(others)} is not one of its provenance's {known}.")
    text = frame.drop(columns="part").to_csv(index=False, na_rep="nan", lineterminator="\n")
    write_whole({csv: text, csv.with_suffix(".json"): provenance.model_dump_json(indent=1) + "\n"})
    return csv


def read_provenance(path: Path) -> Provenance:
    """Read where the rows of a part come from, or raise InputError."""
    try:
        return Provenance.model_validate_json(path.read_text(encoding="utf-8"))
    except pydantic.ValidationError as error:
        raise InputError(f"{path.name} is no provenance: {error}") from error


def read_part(csv: Path) -> tuple[pandas.DataFrame, Provenance]:
    """Read one part and its provenance, checking columns, types and double rows; a file that stays as it is is read once.

    Raises:
        InputError: names the file, the column and the first offending row.
    """
    made = read_provenance(csv.with_suffix(".json"))
    state = csv.stat()
    return _read_rows(csv, state.st_mtime_ns, state.st_size, state.st_ino).copy(), made


@functools.lru_cache(maxsize=256)
def _read_rows(csv: Path, *state: int) -> pandas.DataFrame:
    """Read the rows of a part, for a state of its file."""
    try:
        raw = pandas.read_csv(csv, dtype=str, keep_default_na=False)
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{csv.name} is no CSV table: {error}") from error
    dimensions = [name for name in raw.columns if name not in COLUMNS]
    return _checked(raw, dimensions, csv.name).assign(part=csv.stem)


def write_detail(folders: Sequence[Path], part: str, value: Any) -> None:
    """Write what is too long for the rows of a part, a JSON value, beside them, in each of some folders."""
    text = json.dumps(value, separators=(",", ":")).replace("},{", "},\n{") + "\n"
    for folder in folders:
        write_whole({Path(folder) / f"{file_name(part)}.detail.json": text})


def read_detail(folder: Path | str, part: str) -> Any:
    """Read what lies beside the rows of a part; None where nothing does. InputError where it is no JSON."""
    path = Path(folder) / f"{file_name(part)}.detail.json"
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    except ValueError as error:
        raise InputError(f"{path.name} is no JSON: {error}") from error
