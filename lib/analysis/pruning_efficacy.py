"""How far a network can be made smaller before it no longer fits its training labels (LN section 4, Observations 2 and 3).

    pruning efficacy           the largest sparsity whose mean training error is at most τ above that of the dense network
    interpolation threshold    the largest sparsity whose mean training error is at most τ

with τ = 1 percentage point. The paper says "without hurting" and draws curves; it gives no number. Zero would let a few
stray examples of the last epoch decide. And 20 % noise over ten classes gives about 18 % of wrong labels: a network within
one point still has at least seventeen eighteenths of them by heart.
"""

import pandas

from lib.analysis.table import Table, values

TOLERANCE = 1.0  # percentage points
ROUNDING = 1e-6  # of them; means of the same counts of mistakes may differ in the last bit and must tie


def efficacy_level(table: Table, **where) -> int | None:
    """Return the sparsest level of a case that loses no training accuracy; None where dense was not measured."""
    errors = _training_errors(table, where)
    return _last(errors <= errors[0] + TOLERANCE + ROUNDING) if 0 in errors else None


def interpolation_level(table: Table, **where) -> int | None:
    """Return the smallest network of a case, pruned or narrow, that still fits its training labels; None where none does."""
    return _last(_training_errors(table, where) <= TOLERANCE + ROUNDING)


def _training_errors(table: Table, where: dict) -> pandas.Series:
    """Return the mean training error in percent by level, at the levels that every replicate has."""
    return values(table, "training error (%)", **where).dropna(axis="columns").mean()


def _last(fits: pandas.Series) -> int | None:
    return max((int(level) for level, fit in fits.items() if fit), default=None)  # pyright: ignore[reportArgumentType]
