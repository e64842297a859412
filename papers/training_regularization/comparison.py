"""TR's tables: measured beside printed.

Measured standard deviations are sample ones (n - 1) over the replicates; TR does not say which it prints.
"optimal" is the level with the lowest mean validation error (`lib.analysis.statistics`), of every algorithm its own. TR
measures training losses while augmenting as far as its code base shows (facts J21); here they are measured without
augmentation. LeNet has none, so there it is the same.
"""

import math

import pandas

from lib.analysis.overlap import OVERLAP
from lib.analysis.printed import PLACE, beside, printed
from lib.analysis.statistics import at_level, optimal_level
from lib.analysis.tables import Table
from lib.analysis.verdicts import usable_noise
from papers.training_regularization.cases import DS, EDT, LRR, RANDOM, SNIP, SYNFLOW, WD, WR

PAPER = "training_regularization"

BENCHMARKS = {
    ("LeNet", "MNIST"): "mnist-lenet",
    ("ResNet-20", "CIFAR-10"): "cifar10-resnet20",
    ("VGG-16", "CIFAR-10"): "cifar10-vgg16",
    ("ResNet-32", "CIFAR-100"): "cifar100-resnet32",
    ("ResNet-50", "ImageNet"): "imagenet-resnet50",
}
"""This book's name for TR's printed network and data set."""

DENSE = "dense"
METHODS = {
    "table_02_pruning_variants_vs_edt": {
        "LR rewinding": LRR,
        "Weight rewinding": WR,
        "SynFlow": SYNFLOW,
        "SNIP": SNIP,
        "Iterative random": RANDOM,
        "EDT": EDT,
    },
    "table_05_lr_vs_edt": {"LR rewinding": LRR, "EDT": EDT},
    "table_06_sparse_vs_dense": {
        "dense, standard training": DENSE,
        "LR rewinding (optimally sparse)": LRR,
        "weight rewinding (optimally sparse)": WR,
    },
    "table_07_lr_vs_width_downscaling": {"LR rewinding": LRR, "width down-scaling": WD},
    "table_09_weight_vs_lr_rewinding": {"LR rewinding": LRR, "weight rewinding": WR},
    "table_10_weight_selection": {
        "LR rewinding, magnitude selection": LRR,
        "LR rewinding, synflow selection": SYNFLOW,
        "LR rewinding, random selection": RANDOM,
    },
}
"""What each method of a printed table of test errors is here: an algorithm at its optimum, or the dense network."""

SUBSET_QUANTITIES = {
    (LRR, "test_error_optimal"): f"test_error_percent_optimal_{LRR}",
    (LRR, "test_error_at_0_sparsity"): "test_error_percent_dense",
    (DS, "test_error_optimal"): f"test_error_percent_optimal_{DS}",
    (DS, "test_error_at_0_sparsity"): "test_error_percent_chosen_by_dense",
}

LOSSES = {
    ("dense", "train_ce_loss_noisy"): "train_loss_nats_noisy_dense",
    ("dense", "train_ce_loss_original"): "train_loss_nats_original_dense",
    ("optimally sparse (LR rewinding)", "train_ce_loss_noisy"): "train_loss_nats_noisy_optimal",
    ("optimally sparse (LR rewinding)", "train_ce_loss_original"): "train_loss_nats_original_optimal",
    ("sparse minus dense", "train_ce_loss_difference_noisy"): "train_loss_nats_noisy_change",
    ("sparse minus dense", "train_ce_loss_difference_original"): "train_loss_nats_original_change",
}


def table_2(table: Table) -> pandas.DataFrame:
    """Set the optimal test errors of five ways to prune and of longer training beside TR's Table 2, without noise.

    Args:
        table: measured.

    Returns:
        Rows of this benchmark: benchmark, noise_percent, quantity, printed_mean, printed_std, measured_mean,
        measured_std, replicates, difference (measured - printed) and scale; errors in percent. Printed rows
        that were not measured have 0 replicates.
    """
    return _errors(table, "table_02_pruning_variants_vs_edt")


def table_3(table: Table) -> pandas.DataFrame:
    """Set the overlap of the examples that one-shot pruning and longer width down-scaling change beside TR's Table 3.

    Args:
        table: measured, with quantities.

    Returns:
        Columns as in `table_2`; overlaps are shares between 0 and 1. TR prints one deviation for all, "at most 0.03".
    """
    found = table.quantities.loc[table.quantities["quantity"] == OVERLAP]
    rows = [
        _row(table, noise, OVERLAP, found.loc[found["noise_percent"] == noise, "value"])
        for noise in sorted({float(noise) for noise in found["noise_percent"]})
    ]
    record = printed(PAPER, "table_03_jaccard").query("metric == 'jaccard_top10pct_loss_change'")
    return _beside(table, record.assign(quantity=OVERLAP), rows)


def table_5(table: Table) -> pandas.DataFrame:
    """Set pruning and extended dense training beside TR's Table 5, as `table_2` does, with noise."""
    return _errors(table, "table_05_lr_vs_edt")


def table_6(table: Table) -> pandas.DataFrame:
    """Set test errors of dense and optimally sparse networks beside TR's Table 6, as `table_2` does."""
    return _errors(table, "table_06_sparse_vs_dense")


def table_7(table: Table) -> pandas.DataFrame:
    """Set pruning and width down-scaling beside TR's Table 7, as `table_2` does."""
    return _errors(table, "table_07_lr_vs_width_downscaling")


def table_8(table: Table) -> pandas.DataFrame:
    """Set pruning and dense training on correctly classified examples beside TR's Table 8, as `table_2` does.

    At 0 % sparsity these are the dense network, and one trained on what the dense network classifies correctly.
    """
    record, rows = printed(PAPER, "table_08_dense_subset"), []
    asked = [noise for noise in _noises(table) if noise in set(record["noise_percent"].astype("float64"))]
    for algorithm in (LRR, DS):
        for noise in usable_noise(table, [algorithm], asked):
            levels = {
                "test_error_optimal": optimal_level(table.frame, algorithm, noise),
                "test_error_at_0_sparsity": 0,
            }
            for metric, level in levels.items():
                values = at_level(table.frame, algorithm, noise, level)
                rows.append(_row(table, noise, SUBSET_QUANTITIES[algorithm, metric], values))
    own = [{"LR rewinding": LRR, "dense-subset": DS}[method] for method in record["method"]]
    quantity = [SUBSET_QUANTITIES[pair] for pair in zip(own, record["metric"], strict=True)]
    return _beside(table, record.assign(quantity=quantity), rows)


def table_9(table: Table) -> pandas.DataFrame:
    """Set weight rewinding and learning-rate rewinding beside TR's Table 9, as `table_2` does."""
    return _errors(table, "table_09_weight_vs_lr_rewinding")


def table_10(table: Table) -> pandas.DataFrame:
    """Set three rules of choosing weights beside TR's Table 10, as `table_2` does."""
    return _errors(table, "table_10_weight_selection")


def table_11(table: Table) -> pandas.DataFrame:
    """Set training losses on noisy and original examples beside TR's Table 11, in nats.

    Args:
        table: measured.

    Returns:
        Columns as in `table_2`; "change" is optimally sparse minus dense, paired by seed.
    """
    frame, rows = table.frame, []
    for part in ("noisy", "original"):
        subset = f"train_{part}"
        for noise in usable_noise(table, [LRR], _noises(table), ("validation", subset)):
            if noise == 0:
                continue
            levels = (0, optimal_level(frame, LRR, noise))
            dense, best = (at_level(frame, LRR, noise, k, subset, "cross_entropy_nats") for k in levels)
            for name, values in (("dense", dense), ("optimal", best), ("change", best - dense)):
                rows.append(_row(table, noise, f"train_loss_nats_{part}_{name}", values))
    record = printed(PAPER, "table_11_train_loss_partitions")
    quantity = [LOSSES[pair] for pair in zip(record["method"], record["metric"], strict=True)]
    return _beside(table, record.assign(quantity=quantity), rows)


def printed_verdicts(name: str, first: str, second: str, benchmark: str) -> dict[float, set[str]]:
    """Compare two algorithms of a printed table on a benchmark, as far as print allows.

    The rule (TR section 2) asks for the standard deviation of paired differences, which TR does not print. Four
    readings make one of the two printed ones: root of the sum of squares, larger one, sum, average.

    Args:
        name: of the printed table, one of `METHODS`.
        first, second: algorithms.
        benchmark: one of `BENCHMARKS`.

    Returns:
        By noise in percent: "lower", "higher" or "match" of the first against the second, all that a reading gives.
        A case with one verdict is the same in all four.
    """
    values: dict[tuple[float, str], tuple[float, float]] = {
        (float(row["noise_percent"]), METHODS[name][row["method"]]): (row["mean"], row["std"])
        for row in printed(PAPER, name).to_dict("records")
        if BENCHMARKS[row["model"], row["dataset"]] == benchmark
    }
    result = {}
    for noise in sorted({noise for noise, _ in values}):
        (mean, std), (other, other_std) = values[noise, first], values[noise, second]
        spreads = (math.hypot(std, other_std), max(std, other_std), std + other_std, (std + other_std) / 2)
        result[noise] = {_verdict(mean - other, spread) for spread in spreads}
    return result


def _verdict(change: float, spread: float) -> str:
    change, spread = round(change, 9), round(spread, 9)  # printed decimals, which floats miss in the last bit
    if change == 0 or abs(change) < spread:
        return "match"
    return "lower" if change < 0 else "higher"


def _errors(table: Table, name: str) -> pandas.DataFrame:
    """Set test errors beside the printed table of that name (`METHODS`), at the noise levels that it prints."""
    record, frame, rows = printed(PAPER, name), table.frame, []
    asked = [noise for noise in _noises(table) if noise in set(record["noise_percent"].astype("float64"))]
    for own in METHODS[name].values():
        algorithm = LRR if own == DENSE else own
        for noise in usable_noise(table, [algorithm], asked):
            level = 0 if own == DENSE else optimal_level(frame, algorithm, noise)
            rows.append(_row(table, noise, _quantity(own), at_level(frame, algorithm, noise, level)))
    quantity = [_quantity(METHODS[name][method]) for method in record["method"]]
    return _beside(table, record.assign(quantity=quantity), rows)


def _quantity(own: str) -> str:
    return f"test_error_percent_{own}" if own == DENSE else f"test_error_percent_optimal_{own}"


def _noises(table: Table) -> list[float]:
    return sorted(float(noise) for noise in table.frame["noise_percent"].unique())


def _row(table: Table, noise: float, quantity: str, values: pandas.Series) -> dict[str, object]:
    finite = values.dropna().to_numpy(dtype="float64")
    return {
        "benchmark": table.provenance.benchmark,
        "noise_percent": noise,
        "quantity": quantity,
        "measured_mean": float(finite.mean()) if len(finite) else math.nan,
        "measured_std": float(finite.std(ddof=1)) if len(finite) > 1 else math.nan,
        "replicates": len(finite),
    }


def _beside(table: Table, record: pandas.DataFrame, rows: list[dict[str, object]]) -> pandas.DataFrame:
    names = [BENCHMARKS[pair] for pair in zip(record["model"], record["dataset"], strict=True)]
    wanted = table.provenance.benchmark  # noqa: F841 (read by the query below)
    left = pandas.DataFrame(
        {
            "benchmark": names,
            "noise_percent": record["noise_percent"].astype("float64"),
            "quantity": record["quantity"],
            "printed_mean": record["mean"],
            "printed_std": record["std"],
        }
    ).query("benchmark == @wanted")
    columns = [*PLACE, "measured_mean", "measured_std", "replicates"]
    both = beside(left, pandas.DataFrame(rows, columns=pandas.Index(columns)))
    return both.assign(scale=table.provenance.scale)
