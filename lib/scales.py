"""The scales of the book, from the smallest to the largest; one code path, a scale changes numbers, never the algorithm.

`smoke` is for tests, `laptop` takes minutes on two cores, `short` is what a CPU does overnight in place of `paper`: its data and
networks as far as possible with fewer epochs, levels or replicates. `paper` is the paper's own recipe.
"""

from typing import Literal, get_args

Scale = Literal["smoke", "laptop", "short", "paper"]
SCALES: tuple[str, ...] = get_args(Scale)
SCORED: tuple[str, ...] = SCALES[1:]
"""Scales that count for a claim; `smoke` only shows that the code runs."""
