"""Tests of LN section 4: the double descent while pruning, what noise does to it, and what the score does.

Symbols as in `papers.label_noise.cases`; s_thr and s_eff are interpolation threshold and pruning efficacy
(`lib.analysis.pruning_efficacy`). The chain is weight rewinding by magnitude unless a claim compares scores. A claim that
names its noise levels is undecided where one is missing; one that names none is tested at every noise level of the table.
An A without "last" or "best" is that of the last epoch.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import pandas

from lib.analysis.epoch_errors import BEST, by_seed_and_level
from lib.analysis.pruning_efficacy import (
    TOLERANCE_PERCENT,
    efficacy_level,
    interpolation_level,
    mean_by_level,
)
from lib.analysis.statistics import FEWEST_REPLICATES, compare, select
from lib.analysis.tables import Table
from lib.analysis.verdicts import (
    Finding,
    NotRun,
    answer,
    require_algorithms,
    shortcoming,
    usable_noise,
)
from papers.label_noise.cases import DOUBLE_DESCENT_NOISE, GRADIENT, RANDOM, WD, WR

ALL_NOISE = (20.0, 40.0, 80.0)
"""LN section 3.1: every noise level of the paper, in percent."""

EXTREME_NOISE = 80.0

SCORES: Mapping[str, str] = {WR: "magnitude", GRADIENT: "gradient", RANDOM: "random"}

READ = ("test", "train")


def error_rises_then_falls(table: Table) -> Finding:
    """LN-C01: exist s1 < s2: mean A_last(s1) < mean A_last(0) - 1 std and mean A_last(s2) > mean A_last(s1) + 1 std.

    At 20 and 40 % noise, both; of several such pairs the one with the highest rise is reported, and its deepest fall.
    """
    noises, lack = _cases(table, [WR], DOUBLE_DESCENT_NOISE)
    missed, numbers = [], {}
    for noise in noises:
        errors = _last(table, WR, noise)
        rises = _against_dense(errors, "higher")
        pairs = {
            (first, second): compare(errors[second], errors[first]).mean
            for first in rises
            for second in errors
            if second > first and compare(errors[second], errors[first]).verdict == "lower"
        }
        if pairs:
            first, second = min(pairs, key=lambda pair: (-rises[pair[0]], pairs[pair]))
            numbers[f"rise_error_percent_at_{noise:g}"] = rises[first]
            numbers[f"fall_error_percent_at_{noise:g}"] = pairs[first, second]
            numbers |= {
                f"weights_remaining_percent_at_{what}_at_{noise:g}": _weights(table, WR, noise)[level]
                for what, level in (("rise", first), ("fall", second))
            }
        else:
            missed.append(f"{'does not fall again' if rises else 'does not rise'} at {noise:g} %")
    found = f"rises above the dense one, then falls, at {_percent(noises)}"
    return answer(not missed, f"the last test error {'; '.join(missed) or found}.", numbers, lack)


def sweet_spot_beats_dense(table: Table) -> Finding:
    """LN-C02: max_s mean A_last(s) > mean A_last(0) + 1 std, at every noise level of the table."""
    return _lowest_beats_dense(table, "last", _last)


def best_epoch_gains_too(table: Table) -> Finding:
    """LN-C03: max_s mean A_best(s) > mean A_best(0) + 1 std, at every noise level of the table."""
    return _lowest_beats_dense(table, "best", _best)


def extreme_noise_has_no_rise(table: Table) -> Finding:
    """LN-C04: min over s below the peak of A_last(s) - A_last(0) not below -1 std at 80%.

    The peak is that of the accuracy: the sparse level with the lowest mean last test error.
    """
    noises, lack = _cases(table, [WR], [EXTREME_NOISE])
    rises, numbers = {}, {}
    for noise in noises:
        errors = _last(table, WR, noise)
        peak = _lowest(errors)
        if peak is None:
            lack = lack or f"no sparse level at {noise:g} % noise that every replicate has."
            continue
        before = {level: values for level, values in errors.items() if level < peak}
        rises = _against_dense(before, "higher")
        largest = max(map(_mean, before.values())) - _mean(before[0])
        numbers[f"largest_rise_error_percent_at_{noise:g}"] = largest
    words = f"rises by up to {max(rises.values()):.2f} points" if rises else "does not rise"
    reason = f"at {EXTREME_NOISE:g} % noise the last test error {words} before its lowest value."
    return answer(not rises, reason, numbers, lack)


def threshold_falls_with_noise(table: Table) -> Finding:
    """LN-C08: s_thr(20%) >= s_thr(40%) >= s_thr(80%), s_thr = largest sparsity with full training accuracy.

    Full is a mean training error of at most `TOLERANCE_PERCENT`; undecided where not even the dense network has that.
    """
    noises, lack = _cases(table, [WR], ALL_NOISE)
    levels = {noise: interpolation_level(table.frame, WR, noise) for noise in noises}
    lack = lack or _without_threshold(WR, levels)
    weights = {
        noise: _weights(table, WR, noise)[level] for noise, level in levels.items() if level is not None
    }
    reason = f"weights remaining at the interpolation threshold: {_listed(weights)}."
    numbers = {f"threshold_weights_remaining_percent_at_{n:g}": value for n, value in weights.items()}
    return answer(_ascending(list(weights.values())), reason, numbers, lack)


def best_sparsity_rises_with_noise(table: Table) -> Finding:
    """LN-C09: s_best(20%) <= s_best(40%) <= s_best(80%), s_best the sparsity of the lowest mean last test error."""
    noises, lack = _cases(table, [WR], ALL_NOISE)
    levels = {noise: _lowest(_last(table, WR, noise), dense=True) for noise in noises}
    weights = {n: _weights(table, WR, n)[level] for n, level in levels.items() if level is not None}
    reason = f"weights remaining where the last test error is lowest: {_listed(weights)}."
    numbers = {f"best_weights_remaining_percent_at_{noise:g}": value for noise, value in weights.items()}
    return answer(_ascending([-value for value in weights.values()]), reason, numbers, lack)


def best_error_rises_with_noise(table: Table) -> Finding:
    """LN-C10: max_s A(s) decreasing in the permuted fraction; here the lowest mean last test error increases with it."""
    noises, lack = _cases(table, [WR], ALL_NOISE)
    lowest = {noise: min(mean_by_level(table.frame, WR, noise, "test").values()) for noise in noises}
    values = list(lowest.values())
    holds = all(low < high for low, high in zip(values, values[1:], strict=False))
    numbers = {f"lowest_test_error_percent_at_{noise:g}": value for noise, value in lowest.items()}
    return answer(holds, f"lowest last test error over sparsities: {_listed(lowest)}.", numbers, lack)


def magnitude_prunes_furthest(table: Table) -> Finding:
    """LN-C11: s_eff(magnitude) > s_eff(gradient) > s_eff(random), at every noise level of the table."""
    noises, lack = _cases(table, list(SCORES))
    missed, numbers, words = [], {}, []
    for noise in noises:
        weights = {}
        for name in SCORES:
            level = efficacy_level(table.frame, name, noise)
            weights[name] = math.nan if level is None else _weights(table, name, noise)[level]
            key = f"efficacy_weights_remaining_percent_{SCORES[name]}_at_{noise:g}"
            numbers[key] = weights[name]
        missed += [] if weights[WR] < weights[GRADIENT] < weights[RANDOM] else [noise]
        words.append(f"{', '.join(f'{SCORES[n]} {w:.3g} %' for n, w in weights.items())} at {noise:g} %")
    reason = f"weights remaining at the pruning efficacy: {'; '.join(words)} noise."
    return answer(not missed, reason, numbers, lack)


def gradient_has_the_best_epoch(table: Table) -> Finding:
    """LN-C12: max_s A_best(gradient) >= max_s A_best(magnitude), A_best(random) in nearly all tasks; differences shrink at
    80%.

    Of means. The paper has nine tasks, three of them one network's: here at all of the paper's noise levels but at most
    one; and the largest difference between two scores is smaller at 80 % than at each other noise level.
    """
    noises, lack = _cases(table, list(SCORES), ALL_NOISE, best=True)
    lowest = {
        noise: {name: min(map(_mean, _best(table, name, noise).values())) for name in SCORES}
        for noise in noises
    }
    behind = [n for n, values in lowest.items() if round(values[GRADIENT] - min(values.values()), 9) > 0]
    spread = {n: max(values.values()) - min(values.values()) for n, values in lowest.items()}
    extreme = spread.get(EXTREME_NOISE, math.nan)
    shrinks = all(extreme < value for noise, value in spread.items() if noise != EXTREME_NOISE)
    words = "; ".join(
        f"{', '.join(f'{SCORES[name]} {value:.2f}' for name, value in values.items())} at {noise:g} %"
        for noise, values in lowest.items()
    )
    numbers = {
        f"lowest_best_test_error_percent_{SCORES[name]}_at_{noise:g}": value
        for noise, values in lowest.items()
        for name, value in values.items()
    }
    reason = f"lowest best test error over sparsities: {words} noise."
    return answer(len(behind) <= 1 and shrinks, reason, numbers, lack)


def sparse_needs_fewer_weights(table: Table) -> Finding:
    """LN-C19: parameters at threshold(sparse) < parameters at threshold(dense width family).

    Prunable weights, in percent of those of the standard network, at every noise level of the table. Undecided where not
    even the standard network fits its training labels.
    """
    noises, lack = _cases(table, [WR, WD])
    weights = {}
    for name in (WR, WD):
        levels = {noise: interpolation_level(table.frame, name, noise) for noise in noises}
        lack = lack or _without_threshold(name, levels)
        weights[name] = {
            noise: _weights(table, name, noise)[level] for noise, level in levels.items() if level is not None
        }
    both = [noise for noise in noises if noise in weights[WR] and noise in weights[WD]]
    reason = (
        f"share of the prunable weights at the interpolation threshold: sparse {_listed(weights[WR])}; "
        f"dense and narrower {_listed(weights[WD])}."
    )
    numbers = {
        f"threshold_weights_remaining_percent_{kind}_at_{noise:g}": weights[name][noise]
        for name, kind in ((WR, "sparse"), (WD, "narrower"))
        for noise in both
    }
    return answer(all(weights[WR][n] < weights[WD][n] for n in both), reason, numbers, lack)


def double_descent_on_mnist(table: Table) -> Finding:
    """LN-C20: as LN-C01 and LN-C02 on MNIST."""
    parts = error_rises_then_falls(table), sweet_spot_beats_dense(table)
    lack = next((part.reason for part in parts if part.verdict == "undecided"), "")
    reason = " ".join(part.reason for part in parts)
    numbers = {name: value for part in parts for name, value in part.numbers.items()}
    return answer(all(part.verdict == "reproduced" for part in parts), reason, numbers, lack)


def gradient_loses_gradually(table: Table) -> Finding:
    """LN-C21: max over steps of the drop of training accuracy: gradient < magnitude, at every noise level of the table."""
    noises, lack = _cases(table, [WR, GRADIENT])
    drops: dict[float, dict[str, float]] = {}
    for noise in noises:
        drops[noise] = {}
        for name in (WR, GRADIENT):
            errors = list(mean_by_level(table.frame, name, noise, "train").values())
            steps = [after - before for before, after in zip(errors, errors[1:], strict=False)]
            drops[noise][name] = max(steps, default=math.nan)
            lack = lack or ("" if steps else f"no pruning step of {name} at {noise:g} % noise.")
    words = "; ".join(
        f"{', '.join(f'{SCORES[name]} {drop:.2f}' for name, drop in both.items())} points at {noise:g} %"
        for noise, both in drops.items()
    )
    numbers = {
        f"largest_drop_percent_{SCORES[name]}_at_{noise:g}": drop
        for noise, both in drops.items()
        for name, drop in both.items()
    }
    holds = all(both[GRADIENT] < both[WR] for both in drops.values())
    return answer(holds, f"largest fall of training accuracy in one step: {words} noise.", numbers, lack)


Levels = dict[int, pandas.Series]
"""By level: a value by seed."""


def _lowest_beats_dense(table: Table, which: str, read: Callable[[Table, str, float], Levels]) -> Finding:
    """Compare the lowest mean error over the sparse levels with the dense one, at every noise level of the table."""
    noises, lack = _cases(table, [WR], best=which == "best")
    words, numbers, holds = [], {}, True
    for noise in noises:
        errors = read(table, WR, noise)
        level = _lowest(errors)
        if level is None:
            lack = lack or f"no sparse level at {noise:g} % noise that every replicate has."
            continue
        found = compare(errors[level], errors[0])
        holds = holds and found.verdict == "lower"
        weights = _weights(table, WR, noise)[level]
        words.append(f"{found.mean:+.2f} ± {found.std:.2f} points with {weights:.3g} % left at {noise:g} %")
        numbers[f"sweet_spot_minus_dense_error_percent_at_{noise:g}"] = found.mean
        numbers[f"std_at_{noise:g}"] = found.std
        numbers[f"sweet_spot_weights_remaining_percent_at_{noise:g}"] = weights
    reason = f"lowest {which} test error of a sparse network against the dense one: {'; '.join(words)} noise."
    return answer(holds, reason, numbers, lack)


def _cases(
    table: Table, algorithms: Sequence[str], wanted: Sequence[float] | None = None, best: bool = False
) -> tuple[list[float], str]:
    """Return the noise levels that can be looked at, and what the table lacks for a decision ("" if nothing).

    Args:
        table: of one benchmark.
        algorithms: all that are read.
        wanted: the noise levels of the claim; None for those of the table.
        best: whether the best test error over epochs is read.

    Raises:
        NotRun: an algorithm, all noise levels or the best test errors are not in the table.
    """
    require_algorithms(table, algorithms)
    rows = table.frame[table.frame["algorithm"].isin(list(algorithms)) & (table.frame["noise_percent"] > 0)]
    there = sorted({float(noise) for noise in rows["noise_percent"]})
    asked = there if wanted is None else list(wanted)
    usable = usable_noise(table, algorithms, asked, READ)
    lack = shortcoming(table, algorithms, asked, READ)
    if best:
        found = {(name, noise): _best(table, name, noise) for name in algorithms for noise in usable}
        if usable and not any(found.values()):
            raise NotRun("this table has no best test errors over epochs.")
        for (name, noise), errors in found.items():
            if 0 not in errors or len(errors[0]) < FEWEST_REPLICATES:
                lack = lack or f"too few best test errors of {name} at {noise:g} % noise."
                usable = [other for other in usable if other != noise]
    if not asked or not there:
        raise NotRun("this table has no noise level of the claim.")
    return usable, lack


def _last(table: Table, algorithm: str, noise: float) -> Levels:
    """Test error after the last epoch in percent, by level and seed, at the levels that every replicate has."""
    return _by_level(select(table.frame, algorithm, noise, "test"))


def _best(table: Table, algorithm: str, noise: float) -> Levels:
    """Lowest test error of any epoch in percent, by level and seed, at the levels that every replicate has."""
    return _by_level(by_seed_and_level(table.quantities, BEST, algorithm, noise))


def _by_level(values: pandas.DataFrame) -> Levels:
    whole = values.dropna(axis="columns")
    return {
        int(level): pandas.Series(column, index=whole.index)
        for level, column in zip(whole.columns.tolist(), whole.to_numpy().T, strict=True)
    }


def _mean(values: pandas.Series) -> float:
    """Return a mean, rounded, because means of the same counts of mistakes may differ in the last bit and must tie."""
    return round(float(values.to_numpy().mean()), 9)


def _weights(table: Table, algorithm: str, noise: float) -> dict[int, float]:
    """Weights remaining in percent by level."""
    return mean_by_level(table.frame, algorithm, noise, "test", "weights_remaining_percent")


def _lowest(errors: Levels, dense: bool = False) -> int | None:
    """Return the level with the lowest mean error, the least sparse of several; the dense one only takes part if asked."""
    means = {level: _mean(values) for level, values in errors.items() if dense or level > 0}
    return min(means, key=means.__getitem__, default=None)


def _against_dense(errors: Levels, verdict: str) -> dict[int, float]:
    """Return by level the mean differences from the dense network that the paired rule gives this verdict."""
    found = {level: compare(values, errors[0]) for level, values in errors.items() if level > 0}
    return {level: one.mean for level, one in found.items() if one.verdict == verdict}


def _without_threshold(name: str, levels: Mapping[float, int | None]) -> str:
    """Say where no network fits its training labels; empty where one does at every noise level."""
    missing = [noise for noise, level in levels.items() if level is None]
    if not missing:
        return ""
    return (
        f"no level of {name} has a training error of at most {TOLERANCE_PERCENT:g} % at {_percent(missing)} noise, "
        "the dense network neither: there is no interpolation threshold."
    )


def _ascending(values: Sequence[float]) -> bool:
    """Tell whether no value is smaller than the one before."""
    return all(low <= high for low, high in zip(values, values[1:], strict=False))


def _percent(noises: Sequence[float]) -> str:
    return f"{' and '.join(f'{noise:g}' for noise in noises)} %"


def _listed(values: Mapping[float, float]) -> str:
    return ", ".join(f"{value:.3g} % at {noise:g} %" for noise, value in values.items()) or "none"
