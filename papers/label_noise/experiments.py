"""What the pages of LN run and measure; `PAGES` has them by name of their file.

A page is a list of chains (`lib.stages.algorithms`), what is measured of them besides errors, and the claims it decides.
LN calls weight rewinding lottery-ticket rewinding.
"""

from lib.analysis.distance import DISTANCE, DISTANCES
from lib.analysis.epoch_curves import errors_by_epoch, quantity
from lib.analysis.example_images import worst_fitted_examples
from lib.analysis.experiments import Page
from lib.analysis.inventory import read_experiments
from lib.analysis.levels import BEST_TEST
from lib.analysis.loss_change import LOSS_CHANGE
from lib.analysis.loss_path import TRAIN_LOSS, loss_path
from lib.analysis.loss_slice import TRAIN_LOSS as SLICE_LOSS
from lib.analysis.loss_slice import loss_slice
from lib.stages import Chain
from lib.stages.algorithms import (
    REDENSE_TRAINING,
    WEIGHT_REWINDING,
    fine_tuning,
    redense_training,
    weight_rewinding,
    width_downscaling,
)
from lib.stages.experiment_plan import Plan
from papers.label_noise.recipes import plan as find_plan

PAPER = "label_noise"
FINE_TUNED_SHARE = 4
"""Fine-tuning takes the last quarter of the schedule (LN App. A.2.3 does not say how long)."""


def double_descent(plan: Plan) -> list[Chain]:
    """Return pruning by three scores, and dense networks of falling width (LN section 4)."""
    cuts = {score: plan.prune.but(score=score) for score in (plan.prune.score, "gradient", "random")}
    cuts["gradient"] = cuts["gradient"].but(examples=plan.recipe.batch_size)  # of one batch, section 3.2
    return [
        *(weight_rewinding(plan.recipe, plan.levels, cut) for cut in cuts.values()),
        *width_downscaling(plan.recipe, plan.levels, plan.width_factor),
    ]


def dynamics(plan: Plan) -> list[Chain]:
    """Return pruning by magnitude, to be watched epoch by epoch (LN section 4)."""
    return [weight_rewinding(plan.recipe, plan.levels, plan.prune)]


def redense(plan: Plan) -> list[Chain]:
    """Return pruning by magnitude, then from each level all weights trained again (LN section 5)."""
    return [
        weight_rewinding(plan.recipe, plan.levels, plan.prune),
        *redense_training(plan.recipe, plan.levels, plan.prune),
    ]


def missed_double_descent(plan: Plan) -> list[Chain]:
    """Return weight rewinding and fine-tuning, by magnitude both (LN App. A.2.3)."""
    epochs = max(1, plan.recipe.epochs // FINE_TUNED_SHARE)
    return [
        weight_rewinding(plan.recipe, plan.levels, plan.prune),
        fine_tuning(plan.recipe, plan.levels, plan.prune, epochs),
    ]


def claims(*numbers: int) -> tuple[str, ...]:
    """Return ids of LN's claims."""
    return tuple(f"LN-C{number:02d}" for number in numbers)


PAGES = {page.name: page for page in (
    Page(
        PAPER, "double_descent", find_plan, double_descent, (LOSS_CHANGE,),
        claims(1, 2, 3, 4, 8, 9, 10, 11, 12, 19, 20, 21), whole=False,
    ),
    Page(
        PAPER, "dynamics", find_plan, dynamics,
        (errors_by_epoch(WEIGHT_REWINDING), worst_fitted_examples(WEIGHT_REWINDING)), claims(5, 6, 7),
    ),
    Page(
        PAPER, "redense_training", find_plan, redense,
        # What LN-C13 speaks of, and the original examples beside it.
        (
            errors_by_epoch(WEIGHT_REWINDING, ("test", "noisy training", "original training")),
            worst_fitted_examples(REDENSE_TRAINING),  # those of the sparse networks are measured by the page before
        ),
        claims(13),
    ),
    Page(
        PAPER, "loss_landscape", find_plan, redense,
        (loss_path(WEIGHT_REWINDING, REDENSE_TRAINING), loss_slice(WEIGHT_REWINDING, REDENSE_TRAINING)),
        claims(14, 15),
    ),
    Page(PAPER, "distance_from_initialization", find_plan, redense, (DISTANCES,), claims(16, 17, 18)),
    Page(PAPER, "missed_double_descent", find_plan, missed_double_descent, whole=False),
    Page(PAPER, "opening", find_plan, dynamics),
)}  # fmt: skip

PLACES = {
    "LN-run-LTR": "double_descent",
    "LN-run-REDENSE": "redense_training",
    **{f"LN-fig{n}": "double_descent#fig-ln-descent" for n in (1, 8)},
    **{f"LN-fig{n}": "dynamics#fig-ln-epochs" for n in (2, 9)},
    **{f"LN-fig{n}": "dynamics#fig-ln-memorization" for n in (3, 10, 12)},
    **{f"LN-fig{n}": "redense_training#fig-ln-lift" for n in (4, 11, 13)},
    **{f"LN-fig{n}": "loss_landscape#fig-ln-paths" for n in (5, 14)},
    "LN-fig6": "loss_landscape#fig-ln-slices",
    "LN-fig7": "distance_from_initialization#fig-ln-distance",
    "LN-tabA1": "opening",
    "LN-text-obs1": "double_descent#fig-ln-descent",
    "LN-text-obs2": "double_descent",
    "LN-text-obs3": "double_descent#fig-ln-scores",
    "LN-text-taylor": "double_descent#fig-ln-taylor",
}
"""Where the book has what the paper shows (`lib.analysis.inventory`)."""

NETWORKS = {"MNIST": "mnist-lenet", "CIFAR-10": "cifar10-resnet18", "CIFAR-100": "cifar100-resnet18"}
SHOWS = {
    one.id: tuple(NETWORKS[name] for name in one.datasets.split("; ") if name in NETWORKS)
    for one in read_experiments(PAPER)
}
"""Benchmarks of each figure: LN has one network for each data set."""

NEEDS = {
    **{f"LN-fig{n}": (WEIGHT_REWINDING, BEST_TEST) for n in (1, 8)},
    **{f"LN-fig{n}": (WEIGHT_REWINDING, quantity("test")) for n in (2, 9)},
    **{f"LN-fig{n}": (WEIGHT_REWINDING, quantity("restored training")) for n in (3, 10, 12)},
    **{f"LN-fig{n}": (REDENSE_TRAINING, quantity("noisy training")) for n in (4, 11, 13)},
    **{f"LN-fig{n}": (REDENSE_TRAINING, TRAIN_LOSS) for n in (5, 14)},
    "LN-fig6": (REDENSE_TRAINING, SLICE_LOSS),
    "LN-fig7": (REDENSE_TRAINING, DISTANCE),
}
"""Algorithms and quantities, where a figure needs less than its page."""
