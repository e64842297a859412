"""The small tables of GS's pages: what is measured beside what is printed, correlations of several kinds, settings."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas

from lib.analysis.display import NOTHING, plus_minus
from lib.analysis.experiments import listed
from lib.analysis.measures import Case, NotRun, of_runs
from lib.analysis.over_runs import over
from lib.analysis.printed import printed
from lib.analysis.stability import BEST, HELD_OUT, LAST, STABILITY
from lib.analysis.statistics import mean_and_std
from lib.analysis.table import Table
from lib.scales import SCORED
from lib.stages.experiment_plan import Plan
from lib.stages.filter_events import FilterEvents
from papers.generalization_stability import recipes
from papers.generalization_stability.claims import (
    CIFAR100,
    OFTEN,
    RESNET18,
    RESNET18_SGD,
    SELDOM,
    VGG11,
    more_pruned,
    scored,
)
from papers.generalization_stability.names import FIGURE_2, FLAT, NONE, SCRATCH, STABLE, pruned

PAPER = "generalization_stability"
SHORT = {BEST: ("test accuracy", 2), STABILITY: ("stability", 3)}
"""What a table prints, as a column is called, and with how many digits; both in percent."""

TABLE_C1 = {
    **{
        f"Prune{name}, total pruning 46%": own
        for name, own in zip(("S 1%", "S 13%", "L 13%"), FIGURE_2[1:], strict=True)
    },
    "PruneS 1%, total pruning 59%": more_pruned("smallest", 4),
    "PruneS 13%, total pruning 59%": more_pruned("smallest", 40),
    "PruneL 13%, total pruning 59%": more_pruned("largest", 40),
}
TABLE_F1 = {
    "No Pruning": NONE,
    "Scratch Pruning": SCRATCH,
    "PruneS": pruned("smallest", 750, "signed_expected"),
    "PruneL": pruned("largest", 750, "signed_expected"),
}
"""The paper's names of its rows → ours."""
ACTIVATION_SCORE = pruned("smallest", 750, "activation")

FIGURE_B2 = {VGG11: ("expected", "E[BN]"), RESNET18: ("signed_expected", "signed-gamma E[BN]")}
"""The score of Figure B.2, and how its legend is recorded."""
GROUPS: Mapping[str, Sequence[str]] = {
    "Figure 2": FIGURE_2[1:],
    "E[BN] score": scored("expected"),
    "signed E[BN] score": scored("signed_expected"),
    "Figure 6, all six": FLAT,
}
"""Whose runs a correlation pools (S10)."""
KINDS = (
    ("test images", "best", STABILITY, BEST),
    ("held-out images", "best", HELD_OUT, BEST),
    ("test images", "last", STABILITY, LAST),
)
"""On which images stability is measured, which test accuracy it is set against, and both quantities (S9)."""

Numbers = Mapping[str, Mapping[str, str]]
"""Configuration → quantity → what the paper prints."""


def beside(tables: Sequence[Table], numbers: Numbers) -> pandas.DataFrame:
    """Set means over runs beside printed ones.

    Args:
        tables: of one benchmark; of each scale the first counts. Without any, what is printed stands alone.
        numbers: what is printed, by configuration and quantity.

    Returns:
        Text: scale, configuration, runs, and for each quantity mean ± standard deviation over runs, measured and printed.
    """
    quantities = list(dict.fromkeys(name for own in numbers.values() for name in own))
    found = []
    for scale, case in _cases(tables):
        for configuration, own in numbers.items():
            runs, cells = "0", {}
            for quantity in quantities:
                measured = _runs(case, quantity, configuration)
                runs = f"{len(measured)}" if len(measured) else runs
                name, digits = SHORT[quantity]
                cells[f"{name}, measured (%)"] = _mean(measured, digits)
                cells[f"{name}, printed (%)"] = own.get(quantity, NOTHING)
            found.append({"scale": scale, "configuration": configuration, "runs": runs, **cells})
    return pandas.DataFrame(found)


def _cases(tables: Sequence[Table]) -> Iterable[tuple[str, Case | None]]:
    """Return a case of the first table of each scale."""
    first = {table.scale: Case(table, {}) for table in reversed(tables)}
    return [(scale, first[scale]) for scale in dict.fromkeys(table.scale for table in tables)] or [(NOTHING, None)]


def _runs(case: Case | None, quantity: str, configuration: str) -> pandas.Series:
    try:
        return of_runs(quantity)(configuration).read(case) if case else pandas.Series(dtype="float64")
    except NotRun:
        return pandas.Series(dtype="float64")


def _mean(runs: pandas.Series, digits: int) -> str:
    [found] = mean_and_std(runs).to_dict("records")
    return plus_minus(found["mean"], found["std"], digits)


def _printed(row: Mapping[Any, Any]) -> str:
    """Return a printed mean and its standard deviation, as many digits as the paper has of either."""
    digits = [len(f"{row[name]:g}".partition(".")[2]) for name in ("mean", "std") if not math.isnan(row[name])]
    return plus_minus(row["mean"], row["std"], max(digits))


def _of_table(name: str, rows: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what a printed table has of accuracy and stability, by our configurations."""
    quantities, found = {"test_accuracy": BEST, "stability": STABILITY}, {own: {} for own in rows.values()}
    for row in printed(PAPER, name).to_dict("records"):
        if row["metric"] in quantities:
            found[rows[row["method"]]][quantities[row["metric"]]] = _printed(row)
    return found


def figure_2(tables: Sequence[Table], benchmark: str = VGG11) -> pandas.DataFrame:
    """Say what Figure 2's configurations reach, see `beside`; only ResNet-18's have printed numbers, in Table C.1."""
    print_ = _of_table("table_C1_total_pruning_percentage", TABLE_C1) if benchmark == RESNET18 else {}
    nothing = {BEST: NOTHING, STABILITY: NOTHING}
    return beside(tables, {name: print_.get(name, nothing) for name in FIGURE_2})


def table_c1(tables: Sequence[Table]) -> pandas.DataFrame:
    """Set the pruning of 46 % and of 59 % of ResNet-18 beside Table C.1, see `beside`."""
    return beside(tables, _of_table("table_C1_total_pruning_percentage", TABLE_C1))


def table_f1(tables: Sequence[Table]) -> pandas.DataFrame:
    """Set CIFAR-100 beside Table F.1 and the other score that the text of App. F tries, see `beside`."""
    [other] = [row["value"] for row in _quoted("PruneS accuracy with activation-based scoring")]
    return beside(tables, {**_of_table("table_F1_cifar100", TABLE_F1), ACTIVATION_SCORE: {BEST: other}})


def figure_b2(tables: Sequence[Table], benchmark: str = VGG11) -> pandas.DataFrame:
    """Set the mean stabilities of Figure B.2's legend beside measured ones, see `beside`; accuracy has no printed number."""
    score, legend = FIGURE_B2[benchmark]
    ours = dict(zip(("No Pruning", "PruneS 1%", "PruneS 1", "PruneL"), [NONE, *scored(score)], strict=True))
    numbers = {own: {STABILITY: NOTHING, BEST: NOTHING} for own in ours.values()}
    for row in printed(PAPER, "figure_B2_mean_stability").to_dict("records"):
        if row["model"] != MODELS[benchmark][0] or row["metric"] != "mean_stability":
            continue
        own = next(ours[name] for name in ours if row["method"].startswith(name))
        if f"({legend} scoring)" in row["method"]:  # the text gives one of them with more digits, after the legend
            numbers[own] = {**numbers[own], STABILITY: _printed(row)}
        else:
            numbers[STABLE] = {STABILITY: _printed(row), BEST: NOTHING}
    return beside(tables, numbers)


def traditional_table(tables: Sequence[Table]) -> pandas.DataFrame:
    """Set SGD with augmentation beside the numbers in the text of App. C.4 and in Figure C.3, see `beside`."""
    quoted = {row["statement"]: row["value"] for row in printed(PAPER, "quoted_in_text").to_dict("records")}
    numbers: dict[str, dict[str, str]] = {
        NONE: {BEST: quoted["mean test accuracy, unpruned baseline"], STABILITY: NOTHING}
    }
    for share, name in zip((6, 10), OFTEN, strict=True):
        numbers[name] = {
            BEST: quoted[f"mean test accuracy, pruning {share}% of every layer"],
            STABILITY: quoted[f"mean stability of the {share}% group"],
        }
    return beside(tables, {**numbers, **{name: dict.fromkeys((BEST, STABILITY), NOTHING) for name in SELDOM}})


def _quoted(statement: str) -> list[dict]:
    return [row for row in printed(PAPER, "quoted_in_text").to_dict("records") if row["statement"] == statement]


def correlations_table(tables: Sequence[Table], groups: Iterable[str] = tuple(GROUPS)) -> pandas.DataFrame:
    """Say how stability and accuracy are correlated over runs: pooled as in the paper, and within configurations (S11).

    Args:
        tables: of one benchmark; of each scale the first counts.
        groups: keys of `GROUPS`; those of which nothing is measured are left out.

    Returns:
        Text: scale, whose runs, on which images stability is measured, best or last test accuracy, number of runs, Pearson's
        r with its 95 % interval, Kendall's τ, r within configurations, and r and τ in print. No rows without tables.
    """
    found = []
    for scale, case in _cases(tables):
        for group in groups:
            for images, when, first, second in KINDS:
                try:
                    one = over(case, of_runs(first), of_runs(second), GROUPS[group]) if case else None
                except NotRun:
                    one = None
                if not one:
                    continue
                assert case
                interval = "" if math.isnan(one.low) else f" ({plus_minus(one.low)} to {plus_minus(one.high)})"
                r, tau = printed_correlation(case.table.benchmark, group)
                same = images == "test images" and when == "best"
                found.append(
                    {
                        "scale": scale, "runs of": group, "stability on": images, "accuracy": when, "runs": str(one.n),
                        "r": plus_minus(one.pearson) + interval, "τ": plus_minus(one.kendall),
                        "r within configurations": plus_minus(one.within),
                        "printed r": r if same else NOTHING, "printed τ": tau if same else NOTHING,
                    }
                )  # fmt: skip
    return pandas.DataFrame(found)


def printed_correlation(benchmark: str, group: str) -> tuple[str, str]:
    """Return Pearson's r and Kendall's τ that GS prints of stability and accuracy; of Figure 2 we have no print."""
    name = {"E[BN] score": "E[BN] scoring", "signed E[BN] score": "E[BN] scoring with signed gamma in place of |gamma|"}
    rows = [
        row for row in printed(PAPER, "correlations").to_dict("records")
        if row["model"] == MODELS.get(benchmark, ("",))[0] and row["method"] == name.get(group)
    ]  # fmt: skip
    cells = {row["metric"].partition("(")[0]: f"{row['mean']:g}".replace("-", "−") for row in rows}
    return cells.get("pearson_r", NOTHING), cells.get("kendall_tau", NOTHING)


MODELS = {
    VGG11: ("VGG11", "CIFAR-10", "Figure 2"),
    RESNET18: ("ResNet18", "CIFAR-10", "Figure 2"),
    RESNET18_SGD: ("ResNet18", "CIFAR-10", "Figure 4"),
    CIFAR100: ("ResNet18", "CIFAR-100", "Table F.1"),
}
"""Network, data set, and the figure whose settings are printed."""


def _each(values: Sequence[float | int | str]) -> str:
    """Write one value of each layer; once, where all have the same."""
    written = [value if isinstance(value, str) else f"{value:g}" for value in values]
    return written[0] if len(set(written)) == 1 else listed(written)


def _of_events(of: Callable[[FilterEvents], object]) -> Callable[[Plan], object]:
    return lambda plan: of(plan.filters) if plan.filters else NOTHING


SETTINGS: dict[str, tuple[str, Callable[[Plan], object]]] = {
    "epochs": ("epochs", lambda plan: plan.recipe.epochs),
    "batch size": ("", lambda plan: plan.recipe.batch_size),
    "optimizer": ("initial_learning_rate", lambda plan: {"adam": "Adam", "sgd": "SGD"}[plan.recipe.optimizer]),
    "learning rate": ("initial_learning_rate", lambda plan: f"{plan.recipe.learning_rate:g}"),
    "drops after epochs": ("lrs", lambda plan: listed(plan.recipe.drop_epochs)),
    "width": ("", lambda plan: plan.recipe.width or "full"),
    "training images": ("", lambda plan: f"{plan.recipe.data.train:,}" if plan.recipe.data.train else "all"),
    "held-out images": ("", lambda plan: plan.recipe.data.validation or NOTHING),
    "augmentation": ("", lambda plan: plan.recipe.data.augmentation if plan.recipe.data.augmentation != "none" else NOTHING),
    "epochs that events count in": ("epochs", _of_events(lambda events: events.schedule)),
    "first events after epochs": ("s", _of_events(lambda events: _each(events.first))),
    "last events after epochs": ("e", _of_events(lambda events: _each(events.last))),
    "share of filters that goes": ("p", _of_events(lambda events: _each(events.shares))),
    "runs": ("runs", lambda plan: len(plan.seeds)),
}  # fmt: skip
"""A setting, the metric by which the paper's appendix has it, and what a plan has."""


def hyperparameters_table(benchmarks: Sequence[str] = (VGG11, RESNET18)) -> pandas.DataFrame:
    """Set the plans of every scale beside the settings that the appendix prints (App. B.1, C.4 and F).

    Returns:
        Text: network, setting, and its value in print and at each scale; "no plan" where a benchmark lacks the scale.
    """
    rows, found = printed(PAPER, "configurations").to_dict("records"), []
    for benchmark in benchmarks:
        model, dataset, table = MODELS.get(benchmark, (benchmark, "", ""))
        own = [row for row in rows if (row["table"], row["model"], row["dataset"]) == (table, model, dataset)]
        if table == "Figure 2":
            own += [row for row in rows if row["table"] == "all but Figures 4 and C.3"]
        plans = {scale: recipes.PLANS[benchmark].get(scale) for scale in reversed(SCORED)}
        for setting, (metric, of_plan) in SETTINGS.items():
            column = "note" if setting == "optimizer" else "mean"  # Adam is printed beside its learning rate
            cells = [
                row[column] for row in own if metric and row["metric"].partition("[")[0] == metric and _is_own(row)
            ]
            values = {scale: f"{of_plan(plan)}" if plan else "no plan" for scale, plan in plans.items()}
            network = {"network": f"{model}, {dataset}".removesuffix(", "), "setting": setting}
            found.append({**network, "printed": _each(cells) if cells else NOTHING, **values})
    return pandas.DataFrame(found)


def _is_own(row: Mapping[Any, Any]) -> bool:
    """Return whether a printed setting holds for all that a table shows."""
    return "adjustment" not in row["metric"] and row["method"] != "statistics" or row["metric"] == "runs"
