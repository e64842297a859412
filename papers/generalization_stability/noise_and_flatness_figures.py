"""The figures of GS on noise in place of pruning (App. D), on flat minima (App. E), and on CIFAR-100 (App. F).

Each takes tables of one benchmark, `page.tables`, and says in words what is missing where no table has what it needs. A
point of a scatter plot is a run; the correlations above it are those of `lib.analysis.correlation`. Bars of noise are the
95 % bootstrap intervals of means over runs that the paper has, not standard deviations.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas

from lib.analysis.flatness import (
    ALONG,
    COVARIANCE,
    CRITERION,
    DRAWN,
    EIGENVALUE,
    EIGENVALUE_SUM,
    FIRST,
    TOLERATED,
    TRACE,
)
from lib.analysis.printed import printed
from lib.analysis.stability import BEST, LAST, STABILITY, WITHOUT_TARGETED
from lib.analysis.statistics import mean_interval
from lib.analysis.table import Table, rows
from lib.charts import dots, lines, table
from lib.data.image_sources import KNOWN
from lib.errors import InputError
from lib.scales import SCALES
from lib.stages.filter_events import FilterEvents
from lib.widgets.page import or_what_is_missing
from papers.generalization_stability.figures import (
    ACCURACIES,
    ACCURACY,
    ALL,
    MEAN_STABILITY,
    draw_accuracy_and_stability,
    ordered,
    repeated,
    rows_of,
    runs_of,
    with_captions,
)
from papers.generalization_stability.names import FLAT, NONE, SCRATCH, pruned
from papers.generalization_stability.recipes import PLANS

Tables = Sequence[Table]

RUN = ["table", "benchmark", "algorithm", "seed"]
FLATNESS = "measure"
MENUS = ["stability on", "accuracy"]
CHANGE = "change of test accuracy (points)"

PRUNING, ZEROING, GAUSSIAN, RESTORED = "pruning", "zeroing", "Gaussian noise", "zeroing, restored"
KINDS = (NONE, PRUNING, ZEROING, GAUSSIAN, RESTORED)
"""What is done to the filters that an event targets, in the order of Figures 5 and D.2."""

MEASURES = [
    f"{images} {measure}"
    for images in ("test", "training")
    for measure in (EIGENVALUE_SUM, TRACE, COVARIANCE, CRITERION)
] + [TOLERATED]  # fmt: skip
TEN, WHOLE = "first ten", "all that were computed"

CIFAR100 = {
    "No Pruning": NONE, "Scratch Pruning": SCRATCH,
    "PruneS": pruned("smallest", 750, "signed_expected"), "PruneL": pruned("largest", 750, "signed_expected"),
}  # fmt: skip
"""Table F.1's methods → configurations."""


# Is it noise?


def kind(algorithm: str) -> tuple[str, int]:
    """Return what a configuration does to filters, one of `KINDS` or "" for others, and for how many batches, or 0."""
    if algorithm == NONE:
        return NONE, 0
    if not (found := re.fullmatch(r"(zeroing|Gaussian noise), (\d+) batch(?:es)?(, restored)?", algorithm)):
        return (PRUNING if re.match(r"(smallest|largest|random) filters, ", algorithm) else ""), 0
    return (RESTORED if found[3] else found[1]), int(found[2])


def noise_of(tables: Tables, *kinds: str) -> list[str]:
    """Return the configurations of some kinds that tables have, in the order of the paper and of their batches."""
    there = {name for one in tables for name in one.frame["algorithm"].unique()}
    return sorted((name for name in there if kind(name)[0] in kinds), key=lambda name: _place(name))


def _place(name: str) -> tuple[int, int]:
    own, batches = kind(name)
    return KINDS.index(own), batches


@or_what_is_missing
def one_weight(paths: Mapping[str, Sequence[float]], event: int, until: int) -> Any:
    """Figure D.1: one weight while it is trained, and what three treatments do to it from an event on.

    Args:
        paths: name of a treatment → the weight before each step.
        event: step at which the treatments begin.
        until: step at which those end that end.
    """
    found = [
        {"treatment": name, "step": step, "value": value, "quantity": "weight", "seed": 0, "table": ""}
        for name, path in paths.items()
        for step, value in enumerate(path)
    ]
    return lines(
        pandas.DataFrame(found), x="step", y="weight", colour="treatment", domain=[*paths],
        rules=pandas.DataFrame([{"x": event, "label": "event", "line": 0}, {"x": until, "label": "noise ends", "line": 1}]),
        title="One weight, treated in three ways", key="Gradients are the same in all four trainings.",
    )  # fmt: skip


@or_what_is_missing
def lengths_of_noise(benchmark: str) -> Any:
    """Set for each scale how long noise lasts: in batches, in epochs, and as a share of the time between two events."""
    found = []
    for scale in reversed(SCALES):
        if scale not in PLANS[benchmark] or not (plan := PLANS[benchmark][scale]).noise_batches:
            continue
        recipe, events = plan.recipe, plan.filters
        assert isinstance(events, FilterEvents)
        everything = KNOWN[recipe.data.image_set].shapes["train_images"][0] - recipe.data.validation
        per_epoch = -(-(recipe.data.train or everything) // recipe.batch_size)
        gap = 40 * per_epoch * recipe.epochs / events.schedule
        for figure, lengths in (("5", plan.noise_batches), ("D.2", plan.restored_batches)):
            found += [
                {"scale": scale, "figure": figure, "batches": n, "epochs": n / per_epoch,
                 "% of the time between two events": 100 * n / gap}
                for n in lengths
            ]  # fmt: skip
    if not found:
        raise InputError(f"no scale of {benchmark} has noise in place of pruning")
    return table(pandas.DataFrame(found), "lengths")


@or_what_is_missing
def accuracy_by_noise(tables: Tables) -> Any:
    """Figure 5: test accuracy without pruning, with it, and with zeroing or Gaussian noise for n batches."""
    return _accuracies(tables, [NONE, PRUNING, ZEROING, GAUSSIAN], "Pruned for good, or noise for a while")


@or_what_is_missing
def accuracy_restored(tables: Tables) -> Any:
    """Figure D.2: the same where zeroed filters come back with the values they had."""
    return _accuracies(tables, [NONE, PRUNING, RESTORED], "Zeroed for a while, then put back")


def _accuracies(tables: Tables, kinds: Sequence[str], title: str) -> Any:
    names = noise_of(tables, *kinds)
    found = rows_of(tables, [*ACCURACIES], names, "accuracy with noise in place of pruning")
    found = with_intervals(found.assign(accuracy=found["quantity"].map(ACCURACIES)), ["algorithm", "accuracy"])
    return dots(
        ordered(found, "algorithm", names), y="algorithm", menus=["accuracy"], shown={"accuracy": ACCURACIES[BEST]},
        x=ACCURACY, title=title,
    )  # fmt: skip


@or_what_is_missing
def without_targeted(tables: Tables) -> Any:
    """App. D.1 and D.2: what it costs to take away, after training, every filter that noise ever targeted."""
    names = noise_of(tables, ZEROING, GAUSSIAN, RESTORED)
    found = rows_of(tables, [WITHOUT_TARGETED], names, "accuracy without targeted filters")
    before = rows_of(tables, [LAST], names, LAST)[[*RUN, "value"]]
    found = found.merge(before, on=RUN, suffixes=("", "_before"))
    found = with_intervals(found.assign(value=found["value"] - found["value_before"], quantity=CHANGE), ["algorithm"])
    return dots(
        ordered(found, "algorithm", names), y="algorithm", x=CHANGE, reference=0.0,
        title="Without the filters that noise touched",
    )  # fmt: skip


def with_intervals(found: Any, case: Sequence[str]) -> Any:
    """Return rows with the ends, `low` and `high`, of the 95 % bootstrap interval of the mean of each case of a table."""
    pieces = []
    for _, own in found.groupby(["table", *case], sort=False):
        low, high = mean_interval(own["value"])
        pieces.append(own.assign(low=low, high=high))
    return pandas.concat(pieces)


@or_what_is_missing
def accuracy_and_stability_of_noise(tables: Tables) -> Any:
    """Test accuracy against mean stability, over runs with pruning and with noise."""
    found = repeated(runs_of(tables, noise_of(tables, *KINDS[1:])))
    found["effect"] = [kind(name)[0] for name in found["algorithm"]]
    return draw_accuracy_and_stability(found, KINDS, MENUS, "Noise that hurts more", colour="effect")


# Flat minima


@or_what_is_missing
def accuracy_and_stability(tables: Tables) -> Any:
    """Figure E.6: test accuracy against mean stability, of the runs whose flatness is measured."""
    found = repeated(runs_of(tables, FLAT))
    return draw_accuracy_and_stability(found[found["networks"] == ALL], FLAT, MENUS, "Accuracy and stability")


@or_what_is_missing
def flatness_and_stability(tables: Tables) -> Any:
    """Figures 6, E.3 and E.5, left: measures of flatness against mean stability."""
    found = _flat_runs(tables).rename(columns={STABILITY: MEAN_STABILITY})
    return with_captions(
        found, MEAN_STABILITY, FLATNESS, [FLATNESS + " of flatness"], colour="algorithm", domain=FLAT,
        title="Flatness and stability",
    )  # fmt: skip


@or_what_is_missing
def accuracy_and_flatness(tables: Tables) -> Any:
    """Figures 6, E.3 and E.5, right: test accuracy against measures of flatness."""
    found = _flat_runs(tables).rename(columns={BEST: ACCURACY})
    return with_captions(
        found, FLATNESS, ACCURACY, [FLATNESS + " of flatness"], colour="algorithm", domain=FLAT,
        title="Accuracy and flatness",
    )  # fmt: skip


@or_what_is_missing
def eigenvalues(tables: Tables) -> Any:
    """Figures E.1 and E.2: the eigenvalues of the Hessian of the loss, in order of falling magnitude."""
    found = rows_of(
        tables, [f"{images} {EIGENVALUE}" for images in ("test", "training")], FLAT, "eigenvalue of the Hessian"
    )
    found["images"] = found["quantity"].str.partition(" ")[0]
    found = ordered(found, "algorithm", FLAT).rename(columns={"position": "place of the eigenvalue"})
    found["eigenvalues"] = TEN
    place = "place of the eigenvalue"
    whole = found.groupby(RUN, observed=True)[place].transform("max") > FIRST  # kept whole of the first seeds alone
    pieces = [found[found[place] <= FIRST], found[whole].assign(eigenvalues=WHOLE)]
    return lines(
        pandas.concat(pieces), x=place, y="eigenvalue", colour="algorithm", domain=FLAT, menus=["images", "eigenvalues"],
        y_scale="symlog", title="Eigenvalues of the Hessian",
    )  # fmt: skip


@or_what_is_missing
def loss_along_eigenvectors(tables: Tables) -> Any:
    """Figure E.4: the test loss when the weights move along eigenvectors of the Hessian, a configuration at a time."""
    called = {ALONG.format(place): f"{place}." for place in DRAWN}
    found = rows_of(tables, [*called], FLAT, "loss along eigenvectors").rename(columns={"position": "ε"})
    found["eigenvector"] = found["quantity"].map(called)
    return lines(
        ordered(found, "algorithm", FLAT), x="ε", y="test loss (nats)", colour="eigenvector", domain=[*called.values()],
        menus=["algorithm"], title="Test loss along eigenvectors",
        key="Eigenvectors have length one; the first belongs to the largest eigenvalue.",
    )  # fmt: skip


def _flat_runs(tables: Tables) -> Any:
    """Return a row for each run and measure, with its stability, its best accuracy, and the measure as a column."""
    found = rows_of(tables, MEASURES, FLAT, "measure of flatness")
    runs = runs_of(tables, FLAT)[[*RUN, STABILITY, BEST]]
    found = found.merge(runs, on=RUN)
    found[FLATNESS + " of flatness"] = pandas.Categorical(found["quantity"], MEASURES, ordered=True)
    return found.assign(**{FLATNESS: found["value"]})


# Another data set


@or_what_is_missing
def printed_beside_measured(tables: Tables) -> Any:
    """Table F.1: accuracy and stability of ResNet-18 on CIFAR-100, printed and, where there is a table, measured."""
    paper: Any = printed("generalization_stability", "table_F1_cifar100")
    called = {"test_accuracy": ACCURACY, "stability": MEAN_STABILITY}
    paper = paper.assign(algorithm=paper["method"].map(CIFAR100), number=paper["metric"].map(called))
    paper = paper[["algorithm", "number", "mean", "std"]]
    menus, found = {BEST: ACCURACY, STABILITY: MEAN_STABILITY}, None
    if [one for one in tables if set(CIFAR100.values()) & set(one.frame["algorithm"])]:
        found = rows(tables, [*menus], algorithm=[*CIFAR100.values()])
        found = ordered(
            found.assign(number=[menus[one] for one in found["quantity"]]), "algorithm", [*CIFAR100.values()]
        )
    return dots(
        found, y="algorithm", printed=paper, menus=["number"], shown={"number": ACCURACY}, x="accuracy or stability (%)",
        title="Table F.1: CIFAR-100",
    )  # fmt: skip


@or_what_is_missing
def chance_by_runs(chances: Mapping[str, Mapping[int, float]]) -> Any:
    """Table F.1's comparisons: p value by number of runs, of PruneL against each of some methods (name → runs → p)."""
    found = [
        {"against": name, "runs of each": runs, "value": p, "quantity": "p value", "seed": 0, "table": ""}
        for name, own in chances.items()
        for runs, p in own.items()
    ]
    return lines(
        pandas.DataFrame(found), x="runs of each", y="p value", colour="against", domain=[*chances], y_scale="log",
        reference=0.05, title="PruneL against others, with as many runs",
        key="Calculated from printed means and deviations, nothing trained. Horizontal rule: 0.05.",
    )  # fmt: skip
