"""Tables as LN's pages measure them: no validation examples, three scores, best errors and losses of pruning steps."""

import dataclasses
import math

from lib.analysis.epoch_errors import BEST
from lib.analysis.loss_change import FIRST_ORDER, LOSS_CHANGE
from lib.analysis.schema import QUANTITIES, tidy

from . import made_up

SCORES = ("weight_rewinding", "weight_rewinding_gradient", "weight_rewinding_random")
LAST = {  # by noise in percent: mean test error in percent after the last epoch, per level
    20.0: [15.0, 16.0, 20.0, 26.0, 18.0, 8.0, 14.0, 45.0],
    40.0: [30.0, 33.0, 41.0, 35.0, 20.0, 12.0, 10.0, 50.0],
}
TRAIN = [0.0, 0.0, 0.2, 3.0, 12.0, 18.0, 25.0, 52.0]
KEPT = 0.4  # of the weights, at each level
SPREAD = (-0.3, 0.0, 0.3)  # of three replicates: sample standard deviation 0.3


def table(scale="paper", names=SCORES, noises=tuple(LAST), seeds=(0, 1, 2), levels=8, **changed):
    """Three scores whose curves are shifted by a point each; the best test error is two thirds of the last one."""
    made = made_up.table(scale, seeds=seeds, page="double_descent", **changed)
    rows, quantities = [], []
    for order, name in enumerate(names):
        for noise in noises:
            for seed, spread in zip(seeds, SPREAD, strict=False):
                for level in range(levels):
                    at = {
                        "algorithm": name,
                        "noise_percent": noise,
                        "seed": seed,
                        "level": level,
                        "stage_key": "0a",
                    }
                    last = LAST[noise][level] + spread + order * (level > 0)
                    train = TRAIN[level] + 4.0 * order * (level > 0)
                    for subset, error in {"test": last, "train": train}.items():
                        rows.append(
                            at
                            | {
                                "benchmark": "mnist-lenet", "scale": scale, "subset": subset, "examples": 1000,
                                "weights_remaining_percent": 100 * KEPT**level, "epochs_trained": 200 * (level + 1),
                                "error_percent": error, "cross_entropy_nats": 0.1, "diverged": False,
                            }
                        )  # fmt: skip
                    values = {BEST: last * 2 / 3}
                    if level:
                        change = math.log1p(level) / (3 - order) * (1 + 0.1 * (seed - 1))
                        values |= {LOSS_CHANGE: change, FIRST_ORDER: change / 5}
                    quantities += [
                        at | {"quantity": quantity, "position": 0.0, "value": value}
                        for quantity, value in values.items()
                    ]
    return dataclasses.replace(made, frame=tidy(rows), quantities=tidy(quantities, QUANTITIES))
