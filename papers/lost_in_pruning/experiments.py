"""What the pages of LIP run and measure; `PAGES` has them by name of their file.

A chain is a family of networks: a parent, and what a method makes of it, cut after cut (LIP Algorithm 1). All pages look at
the same families, each in its own way.
"""

from collections.abc import Callable

from lib.analysis.distributions import NOISY, REMOVED, distributions, error_under
from lib.analysis.experiments import Page
from lib.analysis.function_distance import MATCHING, SEPARATE, SOFTMAX_DISTANCE, function_distance
from lib.analysis.informative_pixels import CONFIDENCE, CONFIDENCE_CORRUPTED, informative_pixels
from lib.analysis.inventory import read_experiments
from lib.analysis.levels import TEST
from lib.errors import unknown
from lib.stages import Chain
from lib.stages.algorithms import prune_and_retrain
from lib.stages.experiment_plan import Plan
from papers.lost_in_pruning.names import FT, MODELS, NAMES, PFP, SIPP, WT
from papers.lost_in_pruning.recipes import BENCHMARKS
from papers.lost_in_pruning.recipes import plan as find_plan

PAPER = "lost_in_pruning"


def families(plan: Plan) -> list[Chain]:
    """Return a family of networks for each method of a plan."""
    return [
        prune_and_retrain(NAMES.get(score, score), plan.recipe, plan.prune.but(score=score), plan.keeps[: plan.levels])
        for score in plan.scores
    ]


def claims(*numbers: int) -> tuple[str, ...]:
    """Return ids of LIP's claims."""
    return tuple(f"LIP-C{number:02d}" for number in numbers)


def figures(first: int, last: int) -> tuple[str, ...]:
    """Return ids of LIP's figures from one number to another."""
    return tuple(f"LIP-fig{number}" for number in range(first, last + 1))


NOMINAL = tuple(name for name in BENCHMARKS if not name.endswith("-robust"))
ROBUST = tuple(name for name in BENCHMARKS if name.endswith("-robust"))


def of(*benchmarks: str) -> Callable[[str, str], Plan]:
    """Return the plans of the benchmarks that a page speaks of."""

    def find(benchmark: str, scale: str) -> Plan:
        if benchmark in BENCHMARKS and benchmark not in benchmarks:
            raise unknown("benchmark of this page", benchmark, benchmarks)
        return find_plan(benchmark, scale)

    return find


DISTRIBUTIONS = distributions(
    smoke={"images": 20, "epsilons": (0.0, 0.1, 0.5)},
    laptop={"images": 200, "epsilons": (0.0, 0.1, 0.2, 0.3, 0.5)},
    short={"images": 2_000},
)
"""All test images at `paper` scale, fewer below it."""
FUNCTION_DISTANCE = function_distance(
    smoke={"images": 20, "draws": 2, "epsilons": (0.0, 0.1, 0.5)},
    laptop={"images": 200, "draws": 2, "epsilons": (0.0, 0.1, 0.2, 0.3, 0.5)},
    short={"draws": 10},
)
PIXELS, PIXELS_CORRUPTED = (
    informative_pixels(
        corrupted=corrupted,
        smoke={"images": 3, "pixels_at_once": 512, "shown": 2},
        laptop={"images": laptop[0], "pixels_at_once": laptop[1], "ratios": (50.0, 80.0, 98.0)},
        short={"images": short[0], "pixels_at_once": short[1], "ratios": (46.0, 80.0, 98.0), "seeds": 3},
    )
    for corrupted, laptop, short in ((False, (6, 128), (20, 64)), (True, (4, 256), (10, 128)))
)
"""As in the paper at `paper` scale, and cheaper below it; `short` looks at three parents, so that claims have a spread."""

PAGES = {page.name: page for page in (
    Page(PAPER, "test_set", of(*NOMINAL), families, (DISTRIBUTIONS,), claims(21)),
    Page(PAPER, "informative_pixels", of(*NOMINAL), families, (PIXELS, PIXELS_CORRUPTED), claims(4, 5, 6, 7)),
    Page(PAPER, "same_function", of(*NOMINAL), families, (FUNCTION_DISTANCE,), claims(1, 2, 3)),
    Page(
        PAPER, "prune_potential", of(*NOMINAL), families, (DISTRIBUTIONS,),
        claims(8, 9, 10, 11, 12, 13, 17, 18, 19, 20),
    ),
    Page(PAPER, "excess_error", of(*NOMINAL), families, (DISTRIBUTIONS,), claims(14, 15, 16)),
    Page(PAPER, "robust_training", of(*ROBUST), families, (DISTRIBUTIONS,), claims(22, 23, 24, 25, 26, 27, 28)),
    Page(PAPER, "opening", of(*NOMINAL), families, (DISTRIBUTIONS,)),
)}  # fmt: skip

PLACES = {
    **dict.fromkeys(("LIP-run-CIFAR", "LIP-run-IMN", "LIP-run-VOC", "LIP-alg1"), "test_set"),
    "LIP-run-ROBUST": "robust_training",
    "LIP-fig1": "prune_potential#fig-lip-noise",
    **dict.fromkeys(("LIP-fig2", "LIP-fig9", "LIP-fig10", "LIP-fig11"), "test_set#fig-lip-test-error"),
    **dict.fromkeys(("LIP-fig3", *figures(12, 15)), "informative_pixels#fig-lip-grid"),
    **dict.fromkeys(("LIP-fig4", *figures(16, 27)), "same_function#fig-lip-agreement"),
    "LIP-fig5": "prune_potential#fig-lip-noisy-images",
    **dict.fromkeys(("LIP-fig6a", "LIP-fig6d"), "prune_potential#fig-lip-errors"),
    **dict.fromkeys(("LIP-fig6b", "LIP-fig6e", "LIP-fig7", *figures(29, 37)), "prune_potential#fig-lip-potential"),
    **dict.fromkeys(("LIP-fig6c", "LIP-fig6f", *figures(39, 47)), "excess_error#fig-lip-excess"),
    "LIP-fig8a": "robust_training#fig-lip-robust-unseen",
    **dict.fromkeys(("LIP-fig8b", *figures(49, 54)), "robust_training#fig-lip-robust-potential"),
    **dict.fromkeys(("LIP-fig8c", *figures(55, 60)), "robust_training#fig-lip-robust-excess"),
    "LIP-fig28": "prune_potential#fig-lip-noise",
    "LIP-fig38": "prune_potential#fig-lip-margin",
    "LIP-fig48": "robust_training#fig-lip-robust-error",
    **dict.fromkeys(("LIP-tab1", "LIP-tab3", "LIP-tab5", "LIP-tab7"), "opening"),
    **dict.fromkeys(("LIP-tab2", "LIP-tab9", "LIP-tab10"), "prune_potential"),
    **dict.fromkeys(("LIP-tab4", "LIP-tab6", "LIP-tab8"), "test_set"),
    "LIP-tab11": "robust_training#fig-lip-robust-images",
    **dict.fromkeys(("LIP-tab12", "LIP-tab13"), "robust_training#fig-lip-robust-average"),
}
"""Where the book has what the paper shows (`lib.analysis.inventory`)."""

SHOWS = {
    one.id: tuple(
        name + "-robust" * (one.id in PLACES and PLACES[one.id].startswith("robust_training"))
        for name, model in MODELS.items()
        if model in one.models.split("; ") or one.models == "9 networks"
    )
    for one in read_experiments(PAPER)
}
"""Benchmarks of each; none of what is not of a network."""

BY_PIXELS, BY_DISTANCE = (CONFIDENCE,), (MATCHING, SOFTMAX_DISTANCE, SEPARATE)
NEEDS = {
    **dict.fromkeys(("LIP-fig3", *figures(12, 13)), BY_PIXELS),
    **dict.fromkeys(figures(14, 15), (CONFIDENCE_CORRUPTED,)),
    "LIP-fig4": (WT, *BY_DISTANCE),
    **dict.fromkeys(figures(16, 21), (WT, FT, *BY_DISTANCE)),
    **dict.fromkeys(figures(22, 27), (SIPP, PFP, *BY_DISTANCE)),
    **dict.fromkeys(("LIP-fig2", "LIP-fig9", "LIP-fig10", "LIP-fig11", "LIP-tab4", "LIP-tab6", "LIP-tab8"), (TEST, REMOVED)),
    **dict.fromkeys(("LIP-fig1", "LIP-fig28"), (WT, FT, NOISY)),
    **dict.fromkeys(("LIP-fig6a", "LIP-fig38"), (WT, error_under("fog"))),
    **dict.fromkeys(("LIP-fig6b", "LIP-fig6c", "LIP-tab9", "LIP-tab12"), (WT, SIPP, error_under("fog"))),
    "LIP-fig6d": (FT, error_under("fog")),
    **dict.fromkeys(("LIP-fig6e", "LIP-fig6f", "LIP-tab10", "LIP-tab13"), (FT, PFP, error_under("fog"))),
    **dict.fromkeys(("LIP-tab2", "LIP-fig7", *figures(29, 37), *figures(39, 47)), (WT, FT, error_under("fog"))),
    **dict.fromkeys(("LIP-fig8a", "LIP-fig8b", "LIP-fig8c", *figures(48, 60)), (WT, FT, error_under("fog"))),
}  # fmt: skip
"""Algorithms and quantities, where a figure needs less than its page."""
