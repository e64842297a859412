"""What the pages of TR run and measure; `PAGES` has them by name of their file.

A page is a list of chains (`lib.stages.algorithms`), what is measured of them besides errors, and the claims it decides.
All chains begin with the same dense network, which is trained once.
"""

from lib.analysis.example_groups import example_groups
from lib.analysis.experiments import Page
from lib.analysis.overlap import overlap
from lib.analysis.ranked_examples import ranked_examples
from lib.stages import Chain
from lib.stages.algorithms import (
    LEARNING_RATE_REWINDING,
    LONGER_WIDTH_DOWNSCALING,
    ONE_SHOT,
    correct_examples_only,
    extended_dense_training,
    learning_rate_rewinding,
    longer_width_downscaling,
    one_shot,
    weight_rewinding,
    width_downscaling,
    with_random_examples,
    with_worsened_examples,
    without_improved_examples,
    without_random_examples,
)
from lib.stages.experiment_plan import Plan
from papers.training_regularization.recipes import plan as find_plan

PAPER = "training_regularization"
SHARES_LEFT_OUT = (0.2, 0.1)  # TR App. D
WORSENED = ("cifar10-resnet20", "cifar10-vgg16")
"""Where a sparse network generalizes better although it fits the training set worse, so that TR asks in App. K.2 what the
examples that it fits worse are worth."""


def pruning(plan: Plan) -> list[Chain]:
    """Return learning-rate rewinding alone (TR sections 2 and 4, App. K.1)."""
    return [learning_rate_rewinding(plan.recipe, plan.levels, plan.prune)]


def better_training(plan: Plan) -> list[Chain]:
    """Return pruning, longer training, and narrower networks (TR section 3, App. L)."""
    return [
        learning_rate_rewinding(plan.recipe, plan.levels, plan.prune),
        extended_dense_training(plan.recipe, plan.levels),
        *width_downscaling(plan.recipe, plan.levels, plan.width_factor),
    ]


def pruning_and_longer_training(plan: Plan) -> list[Chain]:
    """Return five ways to prune, and longer training (TR section 5.1, App. C and J)."""
    scores = [plan.prune.but(score=score) for score in ("synflow", "snip", "random")]
    return [
        learning_rate_rewinding(plan.recipe, plan.levels, plan.prune),
        weight_rewinding(plan.recipe, plan.levels, plan.prune),
        *(learning_rate_rewinding(plan.recipe, plan.levels, prune) for prune in scores),
        extended_dense_training(plan.recipe, plan.levels),
    ]


def size_reduction(plan: Plan) -> list[Chain]:
    """Return pruning and longer training, then three families of smaller networks (TR section 5.2, App. F and I)."""
    return [
        learning_rate_rewinding(plan.recipe, plan.levels, plan.prune),
        extended_dense_training(plan.recipe, plan.levels),
        *width_downscaling(plan.recipe, plan.levels, plan.width_factor),
        *one_shot(plan.recipe, plan.levels, plan.prune),
        *longer_width_downscaling(plan.recipe, plan.levels, plan.width_factor),
    ]


def leaving_out_examples(plan: Plan) -> list[Chain]:
    """Return pruning, then dense networks on part of the examples (TR App. D, E and K.2)."""
    given = (plan.recipe, plan.levels, plan.prune)
    found = [learning_rate_rewinding(*given)]
    for share in SHARES_LEFT_OUT:
        found += [*without_improved_examples(*given, share), *without_random_examples(*given, share)]
    found += correct_examples_only(*given)
    if plan.recipe.benchmark in WORSENED:
        found += [*with_worsened_examples(*given), *with_random_examples(*given)]
    return found


def one_replicate(benchmark: str, scale: str) -> Plan:
    """Return the plan of the other pages for the first seed at the highest noise, whose stages are theirs."""
    whole = find_plan(benchmark, scale)
    return whole.but(seeds=whole.seeds[:1], noise_percents=(max(whole.noise_percents),))


def claims(*numbers: int) -> tuple[str, ...]:
    """Return ids of TR's claims."""
    return tuple(f"TR-C{number:02d}" for number in numbers)


PAGES = {page.name: page for page in (
    Page(PAPER, "preliminaries", one_replicate, pruning),
    Page(PAPER, "additional_regularization", find_plan, pruning, claims=claims(7, 8, 9, 10, 11, 12, 13)),
    Page(PAPER, "better_training", find_plan, better_training, (example_groups(),), claims(4, 5, 6, 14, 15, 37, 38, 39)),
    Page(
        PAPER, "pruning_and_longer_training", find_plan, pruning_and_longer_training,
        claims=claims(1, 2, 3, 16, 17, 18, 19, 31, 32, 33, 34),
    ),
    Page(
        PAPER, "size_reduction", find_plan, size_reduction,
        (example_groups(ONE_SHOT, LONGER_WIDTH_DOWNSCALING), overlap(ONE_SHOT, LONGER_WIDTH_DOWNSCALING)),
        claims(20, 21, 22, 23, 28, 29, 30),
    ),
    Page(PAPER, "leaving_out_examples", find_plan, leaving_out_examples, claims=claims(24, 25, 26, 27, 36)),
    Page(PAPER, "examples_themselves", find_plan, pruning, (ranked_examples(LEARNING_RATE_REWINDING),), claims(35)),
)}  # fmt: skip
