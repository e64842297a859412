"""Label noise: exactly ceil(p N / 100) of N training examples get a random label.

    other   y' = (y + u) mod C,  u ~ U{1, ..., C-1}    TR section 4: always a wrong label
    any     y' ~ U{0, ..., C-1}                        LN section 3.1: the true one with probability 1/C

Examples are chosen without replacement. Validation and test labels are never touched.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from lib.errors import InputError, unknown

NOISE_KINDS = ("other", "any")


@dataclass(frozen=True, eq=False)
class NoisyLabels:
    """Labels [N] after noise, and which of them were drawn, bool [N]; under "any" some of those are the true ones."""

    labels: Tensor
    noisy: Tensor


def noisy_count(count: int, percent: float) -> int:
    """Return ceil(percent/100 * count), exact for the percentage to nine decimals: 15 % of 58,000 are 8,700, never 8,701."""
    if isinstance(percent, bool) or not math.isfinite(percent) or not 0 <= percent <= 100:
        raise InputError(f"percent of noisy labels is {percent!r}; allowed: a number from 0 to 100.")
    return math.ceil(Fraction(str(round(float(percent), 9))) * count / 100)


def add_label_noise(labels: Tensor, percent: float, kind: str, classes: int, generator: torch.Generator) -> NoisyLabels:
    """Give a random label to an exact share of the examples.

    With equally seeded generators, the noisy examples at 5 % are among those at 10 %, with the same labels.

    Args:
        labels: [N] class numbers, uint8 or int64, on the CPU; not modified.
        percent: of the examples, 0 to 100; the count is rounded up.
        kind: "other" or "any".
        classes: how many there are, C.
        generator: CPU generator of this replicate's label noise.

    Raises:
        InputError: `kind` is unknown, `percent` is outside [0, 100], or `labels` and `classes` do not fit.
    """
    if kind not in NOISE_KINDS:
        raise unknown("kind of label noise", kind, NOISE_KINDS)
    if classes < 2:
        raise InputError(f"label noise among {classes} classes; allowed: at least 2 classes.")
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise InputError(f"labels go from {labels.min()} to {labels.max()}; allowed: 0 to {classes - 1}.")
    count = noisy_count(len(labels), percent)
    order = torch.randperm(len(labels), generator=generator)
    if kind == "other":
        shift = torch.randint(1, classes, labels.shape, generator=generator)
        new = (labels.long() + shift) % classes
    else:
        new = torch.randint(0, classes, labels.shape, generator=generator)
    noisy = torch.zeros(len(labels), dtype=torch.bool)
    noisy[order[:count]] = True
    return NoisyLabels(torch.where(noisy, new.to(labels.dtype), labels), noisy)
