"""Every number of TR's appendix M (Tables 5 to 11) beside every one that this book has measured, in one long table.

Nothing is trained here: the measured tables of TR's other pages are read. A printed table is compared by a function of one
measured table (`comparison.py`), so one more line in `PRINTED` adds it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas

from lib.analysis.files import REPOSITORY
from lib.analysis.pages import Page, find_page, is_current
from lib.analysis.printed import PLACE
from lib.analysis.schema import ALGORITHMS, COLUMNS, SCALES, SCORED, Provenance
from lib.analysis.tables import Table, find
from lib.charts import wording
from papers.training_regularization import recipes
from papers.training_regularization.cases import DS, LRR
from papers.training_regularization.comparison import (
    BENCHMARKS,
    DENSE,
    PAPER,
    SUBSET_QUANTITIES,
    table_5,
    table_6,
    table_7,
    table_8,
    table_9,
    table_10,
    table_11,
)

PAGE = Page(PAPER, "all_numbers", recipes.plan, lambda plan: [])  # no chains: it measures nothing

SECTION_3, SECTION_4, SECTION_5_1 = (
    "better_training",
    "additional_regularization",
    "pruning_and_longer_training",
)


class PrintedTable(NamedTuple):
    """A printed table and where its numbers are measured.

    Attributes:
        number: in the paper.
        title: what it compares.
        compare: one measured table → printed beside measured, with the columns that `comparison.table_2` names.
        pages: whose tables measure it; where several measure the same number, the first one's is listed.
        unit: of its numbers.
    """

    number: int
    title: str
    compare: Callable[[Table], pandas.DataFrame]
    pages: tuple[str, ...]
    unit: str = "%"


PRINTED = (
    PrintedTable(5, "pruning and extended dense training", table_5, (SECTION_5_1, SECTION_3)),
    PrintedTable(6, "sparse and dense networks", table_6, (SECTION_5_1, SECTION_4)),
    PrintedTable(7, "pruning and width down-scaling", table_7, ("size_reduction", SECTION_3)),
    PrintedTable(8, "pruning and dense training on a subset", table_8, ("leaving_out_examples",)),
    PrintedTable(9, "weight rewinding and learning-rate rewinding", table_9, (SECTION_5_1,)),
    PrintedTable(10, "three rules of choosing weights", table_10, (SECTION_5_1,)),
    PrintedTable(
        11, "training loss of noisy and original examples", table_11, (SECTION_4, SECTION_5_1), "nats"
    ),
)

LONG = (
    "paper", "table", "benchmark", "algorithm", "noise_percent", "quantity", "unit", "printed_mean", "printed_std",
    "measured_mean", "measured_std", "replicates", "scale", "source_table",
)  # fmt: skip
"""Columns of the long table and of its CSV; a number that was not measured has 0 replicates, no scale and no source."""


@dataclass(frozen=True)
class Sources:
    """The measured tables that are compared.

    Attributes:
        current: those of today's recipes, committed ones first.
        stale: those of earlier recipes, which are left out.
    """

    current: list[Table]
    stale: list[Table]

    @property
    def note(self) -> str:
        """Say in a few sentences what is compared, and what is not."""
        named = "; ".join(f"{source_name(t)} ({t.label})" for t in self.current) or "none yet"
        text = f"Measured tables read: {named}."
        if self.stale:
            old = "; ".join(source_name(t) for t in self.stale)
            text += f" Left out, since their recipe has changed since: {old}."
        return text


def sources(scale: str, repository_root: Path | str = REPOSITORY) -> Sources:
    """Find the measured tables of TR's pages at `laptop`, `paper` and the asked-for scale, on this machine or committed."""
    wanted = {page for one in PRINTED for page in one.pages}
    found = [
        table
        for table in find(PAPER, None, None, repository_root)
        if table.provenance.page in wanted and table.provenance.scale in (scale, *SCORED)
    ]
    found.sort(key=lambda table: table.origin != "committed")
    current = [t for t in found if is_current(find_page(PAPER, t.provenance.page), t)]
    return Sources(current, [t for t in found if t not in current])


def source_name(table: Table) -> str:
    """Name a measured table by its page and file: "additional_regularization/mnist-lenet_laptop, committed"."""
    made = table.provenance
    return f"{made.page}/{made.benchmark}_{made.scale}, {table.origin}"


def long_table(tables: Sequence[Table], printed: Sequence[PrintedTable] = PRINTED) -> pandas.DataFrame:
    """Set every printed number beside every measured one.

    Args:
        tables: measured ones, of any page, benchmark and scale; of equal numbers the first one's are listed.
        printed: the printed tables.

    Returns:
        Columns `LONG`: a row per number and measured table, and one for each printed number that none measures. In order
        of table, benchmark, noise and what was measured.
    """
    pieces = []
    for one in printed:
        measured = [
            one.compare(table).query("replicates > 0").assign(source_table=source_name(table))
            for page in one.pages
            for table in tables
            if table.provenance.page == page
        ]
        bare = [one.compare(_nothing(benchmark)) for benchmark in BENCHMARKS.values()]
        order = {place: i for i, place in enumerate(_places(pandas.concat(bare)))}
        # Empty frames are left out: their columns have no type, and would take the others' away.
        filled = [frame for frame in measured if len(frame)]
        rows = pandas.concat(filled, ignore_index=True) if filled else pandas.DataFrame(columns=[*PLACE])
        absent = pandas.concat(bare, ignore_index=True).assign(scale="", source_table="")
        there = set(_places(rows))
        absent = absent[[place not in there for place in _places(absent)]]
        every = pandas.concat([rows, absent], ignore_index=True) if len(rows) else absent
        repeated = pandas.DataFrame(every).duplicated([*PLACE, "scale", "measured_mean", "measured_std"])
        every = pandas.DataFrame(every.loc[~repeated])
        benchmarks = list(BENCHMARKS.values())
        every["key"] = [
            (benchmarks.index(place[0]), place[1], order.get(place, math.inf), scale and SCALES.index(scale))
            for place, scale in zip(_places(every), every["scale"], strict=True)
        ]
        every = every.sort_values("key", kind="stable")
        named = [_algorithm(str(quantity)) for quantity in every["quantity"]]
        every["algorithm"], every["quantity"] = ([pair[i] for pair in named] for i in (0, 1))
        pieces.append(every.assign(paper="TR", table=one.number, unit=one.unit)[list(LONG)])
    made = pandas.concat(pieces, ignore_index=True)
    means = ["printed_mean", "printed_std", "measured_mean", "measured_std"]
    return made.astype(dict.fromkeys(means, "float64"))


def csv_text(frame: pandas.DataFrame) -> str:
    """Return the long table as CSV; an empty cell is a number that is not printed, or not measured."""
    return frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def counts(frame: pandas.DataFrame, printed: Sequence[PrintedTable] = PRINTED) -> pandas.DataFrame:
    """Count the numbers of each printed table, and those that are measured at each scale, as text."""
    scales = [scale for scale in SCALES if scale in set(frame["scale"])]
    identity = ["benchmark", "noise_percent", "algorithm", "quantity"]
    rows = []
    for one in printed:
        own = frame.loc[(frame["table"] == one.number) & frame["printed_mean"].notna()]
        row = {"table": str(one.number), "compares": one.title, "printed": _different(own, identity)}
        for scale in scales:
            row[f"measured, {scale}"] = _different(own.loc[own["scale"] == scale], identity)
        rows.append(row)
    return pandas.DataFrame(rows)


def _different(frame: pandas.DataFrame, columns: list[str]) -> str:
    """Count the rows that differ in some columns, as text."""
    return str(int((~frame.duplicated(columns)).sum()))


def cells(frame: pandas.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the long table as heads and rows of text for a reader: "9.96 ± 0.62", a dash for what is not there."""
    heads = ["table", "benchmark", "noise (%)", "algorithm", "quantity", "printed", "measured", "difference"]
    rows = []
    for row in frame.to_dict("records"):
        difference = row["measured_mean"] - row["printed_mean"]
        rows.append(
            [
                str(row["table"]),
                row["benchmark"],
                f"{row['noise_percent']:g}",
                wording.algorithm_name(row["algorithm"]),
                f"{row['quantity'].replace('_', ' ')} ({row['unit']})",
                _number(row["printed_mean"], row["printed_std"]),
                _number(row["measured_mean"], row["measured_std"]),
                "–" if math.isnan(difference) else f"{difference:+.2f}",
                str(row["replicates"]),
                row["scale"] or "not measured",
                row["source_table"] or "–",
            ]
        )
    return [*heads, "replicates", "scale", "source table"], rows


def _number(mean: float, std: float) -> str:
    if math.isnan(mean):
        return "–"
    return f"{mean:.2f}" + ("" if math.isnan(std) else f" ± {std:.2f}")


def _places(frame: pandas.DataFrame) -> list[tuple[str, float, str]]:
    return [(str(row[0]), float(row[1]), str(row[2])) for row in frame[PLACE].itertuples(index=False)]


def _algorithm(quantity: str) -> tuple[str, str]:
    """Split the name of a quantity, without its unit: "test_error_percent_optimal_snip_pruning" → "snip_pruning",
    "test_error_optimal"; one that names no algorithm is of learning-rate rewinding."""
    if (
        quantity == SUBSET_QUANTITIES[DS, "test_error_at_0_sparsity"]
    ):  # its network is dense, its examples are chosen
        return DS, "test_error_at_0_sparsity"
    for name in sorted((*ALGORITHMS, DENSE), key=len, reverse=True):
        if quantity.endswith(f"_{name}"):
            return name, _without_unit(quantity.removesuffix(f"_{name}"))
    return LRR, _without_unit(quantity)


def _without_unit(quantity: str) -> str:
    return quantity.replace("_percent", "").replace("_nats", "")


def _nothing(benchmark: str) -> Table:
    """Return a table of a benchmark without a row: compared with it, all printed numbers are unmeasured."""
    empty = pandas.DataFrame({name: pandas.Series(dtype=kind) for name, kind in COLUMNS.items()})
    return Table(empty, Provenance.model_construct(benchmark=benchmark, scale="paper"))
