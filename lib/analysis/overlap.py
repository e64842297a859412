"""Do two ways to make a network smaller change the same examples? (TR App. I, Table 3)

A and B are the 10 % of the training examples whose loss each of them changes most, up or down, against the dense network:

    J(A, B) = |A ∩ B| / |A ∪ B|

Two random sets of a share s each overlap by s / (2 − s) on average, 0.05 for a tenth.
"""

import math
from collections.abc import Iterator, Sequence

from torch import Tensor

from lib.analysis.chosen_levels import best_smaller_levels, results_frame
from lib.errors import InputError
from lib.stages import Results

MOST_CHANGED = 0.1  # TR App. I
OVERLAP = "overlap_of_most_changed_examples"
"""Name of the quantity; a share between 0 and 1."""


def most_changed(before: Tensor, after: Tensor, share: float = MOST_CHANGED) -> Tensor:
    """Return the indices of the ⌈share · N⌉ examples whose loss changes most, int64; ties go by position.

    Args:
        before, after: losses [N].
        share: inside (0, 1].
    """
    change = (after.double() - before.double()).abs()
    return change.argsort(descending=True, stable=True)[: math.ceil(share * len(change))]


def jaccard(first: Tensor, second: Tensor) -> float:
    """Return |A ∩ B| / |A ∪ B| of two sets of indices.

    Raises:
        InputError: if both are empty.
    """
    a, b = set(first.tolist()), set(second.tolist())
    if not a | b:
        raise InputError("the overlap of two empty sets is not defined; give at least one index")
    return len(a & b) / len(a | b)


def overlap_rows(
    results: Sequence[Results], first: str, second: str, share: float = MOST_CHANGED
) -> Iterator[dict]:
    """Yield the overlap of the examples that two algorithms change most, as rows of a table's quantities.

    Each algorithm is taken at its best smaller network (`lib.analysis.chosen_levels`): the dense network, which
    both are compared with, has changed nothing.

    Args:
        results: finished chains of both, with the dense network as level 0.
        first, second: algorithms; the rows go under the first, at its level.
        share: of the examples that count as changed most.

    Yields:
        A row a replicate, without those in which one of the three networks is missing or diverged.
    """
    best = best_smaller_levels(results_frame(results))
    networks = {
        (one.chain.algorithm, replicate, stage.level): entry
        for one in results
        for replicate, entries in zip(one.replicates, one.entries, strict=True)
        for stage, entry in zip(one.chain.stages, entries, strict=False)
        if stage.level is not None and not entry.record["diverged"]
    }
    for replicate in dict.fromkeys(replicate for one in results for replicate in one.replicates):
        noise = replicate.noise_percent
        levels = [(name, best.get((name, noise), -1)) for name in (first, second)]
        wanted = [(name, replicate, level) for name, level in ((first, 0), *levels)]
        if not all(one in networks for one in wanted):
            continue
        dense, *smaller = (networks[one].tensors("examples")["train_losses"] for one in wanted)
        changed = [most_changed(dense, losses, share) for losses in smaller]
        yield {
            "algorithm": first,
            "noise_percent": noise,
            "seed": replicate.seed,
            "level": levels[0][1],
            "quantity": OVERLAP,
            "position": 0.0,
            "value": round(jaccard(*changed), 5),
            "stage_key": networks[wanted[1]].key,
        }
