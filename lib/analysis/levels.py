"""Levels that mean something, each chosen by one rule and kept in the table as a quantity.

    optimum             the lowest mean validation error; ties go to the lower sparsity       TR section 2
    best smaller        the same among the levels k ≥ 1                                       TR App. I
    highest improving   the last level whose mean test error is below the dense network's     TR section 3
    overfitting         where the mean last test error begins its largest fall                LN section 3.2, facts B.7
    recovery            where that fall ends
    best sweet spot     the lowest mean best test error, if it is below the dense network's   LN section 3.2
    last sweet spot     the lowest mean last test error, if it is below the dense network's   LN section 3.2
    underfitting        beyond both sweet spots: best and last test error above dense         LN section 3.2

The best test error is the lowest of any epoch. The first two read validation images, the others test images, as the papers do.
Whoever compares test errors at a level that test errors chose would find a difference by chance: `level_by_others` chooses the
level of each replicate from the other replicates. Only levels that every replicate has compete.
"""

import itertools
from collections.abc import Callable, Mapping

import numpy
import pandas

from lib.analysis.table import Table, values
from lib.errors import unknown

TEST, VALIDATION, BEST_TEST = "test error (%)", "validation error (%)", "best test error (%)"

Means = Mapping[str, pandas.Series]
"""Quantity → mean over replicates by level, at the levels that every replicate has."""


def _optimum(means: Means) -> int | None:
    return _lowest(means.get(VALIDATION), 0)


def _best_smaller(means: Means) -> int | None:
    return _lowest(means.get(VALIDATION), 1)


def _highest_improving(means: Means) -> int | None:
    errors = means.get(TEST)
    if errors is None or 0 not in errors:
        return None
    return max((int(level) for level in errors.index if errors[level] < errors[0]), default=None)


def largest_fall(means: Means) -> tuple[int, int] | None:
    """Return the two levels between which the mean last test error falls most; None where it never falls."""
    errors = means.get(TEST)
    pairs = [] if errors is None else itertools.combinations(map(int, errors.index), 2)
    fall, first, then = max(((errors[a] - errors[b], a, b) for a, b in pairs), default=(0.0, 0, 0))
    return (first, then) if fall > 0 else None


def _overfitting(means: Means) -> int | None:
    fall = largest_fall(means)
    return fall[0] if fall and fall[0] > 0 else None


def _recovery(means: Means) -> int | None:
    fall = largest_fall(means)
    return fall[1] if fall else None


def _sweet_spot(means: Means, quantity: str) -> int | None:
    errors = means.get(quantity)
    lowest = _lowest(errors, 1)
    return lowest if lowest is not None and errors is not None and errors[lowest] < errors.get(0, -1) else None


def _best_sweet_spot(means: Means) -> int | None:
    return _sweet_spot(means, BEST_TEST)


def _last_sweet_spot(means: Means) -> int | None:
    return _sweet_spot(means, TEST) if BEST_TEST in means else None


def _underfitting(means: Means) -> int | None:
    sweet = [_best_sweet_spot(means), _last_sweet_spot(means)]
    if None in sweet:
        return None
    errors = [means[TEST], means[BEST_TEST]]
    later = [int(k) for k in errors[0].index if k > max(level or 0 for level in sweet)]
    return next((k for k in later if all(k in e and e[k] > e[0] for e in errors)), None)


RULES: Mapping[str, Callable[[Means], int | None]] = {
    "optimum": _optimum,
    "best smaller": _best_smaller,
    "highest improving": _highest_improving,
    "overfitting": _overfitting,
    "recovery": _recovery,
    "best sweet spot": _best_sweet_spot,
    "last sweet spot": _last_sweet_spot,
    "underfitting": _underfitting,
}
NAMES = tuple(RULES)
CHOSEN_ON_TEST = NAMES[2:]
"""Levels that test errors choose; comparisons of test errors take these by the other replicates."""


def level_quantity(name: str) -> str:
    """Return the quantity that holds a chosen level."""
    if name not in RULES:
        raise unknown("level", name, NAMES)
    return f"{name} (level)"


def choose_level(name: str, errors: Mapping[str, pandas.DataFrame]) -> int | None:
    """Choose a level by its rule.

    Args:
        name: one of `NAMES`.
        errors: seeds × levels of `TEST`, `VALIDATION` and `BEST_TEST`, as far as there are any.

    Returns:
        The level; None where there is no such level.
    """
    if name not in RULES:
        raise unknown("level", name, NAMES)
    # Rounded, because means of the same counts of mistakes may differ in the last bit and must tie.
    whole = {q: e.dropna(axis="columns").mean().round(9) for q, e in errors.items() if len(e)}
    return RULES[name]({q: means for q, means in whole.items() if len(means)})


def chosen_level(table: Table, name: str, **where) -> int | None:
    """Return a chosen level of one algorithm in one case, None where there is no such level.

    Args:
        table: what was measured.
        name: one of `NAMES`.
        **where: algorithm and the paper's dimensions.
    """
    found = values(table, level_quantity(name), **where).stack()
    return None if found.empty else int(found.iloc[0])


def level_by_others(table: Table, name: str, **where) -> pandas.Series:
    """Return for each replicate the level that the other replicates choose.

    Args:
        table, name, **where: see `chosen_level`.

    Returns:
        Level by seed, NaN where the others have no such level; with fewer than two replicates all NaN.
    """
    errors = _errors(table, where)
    seeds = sorted({seed for frame in errors.values() for seed in frame.index})
    found = {
        seed: choose_level(name, {q: frame.drop(index=seed, errors="ignore") for q, frame in errors.items()})
        for seed in seeds
        if len(seeds) > 1
    }
    return pandas.Series(found, index=seeds, dtype="float64")


def with_levels(table: Table) -> Table:
    """Return a table with its chosen levels as quantities: a row per replicate, all of one case with the same level."""
    frame = table.frame[table.frame["quantity"].isin([TEST, VALIDATION, BEST_TEST])]
    case = [*table.dimensions, "algorithm"]
    found = []
    for place, own in frame.groupby(case, sort=False):
        errors = {
            str(q): e.pivot_table(index="seed", columns="level", values="value", dropna=False)
            for q, e in own.groupby("quantity")
        }
        dense = own[own["level"] == own["level"].min()].drop_duplicates("seed")
        for name in NAMES:
            if (level := choose_level(name, errors)) is not None:
                row = dict(zip(case, place, strict=True))
                row |= {"level": 0, "quantity": level_quantity(name), "position": 0.0, "value": float(level)}
                found.append(pandas.DataFrame(dense[["seed", "stage_key", "part"]]).assign(**row))
    others = table.frame[~table.frame["quantity"].isin([level_quantity(name) for name in NAMES])]
    return table.with_frame(pandas.concat([others, *found], ignore_index=True)[list(table.frame.columns)])


def evenly_spaced(last: int, count: int = 5) -> list[int]:
    """Return `count` levels from 1 to the last, as evenly spaced as whole numbers are (TR App. L); all where there are fewer."""
    return sorted({int(level) for level in numpy.floor(numpy.linspace(1, last, min(count, last)) + 0.5)}) if last else []


def levels_of_interest(table: Table, **where) -> list[int]:
    """Return the levels that are measured in detail: dense, optimum, best smaller, highest improving and five evenly spaced.

    Args:
        table: what was measured.
        **where: algorithm and the paper's dimensions.
    """
    chosen = {chosen_level(table, name, **where) for name in ("optimum", "best smaller", "highest improving")}
    last = int(values(table, TEST, **where).columns.max())
    return sorted({0, *evenly_spaced(last), *(level for level in chosen if level is not None)})


def _errors(table: Table, where: Mapping) -> dict[str, pandas.DataFrame]:
    return {quantity: values(table, quantity, **where) for quantity in (TEST, VALIDATION, BEST_TEST)}


def _lowest(means: pandas.Series | None, first: int) -> int | None:
    if means is None or not (means.index >= first).any():
        return None
    return int(means[means.index >= first].idxmin())
