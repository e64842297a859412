"""The table of a paper: one for each benchmark and scale, a row for each number of each network.

A table is a folder of parts, `papers/<paper>/results/<benchmark>_<scale>/` (committed) or
`runs/tables/<paper>/<benchmark>_<scale>/` (measured on this machine). A part is what one measurement added, an algorithm or a
quantity: `NAME.csv` with the rows and `NAME.json` with their provenance. The JSON is written last and removed first, so a part
is whole exactly when its JSON is there. Columns, in this order:

    the paper's dimensions, such as noise_percent | algorithm | seed | level | quantity | position | value | stage_key

`quantity` has its unit in the name, "test error (%)"; `position` orders a series of one quantity, such as the epoch, and is 0
for a single number. Level 0 is dense. A network that diverged has no value (NaN) from then on.
"""

import datetime
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy
import pandas
import pydantic

from lib.analysis.files import REPOSITORY, write_whole
from lib.errors import InputError, unknown

Origin = Literal["committed", "this machine", "memory"]

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

NETWORK = ("algorithm", "seed", "level")
"""With the dimensions, what names a network."""

SIZE, EPOCHS = "weights remaining (%)", "epochs trained"
"""Quantities that every network has; `rows` sets them beside the others."""


class Provenance(pydantic.BaseModel):
    """Where the rows of a part come from.

    Attributes:
        seeds: of the replicates.
        device, precision, deterministic, stacking: how the networks were trained.
        date: of the last training.
        training_seconds: of every network that the part needed, those that only score examples included; networks that
            several parts need count in each.
        measuring_seconds: of everything after training.
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


@dataclass(frozen=True, eq=False)
class Table:
    """What was measured of one benchmark at one scale.

    Attributes:
        paper, benchmark, scale: whose table it is.
        dimensions: what the paper varies besides algorithm, seed and level.
        frame: the rows, with a last column `part`.
        parts: provenance by part.
        origin: "committed" with the book, measured on "this machine", or in "memory".
    """

    paper: str
    benchmark: str
    scale: str
    dimensions: tuple[str, ...]
    frame: pandas.DataFrame
    parts: Mapping[str, Provenance]
    origin: Origin = "memory"

    @property
    def key(self) -> list[str]:
        """The columns that name a row."""
        return [*self.dimensions, *NETWORK, "quantity", "position"]

    @property
    def seeds(self) -> list[int]:
        """Its replicates."""
        return sorted(int(seed) for seed in self.frame["seed"].unique())

    @property
    def label(self) -> str:
        """What a menu calls this table: "paper, 2 CPU cores (AMD EPYC), 2026-11"."""
        dates = [one.date for one in self.parts.values()]
        if self.origin == "committed":
            return f"{self.scale}, {joined(one.device for one in self.parts.values())}, {max(dates):%Y-%m}"
        return f"{self.scale}, this machine, {max(dates).isoformat()}" if dates else f"{self.scale}, empty"

    def where(self, **chosen: Any) -> "Table":
        """Return the rows in which these columns have these values; a list allows several.

        Raises:
            InputError: a column or a value that the table does not have.
        """
        frame = self.frame
        for column, value in chosen.items():
            if column not in frame.columns:
                raise unknown("column", column, map(str, frame.columns))
            allowed = value if isinstance(value, list | tuple | set) else [value]
            frame = frame[frame[column].isin(list(allowed))]
        return self.with_frame(frame)

    def with_frame(self, frame: pandas.DataFrame) -> "Table":
        """Return the same table with other rows, and the provenance of the parts that these name."""
        parts = {name: self.parts[name] for name in frame["part"].unique() if name in self.parts}
        return Table(self.paper, self.benchmark, self.scale, self.dimensions, frame, parts, self.origin)


def values(table: Table, quantity: str, columns: str = "level", **where: Any) -> pandas.DataFrame:
    """Lay out one quantity as seeds × columns: the only reader of numbers for claims, comparisons and charts.

    Args:
        table: what was measured.
        quantity: such as "test error (%)".
        columns: what the columns are, "level" or "position".
        **where: values of other columns, such as algorithm, noise_percent, level.

    Returns:
        One row per seed, one column per level or position, both ascending; NaN where a replicate has no value. Empty
        where the table has no such number.

    Raises:
        InputError: where the choice leaves two values for one seed and column; the message names what to choose.
    """
    frame = table.frame[table.frame["quantity"] == quantity]
    for column, value in where.items():
        if column not in frame.columns:
            raise unknown("column", column, map(str, table.frame.columns))
        frame = frame[frame[column] == value]
    if frame.duplicated(["seed", columns]).any():
        open_ones = [
            f"{name} ({', '.join(map(str, frame[name].unique()[:4]))})"
            for name in (*table.dimensions, "algorithm", "level", "position")
            if name != columns and name not in where and frame[name].nunique() > 1
        ]
        raise InputError(
            f"{quantity!r} is not one value per seed and {columns}; choose {' and '.join(open_ones)}."
        )
    return frame.pivot(index="seed", columns=columns, values="value").sort_index()


def rows(tables: Table | Sequence[Table], quantities: str | Sequence[str], **where: Any) -> pandas.DataFrame:
    """Return quantities of single networks as the rows that charts are drawn from.

    Args:
        tables: one or several, such as those of two scales.
        quantities: one or several names.
        **where: values of columns; a list allows several.

    Returns:
        The table's columns, and beside them `table` (its label), `benchmark`, `scale`, `SIZE` and `EPOCHS` of the network,
        and a column of booleans for each kind of chosen level (`lib.analysis.levels`), true for a network at that level.

    Raises:
        InputError: no table has such a number.
    """
    from lib.analysis.levels import NAMES, level_quantity  # levels read tables: a cycle only on paper

    tables = [tables] if isinstance(tables, Table) else list(tables)
    wanted = [quantities] if isinstance(quantities, str) else list(quantities)
    pieces = []
    for table in tables:
        network = [*table.dimensions, *NETWORK]
        some = table.where(quantity=wanted, **where).frame
        beside = table.frame[table.frame["quantity"].isin([SIZE, EPOCHS])]
        wide = beside.pivot(index=network, columns="quantity", values="value").reset_index()
        piece = some.merge(wide, how="left", on=network) if len(wide) else some.copy()
        for name in NAMES:
            chosen = table.frame[table.frame["quantity"] == level_quantity(name)]
            keys = [*table.dimensions, "algorithm", "seed"]
            at = piece[keys].merge(chosen[[*keys, "value"]], how="left", on=keys)["value"]
            piece[name] = piece["level"].to_numpy() == at.to_numpy()
        pieces.append(piece.assign(table=table.label, benchmark=table.benchmark, scale=table.scale))
    found = pandas.concat(pieces, ignore_index=True) if pieces else pandas.DataFrame()
    if found.empty:
        chosen = ", ".join(f"{name}={value!r}" for name, value in where.items())
        raise InputError(f"no table has {' or '.join(wanted)}{f' with {chosen}' if chosen else ''}.")
    return found


def make_frame(found: Iterable[Mapping[str, Any]], dimensions: Sequence[str], part: str) -> pandas.DataFrame:
    """Make the rows of a part from measurements, checked.

    Args:
        found: a mapping per row, with every column; `position` may be missing and is 0 then.
        dimensions: of the paper.
        part: its name.

    Raises:
        InputError: a column is missing or unknown, a value does not fit its type, or a row is given twice.
    """
    types = {**dict.fromkeys(dimensions, "float64"), **COLUMNS}
    given = pandas.DataFrame([{"position": 0.0, **row} for row in found], columns=None)
    if given.empty:
        given = pandas.DataFrame(columns=list(types))
    return checked(given, types, f"part {part!r}").assign(part=part)


def checked(frame: pandas.DataFrame, types: Mapping[str, str], where: str) -> pandas.DataFrame:
    """Return a frame with exactly these columns and types.

    Raises:
        InputError: names the column and the first cell that does not fit, or the first row that is there twice.
    """
    for name in frame.columns:
        if name not in types:
            raise InputError(f"{where}: {unknown('column', name, types)}")
    if missing := [name for name in types if name not in frame.columns]:
        raise InputError(f"{where}: missing columns {', '.join(missing)}.")
    typed = {}
    for name, kind in types.items():
        column = frame[name]
        if kind == "str":
            wrong = column.astype(str).str.len() == 0
        else:
            numbers = pandas.to_numeric(column.replace("nan", numpy.nan), errors="coerce")
            wrong = numbers.isna() & ~column.astype(str).isin(["nan", "NaN"])
            if kind == "int64":
                wrong |= numbers.isna() | (numbers != numbers.round())
        if wrong.any():
            row = int(numpy.flatnonzero(wrong.to_numpy())[0])
            raise InputError(f"{where}, row {row + 1}, column {name!r}: {column.iloc[row]!r} is no {kind}.")
        # Python's own float, because pandas' fast parser may be off by one in the last bit.
        typed[name] = column.map(float).astype(kind) if kind != "str" else column.astype(str)
    whole = pandas.DataFrame(typed)
    keys = [name for name in types if name not in ("value", "stage_key")]
    twice = whole.duplicated(keys)
    if twice.any():
        row = int(numpy.flatnonzero(twice.to_numpy())[0])
        raise InputError(f"{where}, row {row + 1}: these were already given: {dict(whole.iloc[row][keys])}.")
    return whole


def table_folder(
    paper: str, benchmark: str, scale: str, origin: Origin, root: Path | str = REPOSITORY
) -> Path:
    """Return where the parts of a table lie."""
    place = Path(root) / ("runs/tables" if origin == "this machine" else "papers") / paper
    return (place / "results" if origin == "committed" else place) / f"{benchmark}_{scale}"


def file_name(part: str) -> str:
    """Return a part's name as a file has it."""
    return re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_")


def write_part(folder: Path | str, part: str, frame: pandas.DataFrame, provenance: Provenance) -> Path:
    """Write one part whole; floats are written so that they are read back bit for bit.

    Args:
        folder: of the table, made when missing.
        part: its name.
        frame: its rows, as `make_frame` returns them.
        provenance: where they come from.

    Returns:
        The path of the CSV.

    Raises:
        InputError: a row has a seed that the provenance does not name, or there is no row.
        OSError: the folder cannot be written; the previous part is left as it was.
    """
    if frame.empty:
        raise InputError(
            f"part {part!r} has no rows; a part that is there already is not replaced by nothing"
        )
    if others := set(frame["seed"]) - set(provenance.seeds):
        raise InputError(
            f"part {part!r}: seed {min(others)} is not one of its provenance's {list(provenance.seeds)}."
        )
    csv = Path(folder) / f"{file_name(part)}.csv"
    text = frame.drop(columns="part").to_csv(index=False, na_rep="nan", lineterminator="\n")
    write_whole({csv: text, csv.with_suffix(".json"): provenance.model_dump_json(indent=1) + "\n"})
    return csv


def read_part(csv: Path) -> tuple[pandas.DataFrame, Provenance]:
    """Read one part and its provenance, checking columns, types and double rows.

    Raises:
        InputError: names the file, the column and the first offending row.
    """
    try:
        made = Provenance.model_validate_json(csv.with_suffix(".json").read_text(encoding="utf-8"))
        raw = pandas.read_csv(io.StringIO(csv.read_text(encoding="utf-8")), dtype=str, keep_default_na=False)
    except pydantic.ValidationError as error:
        raise InputError(f"{csv.with_suffix('.json').name} is no provenance: {error}") from error
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{csv.name} is no CSV table: {error}") from error
    dimensions = [name for name in raw.columns if name not in COLUMNS]
    types = {**dict.fromkeys(dimensions, "float64"), **COLUMNS}
    return checked(raw, types, csv.name).assign(part=csv.stem), made


def read_table(
    paper: str, benchmark: str, scale: str, origin: Origin, root: Path | str = REPOSITORY
) -> Table | None:
    """Read the parts of a table; None where there is none.

    Where two parts have a number of the same network, the later one counts; parts of one date in the order of their names.

    Raises:
        InputError: a part that is there cannot be read, or parts differ in their dimensions.
    """
    folder = table_folder(paper, benchmark, scale, origin, root)
    found = [
        (path.stem, *read_part(path.with_suffix(".csv")))
        for path in sorted(folder.glob("*.json"))
        if path.with_suffix(".csv").exists()
    ]
    if not found:
        return None
    kinds = {tuple(name for name in frame.columns if name not in (*COLUMNS, "part")) for _, frame, _ in found}
    if len(kinds) > 1:
        raise InputError(
            f"{folder.name}: its parts have the dimensions {' and '.join(map(str, sorted(kinds)))}."
        )
    found.sort(key=lambda one: one[2].date)
    return assemble(paper, benchmark, scale, min(kinds), [one[1] for one in found],
                    {name: made for name, _, made in found}, origin)  # fmt: skip


def assemble(
    paper: str,
    benchmark: str,
    scale: str,
    dimensions: tuple[str, ...],
    frames: Sequence[pandas.DataFrame],
    parts: Mapping[str, Provenance],
    origin: Origin = "memory",
) -> Table:
    """Put parts together, the later ones counting, and add the chosen levels (`lib.analysis.levels`)."""
    from lib.analysis.levels import with_levels

    frame = pandas.concat(list(frames), ignore_index=True)
    table = Table(paper, benchmark, scale, dimensions, frame, parts, origin)
    frame = frame.drop_duplicates(table.key, keep="last", ignore_index=True)
    return with_levels(table.with_frame(frame))


def find_tables(
    paper: str, benchmark: str | None = None, scale: str | None = None, root: Path | str = REPOSITORY
) -> list[Table]:
    """Find a paper's tables, largest scale first, committed before this machine's.

    Args:
        paper: folder name in `papers/`.
        benchmark, scale: only these; None for all.
        root: the repository.
    """
    from lib.scales import SCALES

    found = []
    for origin in ("committed", "this machine"):
        place = table_folder(paper, "x", "x", origin, root).parent
        for folder in sorted(place.glob(f"{benchmark or '*'}_{scale or '*'}")):
            name, _, of = folder.name.rpartition("_")
            if of in SCALES and (table := read_table(paper, name, of, origin, root)):
                found.append(table)
    return sorted(found, key=lambda one: (one.benchmark, -SCALES.index(one.scale), one.origin))


def joined(names: Iterable[str]) -> str:
    """Join different names by " + ", sorted."""
    return " + ".join(sorted(set(names)))
