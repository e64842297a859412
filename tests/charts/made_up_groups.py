"""Tables with losses of groups, whose changes are known: light pruning helps all groups, more of it harms the hard ones."""

import dataclasses

import pandas as pd

from lib.analysis.example_groups import GROUP_LOSS, GROUP_SCORE
from lib.analysis.schema import QUANTITIES, tidy

from . import made_up

ALGORITHMS = ("learning_rate_rewinding", "extended_dense_training", "width_downscaling")
SHARES = {  # of the dense loss that a level changes: of the ten easy and of the ten hard groups
    "learning_rate_rewinding": {
        0.0: [(-0.5, -0.2), (-0.4, -0.6), (-0.3, 2.0)],
        15.0: [(-0.5, -0.4), (0.5, 1.0), (2.0, 3.0)],
    },
    "extended_dense_training": {noise: [(-0.3, -0.3), (-0.6, -0.6), (-0.9, -0.9)] for noise in (0.0, 15.0)},
    "width_downscaling": {noise: [(0.2, 0.1), (0.6, 0.4), (5.0, 3.0)] for noise in (0.0, 15.0)},
}  # fmt: skip


def dense_loss(group, noise=0.0):
    """From 0.0001 nats for the easiest group to about 0.5, and as much again with noise."""
    return 1e-4 * 1.57 ** (group - 1) * (2 if noise else 1)


def table(scale="paper", names=ALGORITHMS, seeds=(0, 1, 2), **changed):
    """The made-up table with three algorithms and 20 groups; replicates differ by a tenth of the dense loss."""
    made = made_up.table(scale, seeds=seeds, **changed)
    frame = pd.concat([made.frame.assign(algorithm=name) for name in names], ignore_index=True)
    place = {"stage_key": "0a"}
    rows = [
        place
        | {
            "algorithm": name,
            "noise_percent": noise,
            "seed": seed,
            "level": level,
            "quantity": GROUP_LOSS,
            "position": float(group),
            "value": dense_loss(group, noise) * (1 + (share[group > 10] + 0.1 * (i - 1) if level else 0)),
        }
        for name in names
        for noise, levels in SHARES[name].items()
        for i, seed in enumerate(seeds)
        for level, share in enumerate([(0.0, 0.0), *levels])
        for group in range(1, 21)
    ]
    rows += [
        place
        | {
            "algorithm": names[0],
            "noise_percent": noise,
            "seed": seed,
            "level": 0,
            "quantity": GROUP_SCORE,
            "position": float(group),
            "value": 0.05 * group,
        }
        for noise in (0.0, 15.0)
        for seed in seeds
        for group in range(1, 21)
    ]
    return dataclasses.replace(
        made,
        frame=frame,
        quantities=tidy(rows, QUANTITIES),
        provenance=made.provenance.model_copy(update={"page": "better_training"}),
    )
