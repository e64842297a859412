"""The small tables of LIP's pages on test error, prune potential and excess error: measured beside printed, settings.

Means are over parents, and their spread is the sample standard deviation, by n − 1; the paper divides by n (facts L31). What
is printed of ResNet-56 and ResNet-110 is of networks with bottlenecks, whatever it stands beside (L1).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy
import pandas

from lib.analysis.display import NOTHING, plus_minus
from lib.analysis.distributions import CLEAN, FLOPS_REMOVED, TestSet
from lib.analysis.excess_error import excess_points, slope
from lib.analysis.levels import TEST
from lib.analysis.printed import printed
from lib.analysis.prune_potential import DELTA, SMALLEST_DIFFERENCE, Curves, curves, over_sets, prune_potential
from lib.analysis.table import Table, values
from lib.errors import InputError
from lib.stages.experiment_plan import Plan
from papers.lost_in_pruning import recipes
from papers.lost_in_pruning.figures import algorithms, in_words, shifted_sets
from papers.lost_in_pruning.names import MODELS, NAMES

PAPER = "lost_in_pruning"
PERFORMANCE = tuple(f"table_{which}" for which in (
    "04_pruning_performance_cifar10", "06_pruning_performance_imagenet", "08_pruning_performance_voc"
))  # fmt: skip
POTENTIALS = "table_09_prune_potential_weight_nominal", "table_10_prune_potential_filter_nominal"
SETTINGS_PRINTED = tuple(f"table_{which}" for which in (
    "03_hyperparameters_cifar10", "05_hyperparameters_imagenet", "07_hyperparameters_voc"
))  # fmt: skip
TEST_IMAGES = TestSet("test images", TEST)

Cells = Mapping[tuple[str, str], str]
"""Method and metric → what is printed."""


def printed_cells(benchmark: str, names: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return what printed tables have of a benchmark, by method and metric, as they have it; empty for other networks."""
    found = {}
    for name in names:
        for row in printed(PAPER, name).to_dict("records"):
            if row["model"] == MODELS.get(benchmark) and row["text_value"]:
                found[row["method"], row["metric"]] = row["text_value"]
            elif row["model"] == MODELS.get(benchmark) and not numpy.isnan(row["mean"]):
                spread = "" if numpy.isnan(row["std"]) else f" ± {row['std']:.1f}"
                digits = 2 if name in PERFORMANCE else 1
                found[row["method"], row["metric"]] = plus_minus(row["mean"], digits=digits) + spread
    return found


def methods() -> pandas.DataFrame:
    """Return Table 1: what each method scores, what it removes, and whether it looks at data."""
    rows = printed(PAPER, "table_01_methods_categorical")
    wide = rows.pivot(index="method", columns="metric", values="text_value").reindex([*NAMES.values()])
    names = {
        "full_name": "name", "unit_removed": "removes", "data_informed": "looks at images", "scope": "scope, printed",
        "sensitivity": "score, printed",
    }  # fmt: skip
    found: Any = wide[[*names]].reset_index().rename(columns=names)
    ours = {
        "WT": "all layers together", "SiPP": "all layers together", "FT": "the same share of filters in every layer",
        "PFP": "the same error in every layer",
    }  # fmt: skip
    return found.assign(**{"scope, here": [ours[name] for name in found["method"]]})


def performance(tables: Sequence[Table], benchmark: str, delta: float = DELTA) -> pandas.DataFrame:
    """Set the largest cut whose test error is at most δ above the parent's beside Tables 4, 6 and 8.

    Each parent has its own largest cut, and means are over parents; the paper reads its tables off the mean curve (L26),
    whose largest cut stands last.

    Args:
        tables: of the benchmark; of each scale the first counts. Without any, print stands alone.
        benchmark: whose printed numbers.
        delta: points of error.

    Returns:
        Text: scale, method, parents; parent's error, change of error, PR and FR at the cut, each measured and printed; PR of
        the mean curve.
    """
    cells, found = printed_cells(benchmark, PERFORMANCE), []
    for scale, table in _first_of_scales(tables):
        for method in _methods(table, cells):
            measured = _at_potential(table, method, delta) if table else {}
            row = {"scale": scale, "method": method, "parents": measured.get("parents", NOTHING)}
            for name, metric, of in (
                ("error of the parent (%)", "original_error", "unpruned"), ("change (points)", "error_change", method),
                ("PR (%)", "prune_ratio", method), ("FR (%)", "flop_reduction", method),
            ):  # fmt: skip
                row[f"{name}, measured"] = measured.get(name, NOTHING)
                row[f"{name}, printed"] = cells.get((of, metric), NOTHING)
            found.append({**row, "PR of the mean curve (%)": measured.get("mean curve", NOTHING)})
    return pandas.DataFrame(found)


def _at_potential(table: Table, method: str, delta: float) -> dict[str, str]:
    """Return, in words, what the largest cuts within a margin have, by the columns of `performance`."""
    try:
        found = curves(table, [TEST_IMAGES], algorithm=method)
        flops = values(table, FLOPS_REMOVED, algorithm=method)
    except InputError:
        return {}
    seeds = numpy.arange(len(found.seeds))
    potential = prune_potential(found, delta)[0]
    errors, parent = found.errors[0], found.errors[0, :, 0]
    fits = (errors <= parent[:, None] + delta + SMALLEST_DIFFERENCE) & ~numpy.isnan(errors)
    level = numpy.where(fits | (found.removed <= 0), found.removed, -1).argmax(1)
    removed_flops = flops.reindex(index=[*found.seeds], columns=[*found.levels]).to_numpy()[seeds, level]
    mean = Curves(
        found.sets, (0,), found.levels, found.removed.mean(0, keepdims=True), found.errors.mean(1, keepdims=True)
    )
    return {
        "parents": str(len(seeds)), "error of the parent (%)": _mean(parent, 2),
        "change (points)": _mean(errors[seeds, level] - parent, 2, signed=True), "PR (%)": _mean(potential, 1),
        "FR (%)": _mean(removed_flops, 1), "mean curve": f"{prune_potential(mean, delta)[0, 0]:.1f}",
    }  # fmt: skip


def potentials(tables: Sequence[Table], benchmark: str, delta: float = DELTA) -> pandas.DataFrame:
    """Set prune potentials on clean and on shifted images beside Tables 2, 9 and 10; arguments as for `performance`.

    Returns:
        Text: scale, method, parents, test images; potential on clean images, average and minimum over the test images, each
        measured and printed; the measured average minus clean.
    """
    cells, found = printed_cells(benchmark, POTENTIALS), []
    metrics = {
        "clean (%)": "prune_potential_avg_train_dist", "average (%)": "prune_potential_avg_test_dist",
        "minimum (%)": "prune_potential_min_test_dist",
    }  # fmt: skip
    for scale, table in _first_of_scales(tables):
        for method in _methods(table, cells):
            sets = shifted_sets(table) if table else {}
            for place, (label, own) in enumerate((sets or {NOTHING: []}).items()):
                measured = _potentials_on(table, method, own, delta) if table and own else {}
                row = {
                    "scale": scale,
                    "method": method,
                    "parents": measured.get("parents", NOTHING),
                    "test images": label,
                }
                for name, metric in metrics.items():
                    row[f"{name}, measured"] = measured.get(name, NOTHING)
                    row[f"{name}, printed"] = cells.get((method, metric), NOTHING) if not place else NOTHING
                found.append({**row, "average − clean, measured": measured.get("difference", NOTHING)})
    return pandas.DataFrame(found)


def _potentials_on(table: Table, method: str, sets: Sequence[TestSet], delta: float) -> dict[str, str]:
    try:
        clean, shifted = (prune_potential(curves(table, own, algorithm=method), delta) for own in ([CLEAN], sets))
    except InputError:
        return {}
    over = over_sets(shifted)
    return {
        "parents": str(shifted.shape[1]), "clean (%)": _mean(clean[0], 1), "average (%)": _mean(over["average"], 1),
        "minimum (%)": _mean(over["minimum"], 1), "difference": _mean(over["average"] - clean[0], 1, signed=True),
    }  # fmt: skip


def slopes(tables: Sequence[Table]) -> pandas.DataFrame:
    """Give the slope of the difference in excess error for all methods and test images; none is printed.

    Returns:
        Scale, test images, method, networks and parents that it is fitted to; slope in points per 10 points of PR, and its
        95 % interval over points and over parents.
    """
    found = []
    for scale, table in _first_of_scales(tables):
        for label, sets in shifted_sets(table).items() if table else ():
            for method in algorithms([table] if table else []):
                assert table
                try:
                    one = slope(excess_points(table, [CLEAN], sets, [method]))
                except InputError:
                    continue
                ends = {"points": one.over_points, "parents": one.over_parents}
                row = {
                    "scale": scale,
                    "test images": label,
                    "method": method,
                    "networks": one.points,
                    "parents": one.parents,
                }
                row["slope per 10 points of PR"] = (
                    in_words(one.value, (numpy.nan, numpy.nan)) if one.points else NOTHING
                )
                for over, (low, high) in ends.items():
                    row[f"95 % interval over {over}"] = (
                        NOTHING if numpy.isnan(low) else f"{plus_minus(10 * low)} to {plus_minus(10 * high)}"
                    )
                found.append(row)
    return pandas.DataFrame(found)


def _or_nothing(value: Any) -> str:
    return f"{value:g}" if value else NOTHING


SETTINGS: dict[str, tuple[str, Callable[[Plan], object]]] = {
    "epochs of each training": ("epochs", lambda plan: plan.recipe.epochs),
    "batch size": ("batch_size", lambda plan: plan.recipe.batch_size),
    "learning rate": ("learning_rate", lambda plan: f"{plan.recipe.learning_rate:g}"),
    "factor of a drop": ("lr_decay_factor", lambda plan: _or_nothing(plan.recipe.drop_epochs and plan.recipe.drop_factor)),
    "first drop after epoch": ("lr_decay_epoch_1", lambda plan: next(iter(plan.recipe.drop_epochs), NOTHING)),
    "second drop after epoch": ("lr_decay_epoch_2", lambda plan: next(iter(plan.recipe.drop_epochs[1:]), NOTHING)),
    "power of the decay": ("lr_decay_power", lambda plan: _or_nothing(plan.recipe.decay_power)),
    "warm-up epochs": ("warm_up", lambda plan: plan.recipe.warmup_epochs),
    "momentum": ("momentum", lambda plan: f"{plan.recipe.momentum:g}"),
    "Nesterov": ("nesterov", lambda plan: "yes" if plan.recipe.nesterov else "no"),
    "weight decay": ("weight_decay", lambda plan: f"{plan.recipe.weight_decay:g}"),
    "augmentation": ("", lambda plan: plan.recipe.data.augmentation),
    "width": ("", lambda plan: plan.recipe.width or "full"),
    "training images": ("", lambda plan: plan.recipe.data.train or "all but held-out ones"),
    "held-out images": ("", lambda plan: plan.recipe.data.validation or NOTHING),
    "first share that remains": ("prune_alpha", lambda plan: f"{plan.keeps[0]:g}"),
    "cuts": ("", lambda plan: plan.levels),
    "last share that remains": ("", lambda plan: f"{plan.keeps[plan.levels - 1]:g}"),
    "parents": ("", lambda plan: len(plan.seeds)),
}  # fmt: skip
"""A setting, the metric by which Tables 3, 5 and 7 have it, and what a plan has."""


def hyperparameters(benchmark: str) -> pandas.DataFrame:
    """Set the plans of every scale beside Tables 3, 5 and 7.

    Returns:
        Text: setting, and its value in print and at each scale that the benchmark has.
    """
    cells = {}
    for name in SETTINGS_PRINTED:
        for row in printed(PAPER, name).to_dict("records"):
            if row["model"] == MODELS.get(benchmark):
                cells[row["metric"]] = row["text_value"] or f"{row['mean']:g}"
    plans = {scale: plan for scale, plan in recipes.PLANS.get(benchmark, {}).items() if scale != "smoke"}
    return pandas.DataFrame([
        {"setting": setting, "printed": cells.get(metric, NOTHING), **{s: f"{of(plan)}" for s, plan in plans.items()}}
        for setting, (metric, of) in SETTINGS.items()
    ])  # fmt: skip


def _first_of_scales(tables: Sequence[Table]) -> list[tuple[str, Table | None]]:
    first = {table.scale: table for table in reversed(tables)}
    return [(scale, first[scale]) for scale in dict.fromkeys(one.scale for one in tables)] or [(NOTHING, None)]


def _methods(table: Table | None, cells: Cells) -> list[str]:
    """Return the paper's methods that are measured or printed, then a reader's own."""
    there = algorithms([table]) if table else []
    known = [name for name in NAMES.values() if name in there or any(method == name for method, _ in cells)]
    return [*known, *(name for name in there if name not in known)]


def _mean(found: Any, digits: int, signed: bool = False) -> str:
    """Write the mean over parents and their sample standard deviation."""
    own: Any = pandas.Series(found, dtype="float64")
    return plus_minus(own.mean(), own.std(), digits, signed)
