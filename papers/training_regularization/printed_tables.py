"""TR's printed numbers beside what was measured of the same networks; neither is ever adjusted to the other.

A cell of a printed table names a network in a spelling of its own. `NETWORKS` and `METRICS` say which one that is here: an
algorithm, the level that is read, and a quantity. So a further printed table is a line of `TABLES`, and one function
compares all. Measured standard deviations are sample ones (n − 1) over replicates; TR does not say which it prints. TR
measures training losses while augmenting, as far as its code base shows (facts J21); here they are measured without.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas

from lib.analysis.display import NOTHING, plus_minus
from lib.analysis.experiments import current
from lib.analysis.levels import chosen_level
from lib.analysis.printed import printed
from lib.analysis.statistics import mean_and_std
from lib.analysis.table import Table, find_tables, values
from lib.scales import SCALES, SCORED
from papers.training_regularization.names import (
    DS,
    EDT,
    LRR,
    NOISY_LOSS,
    ONE_SHOT,
    ORIGINAL_LOSS,
    OVERLAP,
    RANDOM,
    SNIP,
    SYNFLOW,
    TEST,
    WD,
    WR,
)  # fmt: skip

PAPER = "training_regularization"

BENCHMARKS = {
    ("LeNet", "MNIST"): "mnist-lenet",
    ("ResNet-20", "CIFAR-10"): "cifar10-resnet20",
    ("VGG-16", "CIFAR-10"): "cifar10-vgg16",
    ("ResNet-32", "CIFAR-100"): "cifar100-resnet32",
    ("ResNet-50", "ImageNet"): "imagenet-resnet50",
}
"""This book's name for TR's printed network and data set."""

TABLES: Mapping[int, tuple[str, str]] = {
    2: ("table_02_pruning_variants_vs_edt", "five ways to prune, and longer training"),
    3: ("table_03_jaccard", "overlap of the examples that change most"),
    5: ("table_05_lr_vs_edt", "pruning and extended dense training"),
    6: ("table_06_sparse_vs_dense", "sparse and dense networks"),
    7: ("table_07_lr_vs_width_downscaling", "pruning and width down-scaling"),
    8: ("table_08_dense_subset", "pruning and dense training on a subset"),
    9: ("table_09_weight_vs_lr_rewinding", "weight rewinding and learning-rate rewinding"),
    10: ("table_10_weight_selection", "three rules of choosing weights"),
    11: ("table_11_train_loss_partitions", "training loss of noisy and original examples"),
}
"""Number of a printed table → its file and what it compares."""

DENSE, OPTIMUM, CHANGE = "dense", "optimum", "optimum minus dense"
NETWORKS: Mapping[str, tuple[str, str]] = {
    "dense": (LRR, DENSE),
    "dense, standard training": (LRR, DENSE),
    "LR rewinding": (LRR, OPTIMUM),
    "LR rewinding (optimally sparse)": (LRR, OPTIMUM),
    "LR rewinding, magnitude selection": (LRR, OPTIMUM),
    "optimally sparse (LR rewinding)": (LRR, OPTIMUM),
    "sparse minus dense": (LRR, CHANGE),
    "Weight rewinding": (WR, OPTIMUM),
    "weight rewinding": (WR, OPTIMUM),
    "weight rewinding (optimally sparse)": (WR, OPTIMUM),
    "SynFlow": (SYNFLOW, OPTIMUM),
    "LR rewinding, synflow selection": (SYNFLOW, OPTIMUM),
    "SNIP": (SNIP, OPTIMUM),
    "Iterative random": (RANDOM, OPTIMUM),
    "LR rewinding, random selection": (RANDOM, OPTIMUM),
    "EDT": (EDT, OPTIMUM),
    "width down-scaling": (WD, OPTIMUM),
    "dense-subset": (DS, OPTIMUM),
    "one-shot pruning vs equal-time width down-scaling": (ONE_SHOT, "best smaller"),
}
"""Method as printed → algorithm and level; the optimum is each algorithm's own."""

METRICS: Mapping[str, tuple[str, str | None]] = {
    "test_error": (TEST, None),
    "test_error_optimal": (TEST, None),
    "test_error_at_0_sparsity": (TEST, DENSE),
    "train_ce_loss_noisy": (NOISY_LOSS, None),
    "train_ce_loss_original": (ORIGINAL_LOSS, None),
    "train_ce_loss_difference_noisy": (NOISY_LOSS, None),
    "train_ce_loss_difference_original": (ORIGINAL_LOSS, None),
    "jaccard_top10pct_loss_change": (OVERLAP, None),
}
"""Metric as printed → quantity, and the level where the metric says it."""

PLACE = ["table_number", "benchmark", "noise_percent", "algorithm", "level", "quantity"]
"""The columns that name a printed number."""

LONG = (
    "paper", *PLACE, "printed_mean", "printed_std", "measured_mean", "measured_std", "replicates", "scale", "source",
)  # fmt: skip
"""Columns of `beside`; a number that was not measured has 0 replicates, no scale and no source."""


@functools.cache
def printed_numbers(*numbers: int) -> pandas.DataFrame:
    """Return the numbers of printed tables, a row each.

    Args:
        numbers: of tables, keys of `TABLES`.

    Returns:
        `PLACE`, `network` (`network_name`), `mean` and `std`, NaN where none is printed.
    """
    found = []
    for number in numbers:
        for cell in printed(PAPER, TABLES[number][0]).to_dict("records"):
            if cell["metric"] not in METRICS:  # a remark, such as the overlap of random sets
                continue
            (algorithm, level), (quantity, own_level) = NETWORKS[cell["method"]], METRICS[cell["metric"]]
            benchmark = BENCHMARKS[cell["model"], cell["dataset"]]
            place = (number, benchmark, float(cell["noise_percent"]), algorithm, own_level or level, quantity)
            found.append([*place, network_name(*place[3:5]), cell["mean"], cell["std"]])
    return pandas.DataFrame(found, columns=[*PLACE, "network", "mean", "std"])


def measured(table: Table, quantity: str, algorithm: str, noise_percent: float, level: str) -> pandas.Series:
    """Return what a table holds of a network, by seed; empty where it holds nothing.

    Args:
        table: of one benchmark and scale.
        quantity, algorithm, noise_percent: of the network.
        level: `DENSE`, `CHANGE`, or the name of a chosen level (`lib.analysis.levels`).
    """
    where = {"algorithm": algorithm, "noise_percent": noise_percent}
    if level == CHANGE:
        return measured(table, quantity, level=OPTIMUM, **where) - measured(table, quantity, level=DENSE, **where)
    chosen = 0 if level == DENSE else chosen_level(table, level, **where)
    found: Any = values(table, quantity, **where)
    return found[chosen].dropna() if chosen in found else pandas.Series(dtype="float64")


def measured_numbers(tables: Sequence[Table], numbers: pandas.DataFrame) -> pandas.DataFrame:
    """Return the replicates of printed numbers, as the rows that charts are drawn from.

    Args:
        tables: measured.
        numbers: as `printed_numbers` returns them.

    Returns:
        `PLACE`, network, seed, value, table (its label), scale and source; no row where nothing was measured.
    """
    found = []
    for table in tables:
        source = f"{table.benchmark}_{table.scale}, {table.origin}"
        own: Any = numbers.loc[numbers["benchmark"] == table.benchmark, [*PLACE, "network"]]
        for place in own.itertuples(index=False):
            by_seed = measured(table, place.quantity, place.algorithm, place.noise_percent, place.level)
            found += [[*place, *one, table.label, table.scale, source] for one in by_seed.items()]
    return pandas.DataFrame(found, columns=[*PLACE, "network", "seed", "value", "table", "scale", "source"])


def beside(tables: Sequence[Table], numbers: pandas.DataFrame) -> pandas.DataFrame:
    """Set every printed number beside every measured one.

    Args:
        tables: measured, of any benchmark and scale; of equal numbers of one scale the first table's are listed.
        numbers: as `printed_numbers` returns them.

    Returns:
        Columns `LONG`, in printed order, the largest scale first: a row per number and table, and one for each printed
        number that no table measures.
    """
    single: Any = measured_numbers(tables, numbers)
    groups = [*PLACE, "table", "scale", "source"]
    summary = pandas.DataFrame(
        [[*case, *mean_and_std(own["value"]).iloc[0]] for case, own in single.groupby(groups, sort=False)],
        columns=[*groups, "measured_mean", "measured_std", "replicates"],
    ).drop_duplicates([*PLACE, "scale", "measured_mean", "measured_std"])
    both: Any = numbers.assign(
        paper="TR",
        printed_order=range(len(numbers)),
        benchmark_order=[[*BENCHMARKS.values()].index(name) for name in numbers["benchmark"]],
    ).rename(columns={"mean": "printed_mean", "std": "printed_std"})
    both = both.merge(summary.astype(numbers[PLACE].dtypes), how="left", on=PLACE)
    both = both.fillna({"replicates": 0, "scale": "", "source": ""}).astype({"replicates": "int64"})
    both["size"] = [-SCALES.index(scale) if scale else 0 for scale in both["scale"]]
    order = ["table_number", "benchmark_order", "noise_percent", "printed_order", "size"]
    return both.sort_values(order, kind="stable")[list(LONG)].reset_index(drop=True)


def text_cells(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Write what `beside` returns as text for a reader: "9.96 ± 0.62", a dash for what is not there."""
    cells: Any = frame
    rows = [
        {
            "table": str(row.table_number),
            "benchmark": row.benchmark,
            "noise (%)": f"{row.noise_percent:g}",
            "network": network_name(row.algorithm, row.level),
            "quantity": row.quantity,
            "printed": plus_minus(row.printed_mean, row.printed_std),
            "measured": plus_minus(row.measured_mean, row.measured_std),
            "difference": plus_minus(row.measured_mean - row.printed_mean, signed=True),
            "replicates": str(row.replicates),
            "scale": row.scale or "not measured",
            "source": row.source or NOTHING,
        }
        for row in cells.itertuples(index=False)
    ]
    return pandas.DataFrame(rows)


def network_name(algorithm: str, level: str) -> str:
    """Name a network: "dense", "weight rewinding, optimum"."""
    return level if algorithm == LRR and level != OPTIMUM else f"{algorithm}, {level}"


def csv_text(frame: pandas.DataFrame) -> str:
    """Return what `beside` returns as CSV; an empty cell is a number that is not printed, or not measured."""
    return frame.rename(columns={"table_number": "table"}).to_csv(index=False, float_format="%.6g", lineterminator="\n")


def counts(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Count the numbers of each printed table, and those that are measured at each scale, as text."""
    found, long = [], frame.astype(object)
    for number, (_, compared) in TABLES.items():
        own: Any = long[long["table_number"] == number]
        row = {"table": str(number), "compares": compared, "printed": str(len(own.drop_duplicates(PLACE)))}
        for scale in reversed(SCALES):
            if scale in set(frame["scale"]):
                row[f"measured, {scale}"] = str(len(own[own["scale"] == scale].drop_duplicates(PLACE)))
        found += [row] if len(own) else []
    return pandas.DataFrame(found)


def sources(scale: str) -> tuple[list[Table], str]:
    """Return the paper's tables that count for a claim, and those of a scale, without what is stale; and a note on them."""
    tables, stale = [], []
    for table in find_tables(PAPER):
        if table.scale in (scale, *SCORED):
            fresh, old = current(table)
            tables += [fresh] if len(fresh.frame) else []
            stale += [f"{part} of {table.benchmark}, {table.label}" for part in old]
    read = "; ".join(f"{table.benchmark}, {table.label}" for table in tables)
    left_out = f" Left out, since recipe or measurement has changed: {'; '.join(stale)}." if stale else ""
    return tables, f"Measured tables read: {read or 'none yet'}.{left_out}"


def printed_verdicts(number: int, first: str, second: str, benchmark: str) -> dict[float, set[str]]:
    """Compare two algorithms of a printed table on a benchmark, as far as print allows.

    The rule (TR section 2) asks for the standard deviation of paired differences, which TR does not print. Four readings
    make one of the two printed ones: root of the sum of squares, larger one, sum, average.

    Args:
        number: of the printed table.
        first, second: algorithms, each at its optimum.
        benchmark: one of `BENCHMARKS`.

    Returns:
        By noise in percent: "lower", "higher" or "match" of the first against the second, all that a reading gives. A case
        with one verdict is the same in all four.
    """
    own: Any = printed_numbers(number).query("benchmark == @benchmark and level == @OPTIMUM")
    cells = {(row.noise_percent, row.algorithm): (row.mean, row.std) for row in own.itertuples()}
    found = {}
    for noise in sorted({noise for noise, _ in cells}):
        (mean, std), (other, other_std) = cells[noise, first], cells[noise, second]
        spreads = (math.hypot(std, other_std), max(std, other_std), std + other_std, (std + other_std) / 2)
        found[noise] = {_verdict(mean - other, spread) for spread in spreads}
    return found


def _verdict(change: float, spread: float) -> str:
    change, spread = round(change, 9), round(spread, 9)  # printed decimals, which floats miss in the last bit
    if change == 0 or abs(change) < spread:
        return "match"
    return "lower" if change < 0 else "higher"
