"""Does the precision of the products move the result? The same replicates in each precision, paired by seed.

A replicate has the same initial weights, noisy labels and order of images in every precision, so that the difference of its
errors is due to rounding, and to what training makes of it: two runs that differ in the last bit part as two seeds do. A
precision is neutral as far as the mean difference stays within the spread of the differences. A pruned stage may compute in
float32 though bfloat16 was asked for (`lib.stages.train_stage.computed_precision`); then rounding is that of the dense one.
"""

import tempfile

import pandas
import torch

from book.costs.tables import COLUMNS
from lib.analysis.experiments import errors_of
from lib.analysis.levels import TEST
from lib.analysis.table import SIZE
from lib.stages import Chain, Execution, Prune, Store, run
from lib.stages.algorithms import learning_rate_rewinding
from lib.training import Precision, Replicate
from papers.training_regularization.recipes import plan


def _errors(
    chain: Chain, replicates: list[Replicate], precision: Precision, store: Store, device: torch.device
) -> pandas.DataFrame:
    """Return size and test error of each network in one precision."""
    results = run(chain, replicates, store, Execution(str(device), precision))
    rows = [row for row in errors_of(results) if row["quantity"] in (SIZE, TEST)]
    wide = pandas.DataFrame(rows).pivot(index=["noise_percent", "seed", "level"], columns="quantity", values="value")
    return wide.reset_index().assign(precision=precision).round({SIZE: 2})


def compare(
    chain: Chain, replicates: list[Replicate], precisions: list[Precision], store: Store, device: torch.device
) -> pandas.DataFrame:
    """Return a row per noise level, level and precision, with the differences from float32, the first precision."""
    errors = pandas.concat([_errors(chain, replicates, p, store, device) for p in precisions])
    network = ["noise_percent", "seed", "level"]
    exact = errors.loc[errors["precision"] == "float32", [*network, TEST]]
    errors = errors.merge(exact, on=network, suffixes=("", " in float32"))
    errors["difference"] = errors[TEST] - errors[f"{TEST} in float32"]
    groups = errors.groupby(["noise_percent", SIZE, "precision"])
    found = groups.agg(
        replicates=(TEST, "size"), error_percent_mean=(TEST, "mean"), error_percent_std=(TEST, "std"),
        difference_mean=("difference", "mean"), difference_std=("difference", "std"),
    ).round(3).reset_index()  # fmt: skip
    found.loc[found["precision"] == "float32", ["difference_mean", "difference_std"]] = float("nan")
    found = found.sort_values(["noise_percent", SIZE, "precision"], ascending=[True, False, False])
    found = found.rename(columns={SIZE: "weights_remaining_percent"})
    return found.assign(benchmark=chain.recipe.benchmark).filter(COLUMNS["precision"])


def precision(device: torch.device, quick: bool = False) -> tuple[pandas.DataFrame, list[str]]:
    """Compare on MNIST and on CIFAR-10 at laptop scale, five seeds, and say what was run."""
    precisions: list[Precision] = ["float32", "bfloat16", *(["tf32"] if device.type == "cuda" else [])]
    lenet, resnet = (plan(b, "smoke" if quick else "laptop") for b in ("mnist-lenet", "cifar10-resnet20"))
    if not quick:  # wide enough for products in bfloat16 to pay, short enough to repeat five times
        short = {"epochs": 20, "drop_epochs": (10, 15), "rewind_epoch": 1}
        resnet = resnet.but(recipe={"data": {"train": 2_000}, "width": 16, **short})
    seeds = range(2 if quick else 5)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        tables = [
            compare(
                learning_rate_rewinding(p.recipe, 1, Prune(fraction=0.9)),
                [Replicate(seed=seed, noise_percent=n) for seed in seeds for n in noises],
                precisions, store, device,
            )
            for p, noises in ((lenet, (0.0, 15.0)), (resnet, (60.0,)))
        ]  # fmt: skip
    recipes = (lenet.recipe, resnet.recipe)
    notes = [
        f"{r.benchmark}: {r.data.train:,} training images, {r.epochs} epochs"
        + (f", width {r.width}" if r.width else "")
        + ", dense and with a tenth of the weights."
        for r in recipes
    ]
    return pandas.concat(tables, ignore_index=True), notes
