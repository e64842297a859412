"""Levels that mean something, each chosen by one rule and kept in the table as a quantity.

    optimum             the lowest mean validation error; ties go to the lower level          TR section 2
    best smaller        the same among the levels k ≥ 1                                       TR App. I
    highest improving   the last level whose mean test error is below the dense network's     TR section 3
    overfitting         where the mean last test error begins its largest fall                LN section 3.2, facts B.7
    recovery            where that fall ends
    best sweet spot     the lowest mean best test error, if it is below the dense network's   LN section 3.2
    last sweet spot     the lowest mean last test error, if it is below the dense network's   LN section 3.2
    underfitting        beyond both sweet spots: best and last test error above dense         LN section 3.2

The best test error is the lowest of any epoch. The first two read validation images, the others test images, as the papers
do. Whoever compares test errors at a level that test errors chose would find a difference by chance: `level_by_others`
chooses the level of each replicate from the other replicates. Only levels that every replicate has compete. Of levels that
validate alike the lower has more weights; where all have the same number, as in longer training, nothing decides between
them (`equal_levels`). `**where` names one case of a table: algorithm and the paper's dimensions.
"""

import itertools
from collections.abc import Mapping
from typing import cast

import pandas

from lib.analysis.table import SIZE, Table, values
from lib.errors import unknown

TEST, VALIDATION, BEST_TEST = "test error (%)", "validation error (%)", "best test error (%)"
NAMES = (
    "optimum", "best smaller", "highest improving", "overfitting", "recovery", "best sweet spot", "last sweet spot",
    "underfitting",
)  # fmt: skip
CHOSEN_ON_TEST = NAMES[2:]
"""Levels that test errors choose; comparisons of test errors take these by the other replicates."""

DESCENT = NAMES[3:]
"""Levels that tell the story of a network under label noise."""


def choose_levels(errors: Mapping[str, pandas.DataFrame]) -> dict[str, int]:
    """Choose levels by the rules above, level by name, those that there are.

    Args:
        errors: seeds × levels of `TEST`, `VALIDATION` and `BEST_TEST`, as far as there are any.
    """
    whole = {quantity: frame.dropna(axis="columns") for quantity, frame in errors.items() if len(frame)}
    # Rounded, because means of the same counts of mistakes may differ in the last bit and must tie.
    means = {quantity: frame.mean().round(9).to_dict() for quantity, frame in whole.items()}
    test, validation, best = (means.get(quantity, {}) for quantity in (TEST, VALIDATION, BEST_TEST))
    found = {"optimum": _lowest(validation, 0), "best smaller": _lowest(validation, 1)}
    found["highest improving"] = max(_below_dense(test), default=None)
    if fall := largest_fall(test):
        found |= {"overfitting": fall[0] or None, "recovery": fall[1]}
    if best:
        found |= {"best sweet spot": _sweet_spot(best), "last sweet spot": _sweet_spot(test)}
        sweet = [found["best sweet spot"], found["last sweet spot"]]
        if None not in sweet:
            beyond = sorted(k for k in test.keys() & best.keys() if k > max(cast(list[int], sweet)))
            above = (k for k in beyond if test[k] > test[0] and best[k] > best[0])
            found["underfitting"] = next(above, None)
    return {name: level for name, level in found.items() if level is not None}


def largest_fall(errors: Mapping[int, float]) -> tuple[int, int] | None:
    """Return the two levels between which errors by level fall most, of equal falls the last; None where they never fall."""
    pairs = itertools.combinations(sorted(errors), 2)
    fall, first, then = max(((errors[a] - errors[b], a, b) for a, b in pairs), default=(0.0, 0, 0))
    return (first, then) if fall > 0 else None


def _lowest(errors: Mapping[int, float], first: int) -> int | None:
    return min((level for level in sorted(errors) if level >= first), key=errors.__getitem__, default=None)


def _below_dense(errors: Mapping[int, float]) -> list[int]:
    return [level for level in errors if 0 in errors and errors[level] < errors[0]]


def _sweet_spot(errors: Mapping[int, float]) -> int | None:
    lowest = _lowest(errors, 1)
    return lowest if lowest in _below_dense(errors) else None


def level_quantity(name: str) -> str:
    """Return the quantity that holds a chosen level."""
    if name not in NAMES:
        raise unknown("level", name, NAMES)
    return f"{name} (level)"


def chosen_level(table: Table, name: str, **where) -> int | None:
    """Return a chosen level, one of `NAMES`, of one case; None where there is no such level."""
    found = values(table, level_quantity(name), **where).to_numpy()
    return int(found.flat[0]) if found.size else None


def equal_levels(table: Table, name: str, **where) -> list[int]:
    """Return the other levels that validate as well as one that validation chose, "optimum" or "best smaller", and have as
    many weights."""
    chosen = chosen_level(table, name, **where)
    if chosen is None or name in CHOSEN_ON_TEST:
        return []
    errors, sizes = (
        values(table, quantity, **where).dropna(axis="columns").mean().round(9).to_dict()
        for quantity in (VALIDATION, SIZE)
    )
    both = sorted(errors.keys() & sizes.keys())
    if chosen not in both:
        return []
    return [int(k) for k in both if k > chosen and (errors[k], sizes[k]) == (errors[chosen], sizes[chosen])]


def level_by_others(table: Table, name: str, **where) -> pandas.Series:
    """Return for each seed the level that the other replicates choose, one of `NAMES`; NaN where they have or are none."""
    level_quantity(name)  # refuses an unknown name
    errors = {quantity: values(table, quantity, **where) for quantity in (TEST, VALIDATION, BEST_TEST)}
    seeds, found = sorted({seed for frame in errors.values() for seed in frame.index}), {}
    for seed in seeds if len(seeds) > 1 else []:
        others = {quantity: frame.drop(index=seed, errors="ignore") for quantity, frame in errors.items()}
        found[seed] = choose_levels(others).get(name)
    return pandas.Series(found, index=seeds, dtype="float64")


def with_levels(table: Table) -> Table:
    """Return a table with its chosen levels as quantities: a row per replicate, all of one case with the same level."""
    frame = pandas.DataFrame(table.frame[table.frame["quantity"].isin([TEST, VALIDATION, BEST_TEST])])
    found: list[dict] = []
    for _, own in frame.groupby([*table.dimensions, "algorithm"], sort=False):
        pieces = pandas.DataFrame(own).groupby("quantity")
        errors = {str(q): one.pivot(index="seed", columns="level", values="value") for q, one in pieces}
        first = pandas.DataFrame(own[own["level"] == own["level"].min()]).drop_duplicates(subset="seed")
        networks = first.assign(level=0, position=0.0).to_dict("records")
        for name, level in choose_levels(errors).items():
            chosen = {"quantity": level_quantity(name), "value": float(level)}
            found += [network | chosen for network in networks]
    others = table.frame.loc[~table.frame["quantity"].isin([level_quantity(name) for name in NAMES])]
    added = pandas.DataFrame(found, columns=others.columns).astype(others.dtypes)
    return table.with_frame(pandas.concat([others, added], ignore_index=True))


def evenly_spaced(last: int, count: int = 5) -> list[int]:
    """Return `count` levels from 1 to the last, as even as whole numbers are (TR App. L); all where there are fewer."""
    if last <= count:
        return list(range(1, last + 1))
    gaps = count - 1
    return [1 + (2 * i * (last - 1) + gaps) // (2 * gaps) for i in range(count)]


def levels_of_interest(table: Table, **where) -> list[int]:
    """Return the levels measured in detail: dense, optimum, best smaller, highest improving and five evenly spaced."""
    chosen = {chosen_level(table, name, **where) for name in ("optimum", "best smaller", "highest improving")}
    last = max(values(table, TEST, **where).columns.tolist(), default=0)
    return sorted({0, *evenly_spaced(last), *(level for level in chosen if level is not None)})


def descent_levels(table: Table, **where) -> list[int]:
    """Return the levels that LN looks at closely: dense, and those of `DESCENT` that there are, each once, ascending."""
    chosen = (chosen_level(table, name, **where) for name in DESCENT)
    return sorted({0, *(level for level in chosen if level is not None)})
