"""Short names of TR's algorithms, as it abbreviates them itself, and of the quantities that its figures and claims read."""

from lib.analysis.example_groups import GROUP_LOSS, GROUP_SCORE
from lib.analysis.levels import TEST, VALIDATION
from lib.analysis.overlap import OVERLAP
from lib.analysis.ranked_examples import CATEGORIES, INDEX, quantity
from lib.stages.algorithms import (
    CORRECT_EXAMPLES_ONLY,
    EXTENDED_DENSE_TRAINING,
    LEARNING_RATE_REWINDING,
    LONGER_WIDTH_DOWNSCALING,
    ONE_SHOT,
    WEIGHT_REWINDING,
    WIDTH_DOWNSCALING,
    WITH_RANDOM_EXAMPLES,
    WITH_WORSENED_EXAMPLES,
    WITHOUT_IMPROVED_EXAMPLES,
    WITHOUT_RANDOM_EXAMPLES,
    with_score,
    with_share,
)

LRR, WR, EDT = LEARNING_RATE_REWINDING, WEIGHT_REWINDING, EXTENDED_DENSE_TRAINING
RANDOM, SNIP, SYNFLOW = (with_score(LRR, score) for score in ("random", "snip", "synflow"))
WD, LONGER_WD = WIDTH_DOWNSCALING, LONGER_WIDTH_DOWNSCALING
TIE, RND = WITHOUT_IMPROVED_EXAMPLES, WITHOUT_RANDOM_EXAMPLES
TIE_TENTH, RND_TENTH = with_share(TIE, 0.1), with_share(RND, 0.1)
TW, RAND = WITH_WORSENED_EXAMPLES, WITH_RANDOM_EXAMPLES
DS = CORRECT_EXAMPLES_ONLY
__all__ = [
    "DS", "EDT", "LONGER_WD", "LRR", "ONE_SHOT", "RAND", "RANDOM", "RND", "RND_TENTH", "SNIP", "SYNFLOW", "TIE", "TIE_TENTH",
    "TW", "WD", "WR",
    "GROUP_LOSS", "GROUP_SCORE", "NOISY_LOSS", "ORIGINAL_LOSS", "OVERLAP", "RANKED", "TEST", "TRAIN_LOSS", "VALIDATION",
]  # fmt: skip

TRAIN_LOSS = "training loss (nats)"
NOISY_LOSS, ORIGINAL_LOSS = "noisy training loss (nats)", "original training loss (nats)"
RANKED = quantity(CATEGORIES[0], INDEX)
