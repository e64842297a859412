"""Which training examples does pruning worsen most, improve most, and affect least? (TR App. K.1, facts J23)

With ℓ(x) the loss of example x in the dense network, ℓₖ(x) at level k, both averaged over runs, the examples are ranked by

    g(x) = (∏ₖ max(cₖ(x), floor))^(1/K),    cₖ = ℓₖ − ℓ,  ℓ − ℓₖ  or  |ℓₖ − ℓ|

over the K levels of a category (`levels_of_categories`). The geometric mean asks for a change at every level: one level at
which an example does not change that way costs it dearly. It needs positive numbers, hence the floor.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from lib.errors import InputError, unknown

CATEGORIES = ("most worsened", "most improved", "least affected")
FLOOR = 1e-5  # nats; TR App. K.1, footnotes 8 and 9
WORSE_BY = 2.0  # points of test error; TR App. K.1
SHOWN = 20  # examples of each category; TR Fig. 16


def levels_of_categories(
    test_errors: Mapping[int, float], train_losses: Mapping[int, float], worse_by: float = WORSE_BY
) -> dict[str, list[int]]:
    """Return the levels at which each category is ranked, by the rules of TR App. K.1; level 0 is never among them.

    Args:
        test_errors: in percent, by level; level 0 is the dense network.
        train_losses: mean over the training examples in nats, by level.
        worse_by: how many points worse than the dense network generalization may be and still count as preserved.

    Returns:
        By category, ascending levels, maybe none. Most worsened: a higher training loss and a lower test error than the
        dense network; where no level has both, a higher training loss and a test error at most `worse_by` points higher.
        Most improved: both lower. Least affected: a test error at most `worse_by` points higher.

    Raises:
        InputError: the dense network is not there.
    """
    if 0 not in test_errors or 0 not in train_losses:
        raise InputError("the levels are compared with the dense network: level 0 must be given")
    levels = sorted((set(test_errors) & set(train_losses)) - {0})
    lower_error = {k for k in levels if test_errors[k] < test_errors[0]}
    # Rounded, because errors are counts of mistakes and a difference of exactly two points must pass.
    preserved = {k for k in levels if round(test_errors[k] - test_errors[0], 9) <= worse_by}
    higher_loss = {k for k in levels if train_losses[k] > train_losses[0]}
    lower_loss = {k for k in levels if train_losses[k] < train_losses[0]}
    return {
        "most worsened": sorted(higher_loss & lower_error or higher_loss & preserved),
        "most improved": sorted(lower_loss & lower_error),
        "least affected": sorted(preserved),
    }


def geometric_means(changes: Tensor, floor: float = FLOOR) -> Tensor:
    """Return the geometric mean over levels of every example's change, float64 [N].

    Args:
        changes: [K, N], in nats.
        floor: stands for every change below it, above zero.

    Raises:
        InputError: there is no level, or the floor is not positive.
    """
    if not len(changes):
        raise InputError("a mean over no levels is not defined; give at least one")
    if floor <= 0:
        raise InputError(
            f"floor={floor} must be above 0, since a geometric mean of zeros tells nothing apart"
        )
    return changes.double().clamp_min(floor).log().mean(0).exp()


def ranked(
    category: str, before: Tensor, after: Tensor, count: int = SHOWN, floor: float = FLOOR
) -> tuple[Tensor, Tensor]:
    """Return the first examples of a category and their mean change.

    Args:
        category: one of `CATEGORIES`.
        before: loss of each example in the dense network, averaged over runs, [N].
        after: the same at each level of the category, [K, N].
        count: how many examples; all where there are fewer.
        floor: see `geometric_means`.

    Returns:
        Indices, int64 [count], the most worsened, most improved or least affected first, ties by position; and their
        geometric mean changes in nats, float64 [count].

    Raises:
        InputError: an unknown category, no level, or a floor that is not positive.
    """
    if category not in CATEGORIES:
        raise unknown("category", category, CATEGORIES)
    rise = after.double() - before.double()
    changes = {"most worsened": rise, "most improved": -rise, "least affected": rise.abs()}[category]
    means = geometric_means(changes, floor)
    order = means.argsort(descending=category != "least affected", stable=True)[:count]
    return order, means[order]


def majority(predictions: Tensor) -> Tensor:
    """Return what most of M networks predict for each of N examples, int64 [N] of [M, N]; ties go to the lower class."""
    classes = torch.nn.functional.one_hot(predictions).sum(0)
    return classes.argmax(-1)
