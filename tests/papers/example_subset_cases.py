"""Cases of TR's claims on dense networks trained on part of the examples; `test_claims` puts them to the tests."""

from papers.training_regularization.cases import (
    DS,
    LRR,
    NOISE_PERCENT,
    RAND,
    RND,
    RND_TENTH,
    TIE,
    TIE_TENTH,
    TW,
)
from tests.analysis.hand_made import chain

LENET, RESNET = "mnist-lenet", "cifar10-resnet20"


def at(noises, **errors) -> dict:
    """Chains with these test errors by level; pruning improves at level 1 and not at level 2."""
    whole = {LRR: (9.0, 8.0, 11.0), **errors}
    return {(name, noise): chain(levels) for name, levels in whole.items() for noise in noises}


CASES = {
    "TR-C24": {
        "benchmark": LENET,
        "reproduced": at([0], **{TIE: (9.0, 10.0, 9.0), RND: (9.0, 9.5, 11.0)}),  # level 2 does not count
        "not reproduced": at([0], **{TIE: (9.0, 9.4, 12.0), RND: (9.0, 9.5, 9.0)}),
    },
    "TR-C25": {
        "benchmark": LENET,
        "reproduced": at([0], **{TIE_TENTH: (9.0, 9.5, 9.0), RND_TENTH: (9.0, 9.5, 11.0)}),
        "not reproduced": at([0], **{TIE_TENTH: (9.0, 9.9, 9.0), RND_TENTH: (9.0, 9.5, 9.0)}),
    },
    "TR-C26": {
        "benchmark": LENET,
        "reproduced": at(NOISE_PERCENT[LENET], **{DS: (9.5, 7.0, 9.0)}),
        "not reproduced": at(NOISE_PERCENT[LENET], **{DS: (9.5, 8.5, 9.0)}),
    },
    "TR-C27": {
        "benchmark": LENET,
        "reproduced": at(NOISE_PERCENT[LENET], **{DS: (7.0, 6.0, 7.5)}),
        "not reproduced": at(NOISE_PERCENT[LENET], **{DS: (7.0, 7.5, 6.0)}),
    },
    "TR-C36": {
        "benchmark": RESNET,
        "reproduced": at([0], **{TW: (9.0, 20.3, 20.0), RAND: (9.0, 20.0, 21.0)}),
        "not reproduced": at([0], **{TW: (9.0, 19.9, 21.0), RAND: (9.0, 20.0, 20.0)}),
    },
}
