"""Cases of TR's claims on size reduction; `test_claims` puts them to the tests.

A level may also hold `groups`, its losses by EL2N group, and `overlap`: they become the table's quantities.
"""

from collections.abc import Mapping, Sequence

from lib.analysis.example_groups import GROUP_LOSS
from lib.analysis.overlap import OVERLAP
from lib.analysis.schema import QUANTITIES, tidy
from lib.analysis.tables import Table
from papers.training_regularization.cases import NOISE_PERCENT
from tests.analysis.hand_made import chain, make

LRR, EDT, WD = "learning_rate_rewinding", "extended_dense_training", "width_downscaling"
ONE_SHOT, LONGER_WD = "one_shot", "longer_width_downscaling"
LENET, RESNET, VGG = "mnist-lenet", "cifar10-resnet20", "cifar10-vgg16"
LENET_NOISES = (0, *NOISE_PERCENT[LENET])


def make_with_quantities(chains: Mapping[tuple[str, float], Sequence[Mapping]], *given, **more) -> Table:
    """Make a table as `make` does, with the quantities of its levels."""
    bare = {
        key: [
            {name: value for name, value in one.items() if name not in ("groups", "overlap")}
            for one in levels
        ]
        for key, levels in chains.items()
    }
    table = make(bare, *given, **more)
    rows = [
        {
            "algorithm": algorithm,
            "noise_percent": float(noise),
            "seed": seed,
            "level": level,
            "quantity": quantity,
            "position": float(position),
            "value": value + 0.001 * seed * level,
            "stage_key": "ab",
        }
        for (algorithm, noise), levels in chains.items()
        for seed in table.provenance.seeds
        for level, one in enumerate(levels)
        for quantity, values in ((GROUP_LOSS, one.get("groups", ())), (OVERLAP, one.get("overlap", ())))
        for position, value in enumerate(values)
    ]
    return Table(table.frame, table.provenance, table.origin, tidy(rows, QUANTITIES))


def both(noises, **at_optimum) -> dict:
    """One-shot pruning and longer width down-scaling, dense 9 % error, then 6 %, then 8 %; the middle holds more."""
    dense, best, last = chain([9.0, 6.0, 8.0])
    if "groups" in at_optimum:
        dense = dense | {"groups": [0.1] * len(at_optimum["groups"])}
    levels = {ONE_SHOT: [dense, best | at_optimum, last]}
    at_optimum.pop("overlap", None)  # of the two, and stands under the first
    levels[LONGER_WD] = [dense, best | at_optimum, last]
    return {(name, noise): levels[name] for name in levels for noise in noises}


def apart(noises, **errors) -> dict:
    """Algorithms that share a dense network of 9 % error, each with its own optimum."""
    return {(name, noise): chain([9.0, best]) for name, best in errors.items() for noise in noises}


def curves(noises, *errors) -> dict:
    """Both equalized algorithms with the same errors by level."""
    return {(name, noise): chain(errors) for name in (ONE_SHOT, LONGER_WD) for noise in noises}


RISING, FALLING = (0.2, 0.3, 0.5, 1.5), (1.5, 0.5, 0.3, 0.2)

CASES = {
    "TR-C20": {
        "benchmark": RESNET,
        "reproduced": apart([0], **{WD: 8.0, LRR: 7.0}),
        "not reproduced": apart([0], **{WD: 7.0, LRR: 7.0}),
    },
    "TR-C21": {
        "benchmark": VGG,
        "reproduced": apart((30, 60), **{WD: 7.0, LRR: 6.0}),
        "not reproduced": apart((30, 60), **{WD: 9.0, LRR: 6.0}),
    },
    "TR-C22": {
        "benchmark": RESNET,
        "reproduced": apart(NOISE_PERCENT[RESNET], **{WD: 7.5, LRR: 6.0}),
        "not reproduced": apart(NOISE_PERCENT[RESNET], **{WD: 8.5, LRR: 6.0}),
    },
    "TR-C23": {
        "benchmark": LENET,
        "reproduced": apart((0, 10, 15), **{EDT: 8.0, WD: 7.0, LRR: 6.0}),
        "not reproduced": apart((0, 10, 15), **{EDT: 6.0, WD: 7.0, LRR: 6.0}),
    },
    "TR-C28": {
        "benchmark": LENET,
        "reproduced": curves(NOISE_PERCENT[LENET], 9.0, 6.0, 8.0),
        "not reproduced": curves(NOISE_PERCENT[LENET], 9.0, 8.0, 6.0),
    },
    "TR-C29": {
        "benchmark": LENET,
        "make": make_with_quantities,
        "reproduced": both(NOISE_PERCENT[LENET], groups=RISING),
        "not reproduced": both(NOISE_PERCENT[LENET], groups=FALLING),
    },
    "TR-C30": {
        "benchmark": LENET,
        "make": make_with_quantities,
        "reproduced": both(LENET_NOISES, overlap=[0.3]),
        "not reproduced": both(LENET_NOISES, overlap=[0.1]),
    },
}
