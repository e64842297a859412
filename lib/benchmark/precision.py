"""Does the precision of the products move the result? The same replicates in each precision, paired by seed.

A replicate has the same initial weights, noisy labels and order of images in every precision, so that the difference of its
errors is due to rounding, and to what training makes of it: two runs that differ in the last bit part as two seeds do. A
precision is neutral as far as the mean difference stays within the spread of the differences.
"""

import tempfile

import pandas
import torch

from lib.stages import Chain, Execution, Prune, Store, run
from lib.stages.algorithms import learning_rate_rewinding
from lib.training import Precision, Replicate

COLUMNS = (
    "benchmark", "noise_percent", "weights_remaining_percent", "precision", "replicates", "error_percent_mean",
    "error_percent_std", "difference_mean", "difference_std",
)  # fmt: skip


def _errors(
    chain: Chain, replicates: list[Replicate], precision: Precision, store: Store, device: torch.device
) -> pandas.DataFrame:
    """Return test errors of each replicate, level and precision."""
    results = run(chain, replicates, store, Execution(str(device), precision))
    return pandas.DataFrame(
        [
            {
                "seed": replicate.seed,
                "noise_percent": replicate.noise_percent,
                "weights_remaining_percent": round(entry.record["weights_remaining_percent"], 2),
                "precision": precision,
                "error": next(m["error_percent"] for m in entry.record["metrics"] if m["subset"] == "test"),
            }
            for replicate, entries in zip(replicates, results.entries, strict=True)
            for stage, entry in zip(chain.stages, entries, strict=True)
            if stage.level is not None
        ]
    )


def compare(
    chain: Chain, replicates: list[Replicate], precisions: list[Precision], store: Store, device: torch.device
) -> pandas.DataFrame:
    """Return a row per noise level, level and precision, with the differences from float32, the first precision."""
    errors = pandas.concat([_errors(chain, replicates, p, store, device) for p in precisions])
    keys = ["noise_percent", "weights_remaining_percent"]
    reference = errors[errors["precision"] == "float32"].set_index([*keys, "seed"])["error"]
    errors["difference"] = (
        errors["error"] - reference.loc[list(errors[[*keys, "seed"]].itertuples(index=False))].values
    )
    rows = []
    for values, group in errors.groupby([*keys, "precision"], sort=False):
        noise, weights, precision = tuple(values)  # pyright: ignore[reportArgumentType]
        plain = precision == "float32"
        rows.append(
            (
                chain.recipe.benchmark,
                noise,
                weights,
                precision,
                len(group),
                round(group["error"].mean(), 3),
                round(group["error"].std(ddof=1), 3),
                "" if plain else round(group["difference"].mean(), 3),
                "" if plain else round(group["difference"].std(ddof=1), 3),
            )  # fmt: skip
        )
    return pandas.DataFrame(rows, columns=list(COLUMNS)).sort_values(
        [*keys, "precision"], ascending=[True, False, False]
    )


def precision(device: torch.device, quick: bool = False) -> tuple[pandas.DataFrame, list[str]]:
    """Compare on MNIST and on CIFAR-10 at laptop scale, five seeds, and say what was run."""
    from papers.training_regularization.recipes import plan

    precisions: list[Precision] = ["float32", "bfloat16", *(["tf32"] if device.type == "cuda" else [])]
    lenet, resnet = (plan(b, "smoke" if quick else "laptop") for b in ("mnist-lenet", "cifar10-resnet20"))
    if not quick:  # wide enough for products in bfloat16 to pay, short enough to repeat five times
        changes = {"width": 16, "epochs": 20, "drop_epochs": (10, 15), "rewind_epoch": 1}
        resnet = resnet.but(recipe={"data": {"train": 2_000}, **changes})
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
