"""What the pages of TR run and measure; `PAGES` has them by name of their file.

A page is a list of chains (`lib.stages.algorithms`), what is measured of them besides errors, and the claims it decides.
All chains begin with the same dense network, which is trained once.
"""

from lib.analysis.example_groups import example_groups
from lib.analysis.example_images import worst_fitted_examples
from lib.analysis.example_stories import example_stories
from lib.analysis.experiments import Page
from lib.analysis.overlap import overlap
from lib.analysis.ranked_examples import ranked_examples
from lib.analysis.steps import STEPS
from lib.stages import Chain
from lib.stages.algorithms import (
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
from papers.training_regularization.names import (
    DS,
    EDT,
    GROUP_LOSS,
    LONGER_WD,
    LRR,
    ONE_SHOT,
    OVERLAP,
    RAND,
    RANDOM,
    RANKED,
    RND,
    SYNFLOW,
    TIE,
    TW,
    WD,
    WR,
)
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
    """Return pruning, then dense networks on part of the examples (TR App. D and K.2)."""
    given = (plan.recipe, plan.levels, plan.prune)
    found = [learning_rate_rewinding(*given)]
    for share in SHARES_LEFT_OUT:
        found += [*without_improved_examples(*given, share), *without_random_examples(*given, share)]
    if plan.recipe.benchmark in WORSENED:
        found += [*with_worsened_examples(*given), *with_random_examples(*given)]
    return found


def correct_examples(plan: Plan) -> list[Chain]:
    """Return pruning, then dense networks on what each sparse one classifies correctly (TR App. E)."""
    given = (plan.recipe, plan.levels, plan.prune)
    return [learning_rate_rewinding(*given), *correct_examples_only(*given)]


def without_noise(benchmark: str, scale: str) -> Plan:
    """Return the plan of the other pages without label noise, as TR runs App. D and K.2."""
    return find_plan(benchmark, scale).but(noise_percents=(0.0,))


def one_replicate(benchmark: str, scale: str) -> Plan:
    """Return the plan of the other pages for the first seed at the highest noise, whose stages are theirs."""
    whole = find_plan(benchmark, scale)
    return whole.but(seeds=whole.seeds[:1], noise_percents=(max(whole.noise_percents),))


def claims(*numbers: int) -> tuple[str, ...]:
    """Return ids of TR's claims."""
    return tuple(f"TR-C{number:02d}" for number in numbers)


PAGES = {page.name: page for page in (
    Page(PAPER, "preliminaries", one_replicate, pruning, (STEPS,)),
    Page(
        PAPER, "additional_regularization", find_plan, pruning, (worst_fitted_examples(LRR),),
        claims(7, 8, 9, 10, 11, 12, 13),
    ),
    Page(
        PAPER, "better_training", find_plan, better_training, (example_groups(),),
        claims(4, 5, 6, 14, 15, 37, 38, 39),
    ),
    Page(
        PAPER, "pruning_and_longer_training", find_plan, pruning_and_longer_training,
        claims=claims(1, 2, 3, 16, 17, 18, 19, 31, 32, 33, 34), whole=False,
    ),
    Page(
        PAPER, "size_reduction", find_plan, size_reduction,
        (example_groups(ONE_SHOT, LONGER_WD), overlap(ONE_SHOT, LONGER_WD)),
        claims(20, 21, 22, 23, 28, 29, 30), whole=False,
    ),
    Page(PAPER, "leaving_out_examples", without_noise, leaving_out_examples, claims=claims(24, 25, 36)),
    Page(PAPER, "correct_examples", find_plan, correct_examples, claims=claims(26, 27)),
    Page(
        PAPER, "examples_themselves", find_plan, pruning,
        (ranked_examples(LRR), example_stories(LRR)), claims(35),
    ),
)}  # fmt: skip

PLACES = {
    "TR-run-LRR": "additional_regularization",
    "TR-run-dense": "additional_regularization",
    "TR-run-EDT": "pruning_and_longer_training",
    "TR-run-WD": "size_reduction",
    "TR-run-WR": "pruning_and_longer_training#fig-tr-rewinding",
    "TR-run-SEL": "pruning_and_longer_training#fig-tr-selection",
    "TR-run-EL2N": "better_training",
    "TR-run-ONESHOT": "size_reduction#fig-tr-equal-training",
    "TR-fig1a": "pruning_and_longer_training#fig-tr-epochs",
    "TR-fig1b": "better_training#fig-tr-groups-clean",
    "TR-fig2": "better_training#fig-tr-groups-clean",
    "TR-fig3": "additional_regularization#fig-tr-error",
    "TR-fig4": "additional_regularization#fig-tr-loss",
    "TR-fig5": "better_training#fig-tr-groups-noise",
    "TR-fig6": "pruning_and_longer_training#fig-tr-epochs",
    "TR-fig7": "size_reduction#fig-tr-width",
    "TR-fig8": "pruning_and_longer_training#fig-tr-variants",
    "TR-fig9": "leaving_out_examples#fig-tr-improved",
    "TR-fig10": "correct_examples#fig-tr-correct",
    "TR-fig11": "size_reduction#fig-tr-width",
    "TR-fig12": "size_reduction#fig-tr-equal-training",
    "TR-fig13": "size_reduction#fig-tr-groups-of-both",
    "TR-fig14": "pruning_and_longer_training#fig-tr-rewinding",
    "TR-fig15": "pruning_and_longer_training#fig-tr-selection",
    "TR-fig16": "examples_themselves#fig-tr-most-worsened",
    "TR-fig17": "leaving_out_examples#fig-tr-worsened",
    "TR-fig18": "better_training#fig-tr-groups-pruning",
    "TR-fig19": "better_training#fig-tr-groups-longer",
    "TR-fig20": "better_training#fig-tr-groups-narrower",
    "TR-tab1": "preliminaries",
    "TR-tab2": "pruning_and_longer_training",
    "TR-tab3": "size_reduction",
    "TR-tab4": "examples_themselves",
    "TR-tab5": "pruning_and_longer_training#fig-tr-table-5",
    "TR-tab6": "additional_regularization#fig-tr-table-6",
    "TR-tab7": "size_reduction#fig-tr-table-7",
    "TR-tab8": "correct_examples#fig-tr-table-8",
    "TR-tab9": "pruning_and_longer_training",
    "TR-tab10": "pruning_and_longer_training",
    "TR-tab11": "additional_regularization",
    "TR-text-gap": "additional_regularization#fig-tr-loss",
    "TR-text-effect-ratio": "better_training",
    "TR-text-minimal": "closing",
}
"""Where each experiment of the paper stands: a page, or a figure on it (`lib.analysis.inventory`)."""

NEEDS = {
    **dict.fromkeys(("TR-fig1a", "TR-fig6", "TR-tab5"), (LRR, EDT)),
    **dict.fromkeys(("TR-fig1b", "TR-fig2", "TR-fig5", "TR-fig18", "TR-text-effect-ratio"), (LRR, GROUP_LOSS)),
    **dict.fromkeys(("TR-fig3", "TR-fig4", "TR-tab6", "TR-tab11", "TR-text-gap"), (LRR,)),
    **dict.fromkeys(("TR-fig7", "TR-fig11", "TR-tab7"), (LRR, WD)),
    **dict.fromkeys(("TR-fig10", "TR-tab8"), (LRR, DS)),
    **dict.fromkeys(("TR-fig14", "TR-tab9"), (LRR, WR)),
    **dict.fromkeys(("TR-fig15", "TR-tab10"), (LRR, SYNFLOW, RANDOM)),
    "TR-fig9": (TIE, RND),
    "TR-fig12": (ONE_SHOT, LONGER_WD),
    "TR-fig13": (ONE_SHOT, LONGER_WD, GROUP_LOSS),
    "TR-fig17": (TW, RAND),
    "TR-fig19": (EDT, GROUP_LOSS),
    "TR-fig20": (WD, GROUP_LOSS),
    **dict.fromkeys(("TR-fig16", "TR-tab4"), (LRR, RANKED)),
    "TR-tab1": (LRR,),
    "TR-tab3": (OVERLAP,),
}
"""What a table has to have for a figure that needs less than its page runs."""
