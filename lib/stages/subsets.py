"""Which training examples a stage sees, when earlier stages choose them (TR App. D, E and K.2).

With ℓ the loss of an example at the judge and ℓ₀ at the reference, the most improved examples have the largest ℓ₀ − ℓ,
the most worsened the largest ℓ − ℓ₀. Rules that are compared differ in nothing else: they draw from the same generator.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lib.errors import InputError
from lib.stages.entry import Entry, unpack
from lib.stages.stage import Subset
from lib.training import Replicate


def chosen_examples(subset: Subset, done: Sequence[Entry], replicate: Replicate, count: int) -> Tensor:
    """Return which of its `count` training examples one replicate trains on, by the stages that are done."""
    judge, reference = (done[stage].tensors("examples") for stage in (subset.judge, subset.reference))
    generator = replicate.generator("subset", subset.judge)  # alike for all rules and stages with this judge
    correct = unpack(judge["train_correct"], (count,))
    return choose(subset, reference["train_losses"], judge["train_losses"], correct, generator)


def choose(subset: Subset, before: Tensor, after: Tensor, correct: Tensor, generator: torch.Generator) -> Tensor:
    """Return the indices of the examples to train on, in increasing order, int64 [n].

    Args:
        subset: the rule and its shares.
        before: loss of each of the N training examples at the reference, [N].
        after: the same at the judge, [N].
        correct: whether the judge classifies each example as it is labelled, bool [N].
        generator: of the random choices.

    Raises:
        InputError: if nothing is left to train on.
    """
    count = len(after)
    if subset.rule == "correct":
        chosen = correct.nonzero()[:, 0]
    else:
        order = torch.randperm(count, generator=generator)
        improvement = before.double() - after.double()
        some = math.ceil(subset.share * count)
        if subset.rule == "without_improved":
            chosen = improvement.argsort(descending=True, stable=True)[some:]
        elif subset.rule == "without_random":
            chosen = order[some:]
        else:
            added = math.ceil(subset.added * count)
            worsened = improvement.argsort(stable=True)[:added]
            common = order[~torch.isin(order, worsened)][: some - added]
            others = order[~torch.isin(order, common)][:added]
            chosen = torch.cat([common, worsened if subset.rule == "with_worsened" else others])
    if not len(chosen):
        raise InputError(f"{subset.rule!r} leaves none of {count} training examples; allowed: 1 or more")
    return chosen.sort().values
