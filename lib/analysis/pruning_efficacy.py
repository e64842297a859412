"""How far a network can be made smaller before it no longer fits its training labels (LN section 4, Observations 2 and 3).

    pruning efficacy           the largest sparsity whose mean training error is at most τ above that of the dense network
    interpolation threshold    the largest sparsity whose mean training error is at most τ

with τ = 1 percentage point. The paper says "without hurting" and draws curves; it gives no number. Zero would let a few
stray examples of the last epoch decide. And 20 % noise over ten classes gives about 18 % of wrong labels: a network within
one point still has at least seventeen eighteenths of them by heart.
"""

import pandas

from lib.analysis.statistics import select

TOLERANCE_PERCENT = 1.0


def mean_by_level(
    frame: pandas.DataFrame, algorithm: str, noise_percent: float, subset: str, value: str = "error_percent"
) -> dict[int, float]:
    """Return a mean over replicates by level, ascending, at the levels that every replicate has.

    Args:
        frame: a tidy table.
        algorithm, noise_percent, subset: which rows.
        value: which column.
    """
    values = select(frame, algorithm, noise_percent, subset, value).dropna(axis="columns")
    # Rounded, because means of the same counts of mistakes may differ in the last bit and must tie.
    means = values.to_numpy().mean(axis=0).round(9).tolist() if len(values) else []
    return {int(level): mean for level, mean in zip(values.columns.tolist(), means, strict=False)}


def efficacy_level(frame: pandas.DataFrame, algorithm: str, noise_percent: float) -> int | None:
    """Return the sparsest level that loses no training accuracy; None where the dense network was not measured.

    Args:
        frame: a tidy table.
        algorithm, noise_percent: which chain.
    """
    errors = mean_by_level(frame, algorithm, noise_percent, "train")
    return _sparsest(errors, errors[0] + TOLERANCE_PERCENT) if 0 in errors else None


def interpolation_level(frame: pandas.DataFrame, algorithm: str, noise_percent: float) -> int | None:
    """Return the smallest network that still fits its training labels; None where not even the dense one does.

    Args:
        frame: a tidy table.
        algorithm, noise_percent: which chain, or family of networks of falling width.
    """
    return _sparsest(mean_by_level(frame, algorithm, noise_percent, "train"), TOLERANCE_PERCENT)


def _sparsest(errors: dict[int, float], highest: float) -> int | None:
    return max((level for level, error in errors.items() if error <= highest), default=None)
