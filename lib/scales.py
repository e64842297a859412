"""Scales: how much of a paper's experiment is run. A scale changes numbers, never the algorithm.

    smoke    tests: seconds a page; a few hundred real or generated images
    laptop   the default: two CPU cores, minutes a page, real data
    short    a night on two cores in place of `paper`: its data and networks, fewer epochs, levels or replicates
    paper    the paper's own recipe

Neither this module nor what it imports loads torch.
"""

from typing import Literal, get_args

from lib.errors import unknown

Scale = Literal["smoke", "laptop", "short", "paper"]
SCALES: tuple[str, ...] = get_args(Scale)
"""From the smallest to the largest."""
SCORED: tuple[str, ...] = SCALES[1:]
"""Scales that count for a claim; `smoke` only shows that the code runs."""


def check_scale(scale: str) -> None:
    """Raise InputError unless the scale is one of `SCALES`."""
    if scale not in SCALES:
        raise unknown("scale", scale, SCALES)
