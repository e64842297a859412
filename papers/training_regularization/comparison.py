"""TR's Tables 6 and 11: measured beside printed.

Measured standard deviations are sample ones (n - 1) over the replicates; TR does not say which it prints.
"optimal" is the level with the lowest mean validation error (`lib.analysis.statistics`). TR measures training
losses while augmenting as far as its code base shows (facts J21); here they are measured without
augmentation. LeNet has none, so there it is the same.
"""

import math

import pandas

from lib.analysis.printed import PLACE, beside, printed
from lib.analysis.statistics import at_level, optimal_level
from lib.analysis.tables import Table
from lib.analysis.verdicts import usable_noise

PAPER = "training_regularization"
LRR, WR = "learning_rate_rewinding", "weight_rewinding"

BENCHMARKS = {
    ("LeNet", "MNIST"): "mnist-lenet",
    ("ResNet-20", "CIFAR-10"): "cifar10-resnet20",
    ("VGG-16", "CIFAR-10"): "cifar10-vgg16",
    ("ResNet-32", "CIFAR-100"): "cifar100-resnet32",
    ("ResNet-50", "ImageNet"): "imagenet-resnet50",
}
"""This book's name for TR's printed network and data set."""

ERRORS = {
    "dense, standard training": "test_error_percent_dense",
    "LR rewinding (optimally sparse)": "test_error_percent_optimal_learning_rate_rewinding",
    "weight rewinding (optimally sparse)": "test_error_percent_optimal_weight_rewinding",
}
LOSSES = {
    ("dense", "train_ce_loss_noisy"): "train_loss_nats_noisy_dense",
    ("dense", "train_ce_loss_original"): "train_loss_nats_original_dense",
    ("optimally sparse (LR rewinding)", "train_ce_loss_noisy"): "train_loss_nats_noisy_optimal",
    ("optimally sparse (LR rewinding)", "train_ce_loss_original"): "train_loss_nats_original_optimal",
    ("sparse minus dense", "train_ce_loss_difference_noisy"): "train_loss_nats_noisy_change",
    ("sparse minus dense", "train_ce_loss_difference_original"): "train_loss_nats_original_change",
}


def table_6(table: Table) -> pandas.DataFrame:
    """Set test errors of dense and optimally sparse networks beside TR's Table 6, in percent.

    Args:
        table: measured.

    Returns:
        Rows of this benchmark: benchmark, noise_percent, quantity, printed_mean, printed_std, measured_mean,
        measured_std, replicates, difference (measured - printed) and scale. Printed rows that were not
        measured have 0 replicates.
    """
    frame, rows = table.frame, []
    for noise in usable_noise(table, [LRR], _noises(table)):
        rows.append(_row(table, noise, ERRORS["dense, standard training"], at_level(frame, LRR, noise, 0)))
    for name, printed_name in ((LRR, "LR"), (WR, "weight")):
        for noise in usable_noise(table, [name], _noises(table)):
            best = at_level(frame, name, noise, optimal_level(frame, name, noise))
            rows.append(_row(table, noise, ERRORS[f"{printed_name} rewinding (optimally sparse)"], best))
    record = printed(PAPER, "table_06_sparse_vs_dense")
    return _beside(table, record.assign(quantity=[ERRORS[method] for method in record["method"]]), rows)


def table_11(table: Table) -> pandas.DataFrame:
    """Set training losses on noisy and original examples beside TR's Table 11, in nats.

    Args:
        table: measured.

    Returns:
        Columns as in `table_6`; "change" is optimally sparse minus dense, paired by seed.
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
