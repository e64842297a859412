"""The small tables of LN's pages: hyper-parameters, chosen levels beside print, size, and how high it climbs."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import pandas
import torch

from lib.analysis.display import NOTHING, plus_minus
from lib.analysis.experiments import listed
from lib.analysis.levels import DESCENT, TEST, chosen_level, largest_fall
from lib.analysis.printed import printed
from lib.analysis.pruning_efficacy import efficacy_level, interpolation_level
from lib.analysis.statistics import FEWEST_REPLICATES, difference
from lib.analysis.table import SIZE, Table, comparing_first, values
from lib.models import build
from lib.scales import SCORED
from lib.stages.experiment_plan import Plan
from lib.training import Recipe
from lib.training.recipe import learning_rate
from papers.label_noise import recipes
from papers.label_noise.names import FINE_TUNING, SCORES, WIDTH, WR

DATASETS = {"mnist-lenet": "MNIST", "cifar10-resnet18": "CIFAR-10", "cifar100-resnet18": "CIFAR-100"}
CLASSES = {"mnist-lenet": 10, "cifar10-resnet18": 10, "cifar100-resnet18": 100}
PRINTED = ("dense", "overfitting", "best sweet spot", "last sweet spot", "underfitting")
"""The five networks of a figure of LN, in its order. It does not say which of its two sweet spots is which."""
KEPT = {1: "all", 2: "every 2nd", 4: "every 4th"}
"""Which levels a reader of an experiment sees."""


SETTINGS: dict[str, tuple[Sequence[str], Callable[[Plan], object]]] = {
    "epochs": (("epochs",), lambda plan: plan.recipe.epochs),
    "batch size": (("batch_size",), lambda plan: plan.recipe.batch_size),
    "optimizer": (("optimizer",), lambda plan: plan.recipe.optimizer.upper()),
    "momentum": (("momentum",), lambda plan: plan.recipe.momentum or NOTHING),
    "learning rate": (("learning_rate",), lambda plan: plan.recipe.learning_rate),
    "drops after epochs": (
        ("lr_drop_epoch_1", "lr_drop_epoch_2"),
        lambda plan: listed(plan.recipe.drop_epochs) or NOTHING,
    ),
    "drops by a factor of": (
        ("lr_drop_factor",),
        lambda plan: plan.recipe.drop_factor if plan.recipe.drop_epochs else NOTHING,
    ),
    "learning rate of re-dense training": (
        ("lr_redense",),
        lambda plan: f"{learning_rate(plan.recipe, plan.recipe.epochs, 1):.6g}",
    ),
    "weight decay": (("weight_decay",), lambda plan: plan.recipe.weight_decay or NOTHING),
    "rewinds to step": (("rewind_iteration",), lambda plan: plan.recipe.rewind_step),
    "training images": ((), lambda plan: f"{plan.recipe.data.train:,}" if plan.recipe.data.train else "all"),
    "wrong labels (%)": ((), lambda plan: listed(f"{noise:g}" for noise in plan.noise_percents)),
    "cuts, and what each removes": ((), lambda plan: f"{plan.levels}, {100 * plan.prune.fraction:.3g} %"),
    "seeds": ((), lambda plan: len(plan.seeds)),
}
"""A setting, the metrics by which the paper's table A1 has it, and what a plan has."""


def hyperparameters_table(benchmarks: Sequence[str] = tuple(DATASETS)[:2]) -> pandas.DataFrame:
    """Set the recipes of every scale beside the hyper-parameters that the paper prints (Table A1).

    Args:
        benchmarks: whose; CIFAR-100 has the printed values of CIFAR-10.

    Returns:
        Text: network, setting, and its value in print and at each scale that the benchmark has.
    """
    table, found = printed("label_noise", "table_A1_hyperparameters"), []
    for benchmark in benchmarks:
        own = table[table["dataset"] == DATASETS[benchmark]].set_index("metric")
        plans = {scale: recipes.PLANS[benchmark].get(scale) for scale in reversed(SCORED)}
        for setting, (metrics, of_plan) in SETTINGS.items():
            cells = [own.loc[one] for one in metrics if one in own.index]
            print_ = listed(c["text_value"] or f"{c['mean']:g}" for c in cells).replace("none", NOTHING)
            values = {scale: f"{of_plan(plan)}" if plan else "no plan" for scale, plan in plans.items()}
            network = {"network": f"{own['model'].iloc[0]}, {DATASETS[benchmark]}", "setting": setting}
            found.append({**network, "printed": print_ or NOTHING, **values})
    return pandas.DataFrame(found)


def levels_table(tables: Sequence[Table]) -> pandas.DataFrame:
    """Set the chosen levels of weight rewinding by magnitude beside the printed ones.

    Args:
        tables: of one benchmark; of each scale the first counts.

    Returns:
        Text: scale, label noise, level, and weights remaining in percent, measured and printed.
    """
    found = []
    for table, noise in _cases(tables, WR):
        case = {"algorithm": WR, "noise_percent": noise}
        weights, beside = _means(table, SIZE, **case), printed_levels(table.benchmark)
        for name in DESCENT:
            level = chosen_level(table, name, **case)
            found.append(
                {
                    "scale": table.scale,
                    "label noise": f"{noise:g} %",
                    "level": name,
                    "measured (% of weights left)": NOTHING if level is None else f"{weights[level]:.4g}",
                    "printed (%)": " or ".join(f"{one:g}" for one in beside.get((noise, name), [])) or NOTHING,
                }
            )
    return pandas.DataFrame(found)


def printed_levels(benchmark: str) -> dict[tuple[float, str], list[float]]:
    """Return the weights remaining in percent that LN prints, by noise in percent and name of the level (facts B.7).

    Figures that show five sparsities are read, and of these only panels whose place is certain. The sweet spots are taken as
    that of the best epoch and that of the last, in this order. Figures do not always agree, so there may be several values.
    """
    rows: Any = printed("label_noise", "quoted_in_text")
    rows = rows[(rows["metric"] == "sparsity") & (rows["dataset"] == DATASETS[benchmark])]
    found: dict[tuple[float, str], set[float]] = {}
    for row in rows.to_dict("records"):
        place = re.search(r"point (\d) of 5$", str(row["statement"]))
        if place and place[1] != "1" and str(row["noise_percent"]).isdigit():
            key = float(str(row["noise_percent"])), PRINTED[int(place[1]) - 1]
            found.setdefault(key, set()).add(round(100 - float(str(row["value"])), 2))
    return {key: sorted(weights, reverse=True) for key, weights in found.items()}


def efficacy_table(tables: Sequence[Table]) -> pandas.DataFrame:
    """Say how small each score, and the family of narrower networks, can make the network.

    Args:
        tables: see `levels_table`.

    Returns:
        Text: scale, label noise, how the network gets small, its dense training error, and weights remaining at its pruning
        efficacy and at its interpolation threshold, the latter also as their number.
    """
    found = []
    for table, noise in _cases(comparing_first(tables, [*SCORES, WIDTH]), WR):
        whole = prunable_weights(recipes.plan(table.benchmark, table.scale).recipe)
        for algorithm, kind in {**SCORES, WIDTH: "narrower layers"}.items():
            case = {"algorithm": algorithm, "noise_percent": noise}
            weights, errors = _means(table, SIZE, **case), _means(table, "training error (%)", **case)
            if errors.empty:
                continue
            efficacy, threshold = efficacy_level(table, **case), interpolation_level(table, **case)
            found.append(
                {
                    "scale": table.scale,
                    "label noise": f"{noise:g} %",
                    "made smaller by": kind,
                    "dense training error (%)": f"{errors[0]:.2f}" if 0 in errors else NOTHING,
                    "efficacy (% of weights left)": NOTHING if efficacy is None else f"{weights[efficacy]:.3g}",
                    "threshold (% of weights left)": NOTHING if threshold is None else f"{weights[threshold]:.3g}",
                    "weights at threshold": NOTHING
                    if threshold is None
                    else f"{round(whole * weights[threshold] / 100):,}",
                }
            )
    return pandas.DataFrame(found)


def prunable_weights(recipe: Recipe) -> int:
    """Return how many prunable weights a recipe's network has at its standard width."""
    with torch.device("meta"):  # shapes only
        network = build(recipe.network, CLASSES[recipe.benchmark], recipe.width)
    return sum(network.module.get_parameter(name).numel() for name in network.prunable)


def peaks_table(tables: Sequence[Table]) -> pandas.DataFrame:
    """Say for each experiment how high its peak stands above the dense network, and whether that differs from nothing.

    Args:
        tables: see `levels_table`.

    Returns:
        Text: scale, label noise, algorithm, levels looked at, rise in percentage points (mean ± one standard deviation over
        replicates), and whether one sees it: the mean is at least one standard deviation above zero.
    """
    seen = {"higher": "yes", "lower": "no", "match": "no", "undecided": "undecided"}
    found = []
    for table, noise in _cases(tables, WR):
        for algorithm, every in [*((WR, n) for n in KEPT), (FINE_TUNING, 1)]:
            rise = peak_above_dense(table, algorithm, noise, every)
            if rise is None:
                continue
            paired = difference(rise, rise * 0)
            flat = paired.same and paired.n >= FEWEST_REPLICATES
            found.append(
                {
                    "scale": table.scale,
                    "label noise": f"{noise:g} %",
                    "algorithm": algorithm,
                    "levels": KEPT[every],
                    "peak above dense (points)": plus_minus(paired.mean, paired.std),
                    "a rise is seen": "no" if flat else seen[paired.verdict],
                }
            )
    return pandas.DataFrame(found)


def peak_above_dense(table: Table, algorithm: str, noise_percent: float, every: int = 1) -> pandas.Series | None:
    """Return how far the last test error stands above the dense network's where its largest fall begins.

    Args:
        table: what was measured.
        algorithm, noise_percent: of which networks.
        every: only every n-th level is looked at.

    Returns:
        Percentage points by seed; 0 where nothing falls or the fall begins with the dense network, so that there is no peak.
        The rule is that of the level "overfitting" (`lib.analysis.levels`). None without such networks.
    """
    errors = values(table, TEST, algorithm=algorithm, noise_percent=noise_percent).dropna(axis="columns")
    errors = errors.loc[:, [level % every == 0 for level in errors.columns]]
    if 0 not in errors:
        return None
    fall = largest_fall(errors.mean().round(9).to_dict())
    return errors[fall[0] if fall else 0] - errors[0]


def _means(table: Table, quantity: str, **where) -> Any:
    return values(table, quantity, **where).dropna(axis="columns").mean()


def _cases(tables: Sequence[Table], algorithm: str) -> list[tuple[Table, float]]:
    """Return the first table of each scale with each noise level in percent that it has of an algorithm."""
    first: dict[str, Table] = {}
    for table in tables:
        first.setdefault(table.scale, table)
    return [
        (table, float(noise))
        for table in first.values()
        for noise in sorted(table.frame.loc[table.frame["algorithm"] == algorithm, "noise_percent"].unique())
    ]
