"""Cases of the claim on the examples themselves (TR-C35): tables with made-up rankings."""

import dataclasses

from lib.analysis.ranked_examples import NOISY, SCORE
from lib.analysis.ranking import CATEGORIES
from lib.analysis.schema import QUANTITIES, tidy
from tests.analysis.hand_made import LRR, chain, make

LEAST = 0.5  # mean EL2N of the least affected examples


def ranked(chains, benchmark="mnist-lenet", seeds=(0, 1, 2), categories=CATEGORIES, **more):
    """A table whose ranking follows from the test error of level 1: a tenth of it is the mean EL2N of the changed
    examples without noise, ten times it the share of noisy labels in percent."""

    def row(noise, seed, quantity, value):
        named = {"algorithm": LRR, "noise_percent": float(noise), "seed": seed, "level": 1, "stage_key": "1a"}
        return named | {"quantity": quantity, "position": 0.0, "value": value}

    found = []
    for (algorithm, noise), levels in chains.items():
        if algorithm != LRR or len(levels) < 2:
            continue
        error = levels[1]["test"]
        for name in categories:
            if noise == 0:
                value = LEAST if name == "least_affected" else error / 10
                found.append(row(0, seeds[0], f"{name}_{SCORE}", value))
            else:
                found += [row(noise, seed, f"{name}_{NOISY}", 10 * error) for seed in seeds]
    table = make(chains, benchmark, seeds=seeds, **more)
    return dataclasses.replace(table, quantities=tidy(found, QUANTITIES))


def errors(clean: float, noisy: float):
    return {(LRR, noise): chain([9.0, noisy if noise else clean]) for noise in (0.0, 5.0, 10.0, 15.0)}


CASES = {
    "TR-C35": {
        "benchmark": "mnist-lenet",
        "make": ranked,
        "reproduced": errors(9.0, 8.0),
        "not reproduced": errors(9.0, 1.2),
    },
}
