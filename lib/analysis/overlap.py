"""Do two ways to make a network smaller change the same examples? (TR App. I, Table 3)

A and B are the 10 % of the training examples whose loss each of them changes most, up or down, against the dense network:

    J(A, B) = |A ∩ B| / |A ∪ B|

Two random sets of a share s each overlap by s / (2 − s) on average, 0.05 for a tenth. Each algorithm is taken at its best
smaller network (`lib.analysis.levels`): the dense network, which both are compared with, has changed nothing.
"""

import functools
import math
from collections.abc import Iterator

from torch import Tensor

from lib.analysis.experiments import ALL, Context, Measurement, case_of, reported
from lib.analysis.levels import chosen_level
from lib.errors import InputError

MOST_CHANGED = 0.1  # TR App. I
OVERLAP = "overlap of most changed examples"
"""Name of the quantity; a share between 0 and 1."""


def overlap(first: str, second: str) -> Measurement:
    """Return the measurement of two algorithms' overlap; its rows go under the first, at its level."""
    rows = functools.partial(_rows, first=first, second=second)
    return Measurement("overlap", rows, 1, {"share": MOST_CHANGED}, needs=ALL, algorithms=(first, second))


def _rows(context: Context, first: str, second: str) -> Iterator[dict]:
    networks = {
        (columns["algorithm"], replicate, columns["level"]): (columns, entry)
        for results in context.of(first, second)
        for columns, replicate, _, entry in reported(results)
    }
    for replicate in context.results[0].replicates:
        asked: list[tuple] = [(first, replicate, 0)]
        case = case_of(replicate)
        for name in (first, second):
            level = chosen_level(context.table, "best smaller", algorithm=name, **case)
            asked.append((name, replicate, level))
        if all(one in networks for one in asked):
            dense, *smaller = (networks[one][1].tensors("examples")["train_losses"] for one in asked)
            share = jaccard(*(most_changed(dense, losses) for losses in smaller))
            yield networks[asked[1]][0] | {"quantity": OVERLAP, "value": round(share, 5)}


def most_changed(before: Tensor, after: Tensor, share: float = MOST_CHANGED) -> Tensor:
    """Return the indices of the ⌈share · N⌉ examples whose loss, [N], changes most; ties go by position."""
    change = (after.double() - before.double()).abs()
    return change.argsort(descending=True, stable=True)[: math.ceil(share * len(change))]


def jaccard(first: Tensor, second: Tensor) -> float:
    """Return |A ∩ B| / |A ∪ B| of two sets of indices; InputError if both are empty."""
    a, b = set(first.tolist()), set(second.tolist())
    if not a | b:
        raise InputError("the overlap of two empty sets is not defined; give at least one index")
    return len(a & b) / len(a | b)
