"""What GS's figures on noise, flat minima and CIFAR-100 show, said with the numbers of the table that they draw.

The data choose the words (`lib.analysis.sentences`), so that they hold at every scale; where they speak against the paper
they say so. Two configurations differ where their paired differences do; a correlation has a sign where p is below 0.05
and there are three seeds or more.
"""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportReturnType=false, reportArgumentType=false, reportGeneralTypeIssues=false, reportAttributeAccessIssue=false

import functools
import math
from collections.abc import Sequence

import pandas

from lib.analysis.correlation import Correlation, correlation
from lib.analysis.flatness import (
    ALONG,
    COVARIANCE,
    CRITERION,
    CURVE,
    DRAWN,
    EIGENVALUE,
    EIGENVALUE_SUM,
    TOLERATED,
)
from lib.analysis.sentences import against, listed, mean_std, number, p_value, read
from lib.analysis.stability import BEST, LAST, STABILITY, WITHOUT_TARGETED
from lib.analysis.statistics import FEWEST_REPLICATES, difference, mean_interval, two_samples
from lib.analysis.table import Table
from lib.errors import InputError
from papers.generalization_stability.claims import SIGNIFICANT
from papers.generalization_stability.names import FLAT, MIDDLE, NONE, RANDOM, SCRATCH, STABLE, UNSTABLE
from papers.generalization_stability.noise_and_flatness_figures import (
    CIFAR100,
    GAUSSIAN,
    KINDS,
    PRUNING,
    RESTORED,
    ZEROING,
    kind,
    noise_of,
)
from papers.generalization_stability.observations import has, learned, observed, runs

CALLED = {
    NONE: "no pruning",
    STABLE: "small filters often",
    MIDDLE: "small filters seldom",
    UNSTABLE: "large filters",
    RANDOM: "random filters",
    SCRATCH: "pruning from scratch",
}
SPOKEN = {ZEROING: "zeroing", GAUSSIAN: "Gaussian noise", RESTORED: "zeroing with values restored"}
MEASURES = {
    f"test {EIGENVALUE_SUM}": "the Hessian's trace",
    f"test {COVARIANCE}": "the trace of the gradients' covariance",
    TOLERATED: "the tolerated perturbation",
    f"test {CRITERION}": "the information criterion",
}
"""What a sentence calls the measures of Figures 6, E.3 and E.5."""
IN_LINES = (f"test {EIGENVALUE_SUM}", TOLERATED)
"""Those of the lines that the page ends with."""
FALLS_WITH_ACCURACY = {TOLERATED: False}
"""A flat minimum has a small trace and tolerates a large perturbation."""


# Is it noise?


@observed
def accuracy_by_noise(table: Table) -> str:
    """Accuracy without pruning, with it, and with the shortest and longest noise of each kind."""
    return f"{_unpruned_and_pruned(table)} {_shortest_and_longest(table, ZEROING, GAUSSIAN)} {_enough(table, ZEROING)}"


@observed
def accuracy_restored(table: Table) -> str:
    """The same for filters that come back with the values they had."""
    return f"{_unpruned_and_pruned(table)} {_shortest_and_longest(table, RESTORED)} {_enough(table, RESTORED)}"


@observed
def without_targeted(table: Table) -> str:
    """What each kind of noise leaves to the filters that it touched."""
    names = [name for name in noise_of([table], ZEROING, GAUSSIAN, RESTORED) if has(table, name, WITHOUT_TARGETED)]
    if not names:
        raise InputError(f"no network without targeted filters was measured at {table.scale} scale")
    lost = {name: difference(runs(table, WITHOUT_TARGETED, name), runs(table, LAST, name)) for name in names}
    told = [f"{number(one.mean, signed=True)} points after {name}" for name, one in lost.items()]
    words = f"Taking the targeted filters away changes the last accuracy by {listed(told)}."
    if len(table.seeds) < FEWEST_REPLICATES:
        return words
    used = [name for name, one in lost.items() if one.verdict == "lower"]
    free = [name for name in names if name not in used]
    if not free:
        return f"{words} All of these networks use the filters again; the paper excepts its longest zeroing."
    if not used:
        return f"{words} None of these networks relies on them by more than seeds differ, against the paper."
    return f"{words} By more than seeds differ, accuracy falls after {listed(used)}; it does not after {listed(free)}."


@observed
def accuracy_and_stability_of_noise(table: Table) -> str:
    """The correlation over all runs with pruning or noise, pooled and within configurations."""
    return _related(table, STABILITY, "stability", noise_of([table], *KINDS[1:]))


def _unpruned_and_pruned(table: Table) -> str:
    there = [name for name in noise_of([table], NONE, PRUNING) if has(table, name, BEST)]
    called = {NONE: "without pruning", PRUNING: "with the large filters pruned"}
    told = [f"{_with_interval(table, name)} {called[kind(name)[0]]}" for name in there]
    return f"The best test accuracy is {listed(told)}." if told else "Neither no pruning nor pruning is measured yet."


def _with_interval(table: Table, name: str) -> str:
    found = runs(table, BEST, name)
    low, high = mean_interval(found)
    interval = "" if math.isnan(low) else f" (95 % interval {number(low)} to {number(high)})"
    return f"{number(found.mean())} %{interval}"


def _shortest_and_longest(table: Table, *kinds: str) -> str:
    told = []
    for one in kinds:
        names = [name for name in noise_of([table], one) if has(table, name, BEST)]
        if names:
            ends = list(dict.fromkeys((names[0], names[-1])))
            said = [f"{_with_interval(table, name)} for {_batches(name)}" for name in ends]
            told.append(f"{SPOKEN[one]} reaches {listed(said)}")
    if not told:
        raise InputError(f"no {listed(kinds, 'or')} was measured at {table.scale} scale")
    words = "; ".join(told)
    return f"{words[:1].upper()}{words[1:]}."


def _batches(name: str) -> str:
    count = kind(name)[1]
    return f"{count:,} batch{'es' * (count != 1)}"


def _enough(table: Table, one: str) -> str:
    """Say how the longest noise of a kind compares with pruning and with neither."""
    names = [name for name in noise_of([table], one) if has(table, name, BEST)]
    others = [name for name in noise_of([table], PRUNING, NONE) if has(table, name, BEST)]
    if not names or not others:
        return ""
    longest = names[-1]
    told = {
        kind(name)[0]: f"{against(runs(table, BEST, longest), runs(table, BEST, name))} ({kind(name)[0]})"
        for name in others
    }
    words = f"The longest {SPOKEN[one]} has {listed([*told.values()])}."
    if len(table.seeds) < FEWEST_REPLICATES or len(others) < 2:
        return words
    verdicts = {
        kind(name)[0]: difference(runs(table, BEST, longest), runs(table, BEST, name)).verdict for name in others
    }
    called = {kind(name)[0]: name for name in others}
    if {NONE, PRUNING} <= {*called}:
        gain = difference(runs(table, BEST, called[PRUNING]), runs(table, BEST, called[NONE]))
        if gain.verdict != "higher":
            return f"{words} Pruning itself is not above no pruning here, so there is no gain that noise could explain."
    if verdicts.get(NONE) == "higher" and verdicts.get(PRUNING) in ("higher", "match"):
        return f"{words} So noise that ends does as much as pruning that stays, as the paper has it."
    return f"{words} That is not what the paper has, where it does as much as pruning and more than neither."


def _enough_line(table: Table) -> str:
    return _enough(table, ZEROING) or _missing(table, "long enough zeroing")


def _used_line(table: Table) -> str:
    names = [name for name in noise_of([table], ZEROING, GAUSSIAN, RESTORED) if has(table, name, WITHOUT_TARGETED)]
    if not names:
        return _missing(table, "network without targeted filters")
    changes = [difference(runs(table, WITHOUT_TARGETED, name), runs(table, LAST, name)) for name in names]
    least, most = (pick(changes, key=lambda one: one.mean) for pick in (min, max))
    return (
        f"Without the filters that noise touched, accuracy changes by {number(least.mean, signed=True)} to "
        f"{number(most.mean, signed=True)} points: where it falls, they came back into use."
    )


def _noise_line(table: Table) -> str:
    return _related(table, STABILITY, "stability", noise_of([table], *KINDS[1:]))


learned_is_it_noise = learned(_enough_line, _used_line, _noise_line)


# Flat minima


@observed
def accuracy_and_stability(table: Table) -> str:
    """Figure E.6, with unpruned networks and without."""
    whole = _related(table, STABILITY, "stability", FLAT)
    found = _over(table, STABILITY, BEST, [name for name in FLAT if name not in (NONE, SCRATCH)])
    if math.isnan(found.pearson):
        return whole
    return (
        f"{whole} Unpruned networks and those pruned from scratch have a stability of 100 by definition; without them "
        f"r = {number(found.pearson)} ({p_value(found.p)})."
    )


@observed
def flatness_and_stability(table: Table) -> str:
    """Correlation of each measure with stability."""
    return _of_measures(table, STABILITY, "stability", flat_where_high=False)


@observed
def accuracy_and_flatness(table: Table) -> str:
    """Correlation of each measure with accuracy."""
    return _of_measures(table, BEST, "accuracy", flat_where_high=True)


@observed
def eigenvalues(table: Table) -> str:
    """The largest eigenvalue of each configuration, from stable to unstable, on test images and on training images."""
    told = []
    for images in ("test", "training"):
        names = [name for name in _by_stability(table) if has(table, name, f"{images} {EIGENVALUE}", position=1.0)]
        largest = {name: read(table, f"{images} {EIGENVALUE}", "last", name, position=1.0) for name in names}
        if largest:
            said = [f"{mean_std(one, '')} ({CALLED[name]})" for name, one in largest.items()]
            told.append(f"on {images} images {listed(said)}")
    if not told:
        raise InputError(f"no eigenvalues of the Hessian were measured at {table.scale} scale")
    return f"The largest eigenvalue is, from the most stable to the least, {'; '.join(told)}."


@observed
def loss_along_eigenvectors(table: Table) -> str:
    """The rise of the loss along the sharpest direction and along the last one drawn."""
    step, told = max(CURVE), []
    for name in FLAT:
        if not all(has(table, name, ALONG.format(place), position=step) for place in DRAWN):
            continue
        rises = [_rise(table, name, place, step) for place in DRAWN]
        order = "falls" if rises == sorted(rises, reverse=True) else "does not fall in order"
        told.append((name, rises, order))
    if not told:
        raise InputError(f"no loss along eigenvectors was measured at {table.scale} scale")
    words = listed([f"{number(rises[0])} and {number(rises[-1])} ({CALLED[name]})" for name, rises, _ in told])
    fell = [CALLED[name] for name, _, order in told if order == "falls"]
    return (
        f"A step of {step:g} raises the test loss, averaged over both signs, along eigenvectors {DRAWN[0]} and {DRAWN[-1]} "
        f"by, in nats, {words}. The rise is smaller along each later eigenvector for "
        f"{listed(fell) if fell else 'none of them'}; the paper has it so."
    )


def _rise(table: Table, name: str, place: int, step: float) -> float:
    here, away, back = (read(table, ALONG.format(place), "last", name, position=at).mean() for at in (0.0, step, -step))
    return (away + back) / 2 - here


def _of_measures(
    table: Table, quantity: str, called: str, flat_where_high: bool, measures: Sequence[str] = tuple(MEASURES)
) -> str:
    """Say how each measure correlates with a quantity, and for which it has the paper's sign."""
    told, as_claimed, opposite, doubted = [], [], [], []
    for measure in measures:
        words = MEASURES[measure]
        found = _over(table, measure, quantity, FLAT)
        if math.isnan(found.pearson):
            continue
        inner = "" if math.isnan(found.within) else f", within configurations {number(found.within)}"
        told.append(f"r = {number(found.pearson)} ({p_value(found.p)}{inner}) for {words}")
        negative = flat_where_high == FALLS_WITH_ACCURACY.get(measure, True)
        if not found.p < SIGNIFICANT or len(table.seeds) < FEWEST_REPLICATES:
            doubted.append(words)
        else:
            (as_claimed if (found.pearson < 0) == negative else opposite).append(words)
    if not told:
        raise InputError(f"no measure of flatness was measured at {table.scale} scale")
    words = f"With {called}, over the runs of all configurations, {'; '.join(told)}."
    if len(table.seeds) < FEWEST_REPLICATES:
        return words
    signs = {
        f"the paper's sign, with p below {SIGNIFICANT}, for": as_claimed,
        f"the opposite sign, with p below {SIGNIFICANT}, for": opposite,
        "no sign that can be told from chance for": doubted,
    }
    return f"{words} It has {'; '.join(f'{what} {listed(which)}' for what, which in signs.items() if which)}."


def _by_stability(table: Table) -> list[str]:
    there = [name for name in FLAT if has(table, name, STABILITY)]
    return sorted(there, key=lambda name: -runs(table, STABILITY, name).mean())


def _flat_line(table: Table) -> str:
    return _of_measures(table, STABILITY, "stability", False, IN_LINES)


def _predicts_line(table: Table) -> str:
    return _of_measures(table, BEST, "accuracy", True, IN_LINES)


def _inner_line(table: Table) -> str:
    found = {MEASURES[measure]: _over(table, measure, BEST, FLAT) for measure in IN_LINES}
    told = [
        f"{number(one.within)} ({p_value(one.within_p)}) for {words}"
        for words, one in found.items()
        if not math.isnan(one.within)
    ]
    if not told:
        return _missing(table, "correlation within configurations")
    return f"Among runs with the same settings the correlation with accuracy is {listed(told)}."


learned_flat_minima = learned(_flat_line, _predicts_line, _inner_line)


# Another data set


@observed
def printed_beside_measured(table: Table) -> str:
    """Large filters against the three others, by t tests."""
    largest = CIFAR100["PruneL"]
    others = [name for name in CIFAR100.values() if name != largest and has(table, name, BEST)]
    if not others or not has(table, largest, BEST):
        raise InputError(f"the configurations of Table F.1 were not all measured at {table.scale} scale")
    told = []
    for name in others:
        found = two_samples(runs(table, BEST, largest), runs(table, BEST, name))
        chance = "" if math.isnan(found.p_pooled) else f" (t test {p_value(found.p_pooled)})"
        side = "below" if found.difference < 0 else "above"
        told.append(f"{number(abs(found.difference))} points {side} {_method(name)}{chance}")
    generated = (
        " The images are generated: these numbers say nothing about CIFAR-100." if table.scale == "smoke" else ""
    )
    return f"Pruning large filters is {listed(told)}.{generated}"


def _method(name: str) -> str:
    return {NONE: "no pruning", SCRATCH: "pruning from scratch"}.get(name, "pruning small filters")


def _gain_line(table: Table) -> str:
    largest = CIFAR100["PruneL"]
    return f"Large filters pruned against no pruning: {against(runs(table, BEST, largest), runs(table, BEST, NONE))}."


def _steady_line(table: Table) -> str:
    if not has(table, CIFAR100["PruneL"], STABILITY):
        return _missing(table, "stability of pruned networks")
    small, large = (runs(table, STABILITY, CIFAR100[name]) for name in ("PruneS", "PruneL"))
    return f"The stability of pruning large filters against that of small ones: {against(large, small)}."


learned_another_data_set = learned(_gain_line, _steady_line)


# What they share


def _missing(table: Table, what: str) -> str:
    raise InputError(f"no {what} was measured at {table.scale} scale")


def _over(table: Table, first: str, second: str, names: Sequence[str]) -> Correlation:
    """Correlate two quantities over the runs of those configurations that have both."""
    return _correlated(table, first, second, tuple(names))


@functools.lru_cache(maxsize=64)  # figures' sentences and the page's last lines ask for the same
def _correlated(table: Table, first: str, second: str, names: tuple[str, ...]) -> Correlation:
    there = [name for name in names if has(table, name, first) and has(table, name, second)]
    if not there:
        return Correlation(0, 0)
    return correlation(*(pandas.concat({name: runs(table, one, name) for name in there}) for one in (first, second)))


def _related(table: Table, quantity: str, called: str, names: Sequence[str]) -> str:
    """Say how a quantity and the best accuracy correlate, pooled and within configurations."""
    found = _over(table, quantity, BEST, names)
    if math.isnan(found.pearson):
        raise InputError(f"no correlation of {called} and accuracy is defined at {table.scale} scale")
    told = f"Over {found.n} runs of {found.configurations} configurations, {called} and accuracy have r = "
    told += f"{number(found.pearson)} ({p_value(found.p)})"
    if not found.p < SIGNIFICANT or len(table.seeds) < FEWEST_REPLICATES:
        told += ": no sign can be told from chance."
    else:
        better = "better, as the paper has it" if found.pearson < 0 else "worse, against the paper"
        told += f": less stable runs end {better}."
    if math.isnan(found.within):
        return told
    return f"{told} Within configurations r = {number(found.within)} ({p_value(found.within_p)})."
