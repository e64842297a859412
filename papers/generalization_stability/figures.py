"""The figures of GS on stability and accuracy: what each of them shows. How anything is drawn stands in `lib.charts`.

Each takes tables of one benchmark, `page.tables`, of which the first is shown until the reader chooses another, and says in
words what is missing where no table has what it needs. A point of a scatter plot is a run; the correlations above it are
those of `lib.analysis.correlation`. Configurations are those that the tables have, a reader's own among them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas
from scipy import stats

from lib.analysis import normality
from lib.analysis.correlation import correlation
from lib.analysis.stability import AFTER, BEFORE, BEST, BEST_HELD_OUT, BY_EPOCH, GAP, HELD_OUT, LAST, LOWEST, STABILITY
from lib.analysis.table import Table, rows
from lib.charts import dots, lines, scatter
from lib.errors import InputError
from lib.stages.filter_events import FilterEvents
from lib.widgets.page import or_what_is_missing
from papers.generalization_stability import recipes
from papers.generalization_stability.claims import OFTEN, SELDOM
from papers.generalization_stability.experiments import LESS_SHORTCUT, MORE_PRUNED
from papers.generalization_stability.names import FIGURE_2, NONE, TARGETS, UNSTABLE, pruned, setting

Tables = Sequence[Table]

MEAN_STABILITY, ACCURACY = "mean stability (%)", "test accuracy (%)"
EVENT = "accuracy after an event (% of that before)"
ACCURACIES = {BEST: "best after the last event", LAST: "after the last epoch"}
SETS = {STABILITY: "test images", HELD_OUT: "held-out images"}
PRUNED, ALL = "pruned", "pruned and unpruned"
MOMENT = 0.01
"""Epochs; so far apart are the points before and after an event drawn, which comes between two steps."""
SHARE = "largest share pruned by an event (%)"
FILTERS = [f"{target} filters" for target in TARGETS]
COEFFICIENTS = ("Pearson's r", "Kendall's τ")
SCORES = {"l2": "the network's own", "expected": "E[BN]", "signed_expected": "signed E[BN]"}
"""What figures call the scores of Figure B.2; ResNet-18's own is its activation, which has no name either."""
TOTALS = {"": "46 %", MORE_PRUNED: "59 %"}
TRADITIONAL = (NONE, *SELDOM, *OFTEN)
"""Figures 4 and C.3."""


# Less stable, better


@or_what_is_missing
def accuracy_over_training(tables: Tables) -> Any:
    """Figure 2, left: test accuracy over training with its dips, and what every event left of it."""
    names = configurations(tables)
    found = rows_of(tables, [BY_EPOCH, BEFORE, AFTER], names)
    moved = found["quantity"].map({BEFORE: -MOMENT, AFTER: MOMENT}).fillna(0.0)
    accuracy = found.assign(quantity=ACCURACY, epoch=found["position"] + moved)
    run = ["table", "algorithm", "seed", "position"]
    before, after = (found[found["quantity"] == one] for one in (BEFORE, AFTER))
    events = after.merge(before[[*run, "value"]], on=run, suffixes=("", " before"))
    events = events.assign(
        quantity=EVENT, epoch=events["position"], value=100 * events["value"] / events["value before"]
    )
    return lines(
        pandas.concat([accuracy, events], ignore_index=True), x="epoch", panels="quantity", colour="algorithm",
        domain=names, title="Test accuracy while filters are pruned",
        key="Above, an event is a drop straight down; at small scales it is measured on a few hundred test images, epochs "
        "on all, so that it may lie beside the curve. Below, 100 is an event that changed nothing.",
    )  # fmt: skip


@or_what_is_missing
def accuracy_against_stability(tables: Tables) -> Any:
    """Figure 2, right: accuracy in the end against mean stability, a point for each run."""
    names = configurations(tables)
    return draw_accuracy_and_stability(
        repeated(runs_of(tables, names)), names, ["networks", "accuracy", "stability on"],
        title="Accuracy in the end, and stability on the way",
    )  # fmt: skip


@or_what_is_missing
def stability_on_two_sets(tables: Tables) -> Any:
    """Facts S9: the stability of each run on test images and on images held out of training."""
    names = configurations(tables)
    found = runs_of(tables, names)
    if HELD_OUT not in found:
        raise InputError(f"no table has {HELD_OUT}; the paper's recipe holds no images out.")
    return scatter(
        found, x=STABILITY, y=HELD_OUT, colour="algorithm", domain=names, title="One stability, measured on two sets",
        equal=True, key="Were both sets endless, the points would lie on the line.",
    )  # fmt: skip


@or_what_is_missing
def best_and_last(tables: Tables) -> Any:
    """Facts S9: the best test accuracy after the last event, which looks at the test set, and that of the last epoch."""
    called = {BEST: "best epoch", LAST: "last epoch", BEST_HELD_OUT: "last epoch, held-out images"}
    names = configurations(tables)
    found = rows_of(tables, [*called], names)
    found["accuracy"] = found["quantity"].map(called)
    found = ordered(ordered(found, "accuracy", called.values()), "algorithm", names)
    return dots(found, y=["algorithm", "accuracy"], x="accuracy (%)", title="The best epoch and the last")


# Scores that know of normalization


@or_what_is_missing
def accuracy_by_score(tables: Tables) -> Any:
    """Figure B.2: accuracy against stability by the paper's first score and by two that know of normalization."""
    names = configurations(tables)
    found = repeated(_by_score(tables, names, runs_of))
    return draw_accuracy_and_stability(found, names, ["score", "networks", "accuracy"], title="By three scores")


@or_what_is_missing
def stability_by_score(tables: Tables) -> Any:
    """Figure B.2's legend: mean stability of each configuration by each score."""
    names = configurations(tables)
    found = _by_score(tables, names, lambda tables, names: rows_of(tables, [STABILITY], names))
    found = ordered(found[found["algorithm"] != NONE], "algorithm", names)
    return dots(
        found, y=["algorithm", "score"], x=MEAN_STABILITY, title="How stable each score makes pruning", reference=100.0
    )


@or_what_is_missing
def normality_by_layer(tables: Tables) -> Any:
    """Figure B.1 in one number for each layer: how far activations are from a normal distribution."""
    called = {normality.DISTANCE.format(when): when for when in (normality.BEFORE, normality.AFTER)}
    layer = "layer, of the last ones, from the input"
    found = rows_of(tables, [*called], [NONE]).rename(columns={"position": layer})
    return lines(
        found.assign(network=found["quantity"].map(called), quantity="distance"), x=layer, colour="network",
        y="Kolmogorov-Smirnov distance from normal", domain=[*called.values()], y_scale="zero",
        title="How far from normal activations are", key="No network was pruned.",
    )  # fmt: skip


@or_what_is_missing
def activation_densities(tables: Tables) -> Any:
    """Figure B.1: the distribution of normalized activations, a layer at a time, beside the normal one."""
    both = normality.BEFORE, normality.AFTER
    places = [(at, when) for at in range(1, normality.LAYERS + 1) for when in both]
    called = {normality.DENSITY.format(*place): place for place in places}
    found = rows_of(tables, [*called], [NONE])
    found["layer"], found["network"] = zip(*found["quantity"].map(called), strict=True)
    one = found.drop_duplicates(["table", "layer", "position"])
    normal = one.assign(network="standard normal", value=stats.norm.pdf(one["position"]))
    found = pandas.concat([found, normal], ignore_index=True).rename(columns={"position": "normalized activation"})
    return lines(
        found.assign(quantity="density"), x="normalized activation", y="share of activations per unit",
        colour="network", domain=[*both, "standard normal"], slider="layer", shown={"layer": max(found["layer"])},
        y_scale="zero", title="Normalized activations of one layer",
        key="Layers are counted from the input; of one network that was not pruned.",
    )  # fmt: skip


# Rate and target


@or_what_is_missing
def accuracy_by_rate(tables: Tables) -> Any:
    """Figure 3, left and middle: accuracy and mean stability against the share that an event prunes, by target."""
    quantities = [BEST, STABILITY]
    found = _rated(rows_of(tables, quantities, configurations(tables)[1:])).sort_values(
        "quantity", key=lambda names: names.map(quantities.index), kind="stable"
    )
    there = [one for one in tables if NONE in set(one.frame["algorithm"])]
    unpruned = rows_of(there, quantities, [NONE]).drop(columns="algorithm") if there else None
    return lines(
        found, x=SHARE, x_scale="log", panels="quantity", colour="target", domain=FILTERS, reference=unpruned,
        title="Rate and target",
        key="Dashed: no pruning. In the end as many filters are gone at every rate; at 90 % all at once.",
    )  # fmt: skip


@or_what_is_missing
def correlation_by_rate(tables: Tables) -> Any:
    """Figures 3, right, and C.2: the correlation of stability and accuracy over the targets, at each rate."""
    found = []
    for (label, benchmark, share), own in _rated_runs(tables).groupby(["table", "benchmark", SHARE], sort=False):
        if own["target"].nunique() < 2:
            continue
        one = _correlation(own, STABILITY, BEST)
        point = {"table": label, "benchmark": benchmark, SHARE: share, "runs": one.n, "quantity": "correlation"}
        ends = {"low": one.low, "high": one.high}, {"low": float("nan"), "high": float("nan")}
        for name, value, end in zip(COEFFICIENTS, (one.pearson, one.kendall), ends, strict=True):
            found.append({**point, "coefficient": name, "value": value, **end})
    if not found:
        raise InputError("no rate has two targets yet; the note above the figures says what is missing")
    return lines(
        pandas.DataFrame(found).dropna(subset="value"), x=SHARE, x_scale="log",
        y="correlation of stability and accuracy", colour="coefficient", domain=COEFFICIENTS, reference=0.0,
        title="Over the targets, at each rate", key="Band: 95 % interval of r. Below zero, less stable runs end better.",
    )  # fmt: skip


@or_what_is_missing
def accuracy_at_one_rate(tables: Tables) -> Any:
    """Figure C.1: accuracy against stability, one rate at a time."""
    found = _rated_runs(tables).rename(columns={STABILITY: MEAN_STABILITY, BEST: ACCURACY})
    return with_captions(
        found, MEAN_STABILITY, ACCURACY, [SHARE], colour="target", domain=FILTERS, shown={SHARE: found[SHARE].min()},
        title="One rate at a time",
    )  # fmt: skip


# How much, and of what


@or_what_is_missing
def total_pruning(tables: Tables) -> Any:
    """Table C.1: stability and accuracy where 46 or 59 % of ResNet-18 is pruned."""
    own = [name for name in configurations(tables) if name != NONE]
    names = {f"{name}, {more}" if more else name: (name, of) for more, of in TOTALS.items() for name in own}
    found = rows_of(tables, [BEST, STABILITY], [*names])
    found["pruned in all"] = [names[name][1] for name in found["algorithm"]]
    found = ordered(found.assign(algorithm=[names[name][0] for name in found["algorithm"]]), "algorithm", own)
    return dots(
        found, y=["algorithm", "pruned in all"], menus=["quantity"], shown={"quantity": BEST},
        x="accuracy or stability (%)", title="46 % of the network, or 59 %",
    )  # fmt: skip


@or_what_is_missing
def shortcut_layer(tables: Tables) -> Any:
    """App. B.1's remark: large filters pruned, a quarter or two fifths of the layer whose maps feed a shortcut."""
    less = pruned("largest", 40, more=LESS_SHORTCUT)
    called = {NONE: "no pruning", less: "25 % of the layer", UNSTABLE: "40 % of the layer"}
    found = rows_of(tables, [BEST, STABILITY, LOWEST], [*called])
    column = "pruned of the shortcut's layer"
    found = ordered(found.assign(**{column: found["algorithm"].map(called)}), column, called.values())
    return dots(
        found, y=column, menus=["quantity"], shown={"quantity": BEST}, x="accuracy or stability (%)",
        title="The layer that feeds a shortcut",
    )  # fmt: skip


# The traditional set-up


@or_what_is_missing
def traditional_accuracy(tables: Tables) -> Any:
    """Figures 4 and C.3: accuracy against stability where training already regularizes."""
    found = repeated(runs_of(tables, TRADITIONAL))
    return draw_accuracy_and_stability(found, TRADITIONAL, ["networks", "accuracy"], title="With SGD and augmentation")


@or_what_is_missing
def traditional_gap(tables: Tables) -> Any:
    """Figures 4 and C.3: training minus test accuracy at the best epoch, against stability."""
    found = repeated(runs_of(tables, TRADITIONAL)).query("accuracy == @ACCURACIES[@BEST]")
    found = found[found["stability on"] == SETS[STABILITY]].rename(columns={GAP: "generalization gap (points)"})
    return with_captions(
        found, MEAN_STABILITY, "generalization gap (points)", ["networks"], colour="algorithm", domain=TRADITIONAL,
        title="How much better training images are fitted",
    )  # fmt: skip


@or_what_is_missing
def traditional_configurations(tables: Tables) -> Any:
    """Figures 4 and C.3: the accuracy of each configuration, best and last."""
    called = {BEST: "best epoch", LAST: "last epoch"}
    found = rows_of(tables, [*called], TRADITIONAL)
    found = ordered(found.assign(accuracy=found["quantity"].map(called)), "algorithm", TRADITIONAL)
    return dots(found, y="algorithm", menus=["accuracy"], x="test accuracy (%)", title="Pruned, or not")


# What they share


def configurations(tables: Tables) -> list[str]:
    """Return what tables have of pruning by a network's own score, from stable to unstable, unpruned networks first.

    First those of Figure 2, so that they keep their colours.
    """
    there = {name for one in tables for name in one.frame["algorithm"].unique()}
    targets = ("smallest", "random", "largest")
    others = sorted((targets.index(found[0]), found[1], name) for name in there if (found := setting(name)))
    return [*FIGURE_2, *(name for *_, name in others if name not in FIGURE_2)]


def share_of_an_event(events: FilterEvents) -> float:
    """Return the largest share that an event takes of a layer, in percent: p / n of the layer where it is largest (S17)."""
    counts = events.counts()
    return max(100 * share / counts[layer] for layer, share in zip(events.layers, events.shares, strict=True))


def rate_of(benchmark: str, every: int) -> float:
    """Return the share in percent that an event prunes, with so many of the schedule's epochs between two of them."""
    events = recipes.PLANS[benchmark]["paper"].filters
    assert events
    return float(f"{share_of_an_event(events.but(every=every)):.3g}")


def rows_of(tables: Tables, quantities: Sequence[str], names: Sequence[str], what: str = "") -> Any:
    """Return quantities of some configurations, see `lib.analysis.table.rows`; InputError, which calls them as `what` does,
    where no table has any."""
    if not tables:
        raise InputError("nothing is measured yet")
    try:
        return rows(tables, [*quantities], algorithm=[*names])
    except InputError:
        raise InputError(
            f"no {what or quantities[0]} was measured yet; the note above the figures says what is missing"
        ) from None


def runs_of(tables: Tables, names: Sequence[str]) -> Any:
    """Return a row for each run of some configurations, with its stability and accuracies as columns."""
    found = rows_of(tables, [STABILITY, HELD_OUT, BEST, LAST, GAP], names)
    run = ["table", "benchmark", "scale", "algorithm", "seed", "level"]
    wide: Any = found.pivot_table(index=run, columns="quantity", values="value", sort=False).reset_index()
    for one in (STABILITY, BEST):
        if one not in wide:
            raise InputError(f"no table has {one} of {names[0]}; run the page with recompute=True.")
    return wide.dropna(subset=[STABILITY, BEST])


def repeated(runs: Any) -> Any:
    """Repeat runs for each choice: with unpruned ones or without, by either accuracy, by stability on either set."""
    pieces = []
    for stability, images in SETS.items():
        for accuracy, when in ACCURACIES.items():
            if not {stability, accuracy} <= {*runs}:
                continue
            own = runs.assign(**{MEAN_STABILITY: runs[stability], ACCURACY: runs[accuracy]})
            own = own.assign(accuracy=when, **{"stability on": images})
            pieces += [own[own["algorithm"] != NONE].assign(networks=PRUNED), own.assign(networks=ALL)]
    return pandas.concat(pieces, ignore_index=True).dropna(subset=[MEAN_STABILITY, ACCURACY])


def draw_accuracy_and_stability(
    found: Any, names: Sequence[str], menus: list[str], title: str, colour: str = "algorithm"
) -> Any:
    """Draw accuracy against stability; a choice that has no menu stays at its first value."""
    for column in {"stability on", "accuracy", "networks"} - {*menus}:
        found = found[found[column] == found[column].iloc[0]]
    return with_captions(found, MEAN_STABILITY, ACCURACY, menus, colour=colour, domain=names, title=title)


def with_captions(found: Any, x: str, y: str, menus: list[str], **drawn: Any) -> Any:
    """Draw runs with their least-squares line, and write the pooled and the inner correlation above."""
    pieces = []
    for _, own in found.groupby(["table", *menus], sort=False, observed=True):
        words = _correlation(own, x, y).words.replace("-", "−")
        first, second = (name.partition(" (")[0] for name in (x, y))
        pieces.append(own.assign(caption=f"{first.capitalize()} and {second}: {words}."))
    return scatter(pandas.concat(pieces), x=x, y=y, fit=True, menus=menus, **drawn)


def _correlation(runs: Any, x: str, y: str) -> Any:
    by_run = runs.set_index(["algorithm", "seed"])
    return correlation(by_run[x], by_run[y])


def _by_score(tables: Tables, names: Sequence[str], read: Callable[[Tables, Sequence[str]], Any]) -> Any:
    """Return what `read` finds of some configurations by each score, called as by the first, with a column `score`."""
    pieces = []
    for score, called in SCORES.items():
        own = {NONE: NONE, **{pruned(*how, score=score): name for name in names if (how := setting(name))}}
        there = [one for one in tables if (set(own) - {NONE}) & set(one.frame["algorithm"])]
        if there:
            found = read(there, [*own])
            pieces.append(found.assign(algorithm=found["algorithm"].map(own), score=called))
    if not pieces:
        raise InputError("no table has a pruned network; run the page with recompute=True.")
    order = {one.label: place for place, one in enumerate(tables)}
    found: Any = pandas.concat(pieces, ignore_index=True)
    return found.sort_values("table", key=lambda labels: labels.map(order), kind="stable", ignore_index=True)


def _rated(found: Any) -> Any:
    """Add `target` and `SHARE` to rows of configurations that differ in both."""
    how = [setting(name) or ("", 0) for name in found["algorithm"]]
    shares = [rate_of(benchmark, every) for benchmark, (_, every) in zip(found["benchmark"], how, strict=True)]
    return found.assign(target=[f"{target} filters" for target, _ in how], **{SHARE: shares})


def _rated_runs(tables: Tables) -> Any:
    return _rated(runs_of(tables, configurations(tables)[1:]))


def ordered(found: Any, column: str, values: Iterable[str]) -> Any:
    """Put the values of a column into an order that charts keep."""
    return found.assign(**{column: pandas.Categorical(found[column], [*values], ordered=True)})
