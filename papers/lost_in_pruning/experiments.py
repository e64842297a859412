"""What the pages of LIP run and measure; `PAGES` has them by name of their file.

A chain is a family of networks: a parent, and what a method makes of it, cut after cut (LIP Algorithm 1). All pages look at
the same families, each in its own way.
"""

from collections.abc import Callable

from lib.analysis.distributions import distributions
from lib.analysis.experiments import Page
from lib.analysis.function_distance import function_distance
from lib.analysis.informative_pixels import informative_pixels
from lib.errors import unknown
from lib.stages import Chain
from lib.stages.algorithms import prune_and_retrain
from lib.stages.experiment_plan import Plan
from papers.lost_in_pruning.names import NAMES
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
    laptop={"images": 500, "epsilons": (0.0, 0.1, 0.2, 0.3, 0.5)},
    short={"images": 2_000},
)
"""All test images at `paper` scale, fewer below it."""
FUNCTION_DISTANCE = function_distance(
    smoke={"images": 20, "draws": 2, "epsilons": (0.0, 0.1, 0.5)},
    laptop={"images": 500, "draws": 2, "epsilons": (0.0, 0.1, 0.2, 0.3, 0.5)},
    short={"draws": 10},
)
PIXELS, PIXELS_CORRUPTED = (
    informative_pixels(
        corrupted=corrupted,
        smoke={"images": 3, "pixels_at_once": 512, "shown": 2},
        laptop={"images": laptop[0], "pixels_at_once": laptop[1], "ratios": (50.0, 80.0, 98.0)},
        short={"images": short[0], "pixels_at_once": short[1], "ratios": (46.0, 80.0, 98.0)},
    )
    for corrupted, laptop, short in ((False, (6, 128), (20, 64)), (True, (4, 256), (10, 128)))
)
"""As in the paper at `paper` scale, and cheaper below it."""

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
