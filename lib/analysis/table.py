"""The table of a paper: one for each benchmark and scale, a row for each number of each network.

A table is a folder of parts (`lib.analysis.part`), `papers/<paper>/results/<benchmark>_<scale>/` (committed) or
`runs/tables/<paper>/<benchmark>_<scale>/` (measured on this machine; what a reader changed has a folder of its own beside,
`<benchmark>_<scale>_<changes>`). A part is what one measurement added, an algorithm or a quantity.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas

from lib.analysis.files import REPOSITORY, not_written_now
from lib.analysis.part import COLUMNS, Provenance, read_part
from lib.changes import NO_CHANGES, Changes
from lib.errors import InputError, unknown
from lib.scales import SCALES

Origin = Literal["committed", "this machine", "memory"]

NETWORK = ("algorithm", "seed", "level")
"""With the dimensions, what names a network."""

SIZE, EPOCHS = "weights remaining (%)", "epochs trained"
"""Quantities that every network has; `rows` sets them beside the others."""


@dataclass(frozen=True, eq=False)
class Table:
    """What was measured of one benchmark at one scale.

    Attributes:
        paper, benchmark, scale: whose table it is.
        dimensions: what the paper varies besides algorithm, seed and level.
        frame: the rows, with a last column `part`.
        parts: provenance by part.
        origin: "committed" with the book, measured on "this machine", or in "memory".
        every_row: of every part, where several parts have the same number and the later one counts; None if nothing more.
        changes: what a reader changed of the plan.
    """

    paper: str
    benchmark: str
    scale: str
    dimensions: tuple[str, ...]
    frame: pandas.DataFrame
    parts: Mapping[str, Provenance]
    origin: Origin = "memory"
    every_row: pandas.DataFrame | None = None
    changes: Changes = NO_CHANGES

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
        """What a menu calls this table: "paper, 2 CPU cores (AMD EPYC), 2026-11", "yours (laptop, 2026-11-02)"."""
        dates = [one.date for one in self.parts.values()]
        if self.origin == "committed":
            return f"{self.scale}, {joined(one.device for one in self.parts.values())}, {max(dates):%Y-%m}"
        when = max(dates).isoformat() if dates else "empty"
        return f"{label_of(self.changes)} ({self.scale}, {when})"

    def where(self, **chosen: Any) -> "Table":
        """Return the rows in which these columns have these values; a list allows several."""
        return self.with_frame(_chosen(self.frame, chosen))

    def with_frame(self, frame: pandas.DataFrame) -> "Table":
        """Return the same table with other rows; parts that lose all their rows are gone."""
        lost = set(self.frame["part"]) - set(frame["part"])
        parts = {name: made for name, made in self.parts.items() if name not in lost}
        return dataclasses.replace(self, frame=frame, parts=parts, every_row=None)


def label_of(changes: Changes) -> str:
    """Return what a reader's own run is called, with what is changed in it: "yours: noise 60 %"."""
    return f"yours: {changes.words}" if changes else "yours"


def _chosen(frame: pandas.DataFrame, where: Mapping[str, Any]) -> pandas.DataFrame:
    """Return the rows in which columns have these values; a list allows several."""
    for column, value in where.items():
        if column not in frame.columns:
            raise unknown("column", column, map(str, frame.columns))
        allowed = list(value) if isinstance(value, list | tuple | set) else [value]
        frame = frame.loc[frame[column].isin(allowed)]
    return frame


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
    frame = _chosen(table.frame.loc[table.frame["quantity"] == quantity], where)
    if frame.duplicated(subset=["seed", columns]).any():
        left = {name: frame[name].unique() for name in (*table.dimensions, "algorithm", "level", "position")}
        several = {name: found[:4] for name, found in left.items() if name != columns and len(found) > 1}
        choice = " and ".join(f"{name} ({', '.join(map(str, found))})" for name, found in several.items())
        raise InputError(f"{quantity!r} is not one value per seed and {columns}; choose {choice}.")
    return frame.pivot(index="seed", columns=columns, values="value").sort_index()


def rows(tables: Table | Sequence[Table], quantities: str | Sequence[str], **where: Any) -> pandas.DataFrame:
    """Return quantities of single networks as the rows that charts are drawn from; `where` as in `Table.where`.

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
        beside = table.frame.loc[table.frame["quantity"].isin([SIZE, EPOCHS])]
        wide = beside.pivot(index=network, columns="quantity", values="value").reset_index()
        piece = some.merge(wide, how="left", on=network) if len(wide) else some.copy()
        for name in NAMES:
            chosen = table.frame.loc[table.frame["quantity"] == level_quantity(name)]
            keys = [*table.dimensions, "algorithm", "seed"]
            at = piece[keys].merge(chosen[[*keys, "value"]], how="left", on=keys)["value"]
            piece[name] = piece["level"].to_numpy() == at.to_numpy()
        pieces.append(piece.assign(table=table.label, benchmark=table.benchmark, scale=table.scale))
    found = pandas.concat(pieces, ignore_index=True) if pieces else pandas.DataFrame()
    if found.empty:
        case = ", ".join(f"{name}={value!r}" for name, value in where.items())
        raise InputError(f"no table has {' or '.join(wanted)}{f' with {case}' if case else ''}.")
    return found


def comparing_first(tables: Sequence[Table], algorithms: Iterable[str]) -> list[Table]:
    """Put the tables first that have all of these algorithms, so that a figure opens with a comparison; else their order."""
    wanted = set(algorithms)
    return sorted(tables, key=lambda table: not wanted <= set(table.frame["algorithm"]))


def table_folder(
    paper: str, benchmark: str, scale: str, origin: Origin, root: Path | str = REPOSITORY, changes: Changes = NO_CHANGES
) -> Path:
    """Return where the parts of a table lie."""
    place = f"papers/{paper}/results" if origin == "committed" else f"runs/tables/{paper}"
    return Path(root) / place / (f"{benchmark}_{scale}" + (f"_{changes.slug}" if changes else ""))


def read_table(
    paper: str, benchmark: str, scale: str, origin: Origin, root: Path | str = REPOSITORY, changes: Changes = NO_CHANGES
) -> Table | None:
    """Read the parts of a table; None where there is none.

    Where two parts have a number of the same network, the later one counts; parts of one date in the order of their names.

    Raises:
        InputError: a part that is there cannot be read, or parts differ in their dimensions.
    """
    folder = table_folder(paper, benchmark, scale, origin, root, changes)
    # the lock of both origins lies with this machine's
    with not_written_now(table_folder(paper, benchmark, scale, "this machine", root, changes)):
        found = [
            (path.stem, *read_part(path.with_suffix(".csv")))
            for path in sorted(folder.glob("*.json"))
            if path.with_suffix(".csv").exists()
        ]
    if not found:
        return None
    kinds = {tuple(name for name in frame.columns if name not in (*COLUMNS, "part")) for _, frame, _ in found}
    if len(kinds) > 1:
        several = " and ".join(map(str, sorted(kinds)))
        raise InputError(f"{folder.name}: its parts have the dimensions {several}.")
    found.sort(key=lambda one: one[2].date)
    frames, made = [frame for _, frame, _ in found], {name: one for name, _, one in found}
    return assemble(paper, benchmark, scale, min(kinds), frames, made, origin, changes)


def assemble(
    paper: str, benchmark: str, scale: str, dimensions: tuple[str, ...], frames: Sequence[pandas.DataFrame],
    parts: Mapping[str, Provenance], origin: Origin = "memory", changes: Changes = NO_CHANGES,
) -> Table:  # fmt: skip
    """Put parts together, the later ones counting, and add the chosen levels (`lib.analysis.levels`)."""
    from lib.analysis.levels import with_levels

    rows = pandas.concat(list(frames), ignore_index=True)
    table = Table(paper, benchmark, scale, dimensions, rows, parts, origin, changes=changes)
    frame = rows.drop_duplicates(subset=table.key, keep="last", ignore_index=True)
    return dataclasses.replace(with_levels(dataclasses.replace(table, frame=frame)), every_row=rows)


def find_tables(paper: str, benchmark: str = "*", scale: str = "*", root: Path | str = REPOSITORY) -> list[Table]:
    """Find a paper's tables, of one benchmark and scale or of all, largest scale first, committed before this machine's."""
    found = []
    for origin in ("committed", "this machine"):
        pattern = table_folder(paper, benchmark, scale, origin, root)
        for folder in sorted(pattern.parent.glob(pattern.name)):
            name, _, of = folder.name.rpartition("_")
            if of in SCALES and (table := read_table(paper, name, of, origin, root)):
                found.append(table)
    return sorted(found, key=lambda one: (one.benchmark, -SCALES.index(one.scale), one.origin))


def noun_and_unit(quantity: str) -> tuple[str, str]:
    """Split the name of a quantity: "test error (%)" is "test error" and "%"; the unit may be ""."""
    noun, _, unit = quantity.removesuffix(")").partition(" (")
    return noun, unit


def unit_of_difference(unit: str) -> str:
    """Return the unit in which two numbers differ: percent differ by points."""
    return "points" if unit == "%" else unit


def joined(names: Iterable[str]) -> str:
    """Join different names by " + ", sorted; names may be joined already."""
    return " + ".join(sorted({name for one in names for name in one.split(" + ")}))
