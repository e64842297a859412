"""The tidy table: what a page draws, one row per replicate, level and subset, with its provenance beside it.

A table is two plain-text files, `NAME.csv` and `NAME.json`, and a third, `NAME.quantities.csv`, where a page measures more
than error and loss. It is committed in
`papers/<paper>/results/<page>/` or lies in `runs/tables/<paper>/<page>/` when this machine measured it; NAME
is `<benchmark>_<scale>`. The JSON is written last and removed first, so that a table is whole exactly when
its JSON is there.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas
import pydantic

from lib.analysis.files import REPOSITORY, write_whole
from lib.analysis.schema import (
    COLUMNS,
    QUANTITIES,
    SCALES,
    Provenance,
    check,
    check_columns,
    check_quantities,
    tidy,
    typed,
)
from lib.errors import InputError

Origin = Literal["committed", "this machine", "memory"]


@dataclass(frozen=True, eq=False)
class Table:
    """A measured table.

    Attributes:
        frame: the rows, with the columns of `COLUMNS`.
        provenance: where they come from.
        origin: "committed" with the book, measured on "this machine", or still in "memory".
        quantities: what the page measured besides, with the columns of `QUANTITIES`; often empty.
    """

    frame: pandas.DataFrame
    provenance: Provenance
    origin: Origin = "memory"
    quantities: pandas.DataFrame = field(default_factory=lambda: tidy((), QUANTITIES))

    @property
    def label(self) -> str:
        """What a menu calls this table: "paper, 2 CPU cores (AMD EPYC), 2026-11"."""
        made = self.provenance
        if self.origin == "committed":
            return f"{made.scale}, {made.device}, {made.date:%Y-%m}"
        return f"{made.scale}, this machine, {made.date.isoformat()}"


def write(table: Table, folder: Path | str, name: str) -> Path:
    """Write a table's files; floats are written so that they are read back bit for bit.

    Args:
        table: what to write; it is checked first, as in `read`.
        folder: made when missing.
        name: file name without ending, by custom `<benchmark>_<scale>`.

    Returns:
        The path of the CSV.

    Raises:
        InputError: the frame is not a tidy table.
    """
    check(table.frame, table.provenance, f"table {name!r}")
    csv = Path(folder) / f"{name}.csv"
    text = table.frame[list(COLUMNS)].to_csv(index=False, na_rep="nan", lineterminator="\n")
    files = {csv: text, csv.with_suffix(".json"): table.provenance.model_dump_json(indent=1) + "\n"}
    beside = csv.with_suffix(".quantities.csv")
    if len(table.quantities):
        check_quantities(table.quantities, table.provenance, f"quantities of table {name!r}")
        more = table.quantities[list(QUANTITIES)].to_csv(index=False, na_rep="nan", lineterminator="\n")
        files = {beside: more, **files}
    else:
        beside.unlink(missing_ok=True)
    write_whole(files)
    return csv


def read(csv_path: Path | str, origin: Origin = "memory") -> Table:
    """Read a table and its provenance, checking columns, types, names, ranges and double rows.

    Args:
        csv_path: the CSV; its provenance is the file of the same name that ends in `.json`.
        origin: see `Table`.

    Raises:
        InputError: names the file, the column and the first offending row.
        FileNotFoundError: the CSV or its JSON is not there.
    """
    path = Path(csv_path)
    try:
        provenance = Provenance.model_validate_json(path.with_suffix(".json").read_text(encoding="utf-8"))
    except pydantic.ValidationError as error:
        raise InputError(f"{path.with_suffix('.json').name} is not a provenance: {error}") from error
    frame = _read_frame(path, COLUMNS)
    check(frame, provenance, path.name)
    beside = path.with_suffix(".quantities.csv")
    if not beside.exists():
        return Table(frame, provenance, origin)
    quantities = _read_frame(beside, QUANTITIES)
    check_quantities(quantities, provenance, beside.name)
    return Table(frame, provenance, origin, quantities)


def _read_frame(path: Path, columns: Mapping[str, str]) -> pandas.DataFrame:
    """Read a CSV whose columns and types are known."""
    try:
        text = path.read_text(encoding="utf-8")
        raw = pandas.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, index_col=False).fillna("")
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not a CSV table: {error}") from error
    check_columns(raw, path.name, columns)
    cells = {name: pandas.Series(raw[name], dtype=str) for name in columns}
    return pandas.DataFrame({name: typed(cells[name], kind, path.name) for name, kind in columns.items()})


def find(
    paper: str, page: str | None, benchmark: str | None, repository_root: Path | str = REPOSITORY
) -> list[Table]:
    """Find the tables of a page: the committed ones and those measured on this machine.

    Args:
        paper: folder name in `papers/`.
        page: name of the page; None for every page of the paper.
        benchmark: such as "mnist-lenet"; None for every benchmark.
        repository_root: where `papers/` and `runs/` lie.

    Returns:
        Whole tables by page, benchmark and scale (paper, laptop, smoke), committed before this machine's;
        both may exist at the same scale.

    Raises:
        InputError: a table that is there cannot be read.
    """
    root = Path(repository_root)
    places: tuple[tuple[Origin, Path], ...] = (
        ("committed", root / "papers" / paper / "results"),
        ("this machine", root / "runs" / "tables" / paper),
    )
    found = [
        read(path.with_suffix(".csv"), origin)
        for origin, place in places
        for path in sorted(place.glob(f"{page or '*'}/{benchmark or '*'}_*.json"))
        if path.with_suffix(".csv").exists()
    ]
    return sorted(found, key=lambda table: (_place(table), table.origin))


def _place(table: Table) -> tuple[str, str, int]:
    return table.provenance.page, table.provenance.benchmark, SCALES.index(table.provenance.scale)
