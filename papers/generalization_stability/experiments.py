"""What the pages of GS run and measure; `PAGES` has them by name of their file.

A chain is one training, in which filters are pruned or not; its name says which (`names`).
"""

from collections.abc import Callable

from lib.analysis.experiments import Page
from lib.analysis.flatness import ALONG, COVARIANCE, CRITERION, EIGENVALUE, EIGENVALUE_SUM, TOLERATED, flatness
from lib.analysis.normality import AFTER, DISTANCE, normality
from lib.analysis.stability import REMOVAL, STABILITY, stability
from lib.errors import unknown
from lib.stages import Chain
from lib.stages.algorithms import pruning_while_training
from lib.stages.experiment_plan import Plan
from lib.stages.filter_events import FilterEvents
from papers.generalization_stability.names import NONE, RATES, SCRATCH, TARGETS, noised, pruned
from papers.generalization_stability.recipes import BENCHMARKS
from papers.generalization_stability.recipes import plan as find_plan

PAPER = "generalization_stability"
MORE_PRUNED, LESS_SHORTCUT = "59 % pruned", "shortcut layer 25 %"
"""Of ResNet-18 in all, where Figure 2 prunes 46 % (Table C.1); and of the layer whose maps feed a shortcut (App. B.1)."""
RATES_AND_TARGETS = (("smallest", 4), ("smallest", 40), ("largest", 40))
"""Of Figure 2, from stable to unstable."""
FIRST_VARIANCE = 79.0
"""The first of many noises in the paper is as if drawn on its 79 batches of test images (GS App. D.1, facts S8)."""


def no_pruning(plan: Plan) -> Chain:
    """Return training without pruning."""
    return pruning_while_training(NONE, plan.recipe, None)


def events_of(plan: Plan) -> FilterEvents:
    """Return the events that the chains of a plan vary."""
    assert plan.filters, "every plan of this paper says which filters are pruned"
    return plan.filters


def pruning(plan: Plan, target: str, every: int, score: str = "") -> Chain:
    """Return training while the filters of a target are pruned, by the plan's score or another one."""
    events = events_of(plan).but(target=target, every=every)
    if score:
        events = events.but(score=score)
    return pruning_while_training(pruned(target, every, events.score), plan.recipe, events)


def from_scratch(plan: Plan) -> Chain:
    """Return training without the filters that have the smallest weights before it."""
    before = (-1,) * len(events_of(plan).layers)
    events = events_of(plan).but(target="smallest", first=before, last=before, score="l2")
    return pruning_while_training(SCRATCH, plan.recipe, events)


def figure_2(plan: Plan, score: str = "") -> list[Chain]:
    """Return pruning from stable to unstable: small filters often, small ones seldom, and large ones."""
    return [pruning(plan, target, every, score) for target, every in plan.prunings or RATES_AND_TARGETS]


def less_stable_better(plan: Plan) -> list[Chain]:
    """Return no pruning and three kinds of it (Fig. 2)."""
    return [no_pruning(plan), *figure_2(plan)]


def normalization_scores(plan: Plan) -> list[Chain]:
    """Return the same by three scores: the paper's first, and two that know of batch normalization (Fig. B.2)."""
    scores = ("", "expected", "signed_expected")
    return [no_pruning(plan), *(chain for score in scores for chain in figure_2(plan, score))]


def rate_and_target(plan: Plan) -> list[Chain]:
    """Return seven rates for each of three targets (Fig. 3, C.1, C.2)."""
    prunings = plan.prunings or [(target, every) for every in RATES for target in TARGETS]
    return [no_pruning(plan), *(pruning(plan, *one) for one in prunings)]


def how_much(plan: Plan) -> list[Chain]:
    """Return pruning 46 % and 59 % of ResNet-18, and pruning what feeds the shortcut less hard (Table C.1, App. B.1)."""
    own = events_of(plan)
    second = own.layers[min(1, len(own.layers) - 1)]  # CIFAR-100 has one; keys are asked of every page and benchmark
    more = own.but(shares=tuple(0.8 if layer == second else p for layer, p in zip(own.layers, own.shares, strict=True)))
    less = own.but(
        shares=tuple(0.25 if layer == second else p for layer, p in zip(own.layers, own.shares, strict=True))
    )
    found = [no_pruning(plan), *figure_2(plan)]
    for events, name, settings in (
        (more, MORE_PRUNED, RATES_AND_TARGETS),
        (less, LESS_SHORTCUT, RATES_AND_TARGETS[2:]),
    ):
        for target, every in settings:
            named = pruned(target, every, events.score, name)
            found.append(pruning_while_training(named, plan.recipe, events.but(target=target, every=every)))
    return found


def traditional(plan: Plan) -> list[Chain]:
    """Return SGD with augmentation: no pruning, and pruning a tenth of every block's filters in few events (Fig. 4, C.3).

    Figure C.3 prunes a little every epoch, ResNet-18 only: 6 % and 10 %.
    """
    found = [no_pruning(plan), pruning(plan, "smallest", 30), pruning(plan, "smallest", 60)]
    if plan.recipe.benchmark == "cifar10-resnet18-sgd":
        own = events_of(plan)
        for share in (0.06, 0.1):
            n = len(own.layers)
            events = own.but(shares=(share,) * n, first=(24,) * n, last=(100,) * n, every=1)
            name = pruned("smallest", 1, events.score, f"{100 * share:.0f} % a layer")
            found.append(pruning_while_training(name, plan.recipe, events))
    return found


def is_it_noise(plan: Plan) -> list[Chain]:
    """Return pruning large filters, and noise on them in its place (Fig. 5, D.1, D.2); normalization is left (facts S13)."""
    events = events_of(plan).but(target="largest", every=40, normalization=False)
    found = [
        no_pruning(plan),
        pruning_while_training(pruned("largest", 40, events.score, "normalization left"), plan.recipe, events),
    ]
    for effect, restore, lengths in (
        ("zero", False, plan.noise_batches), ("gaussian", False, plan.noise_batches), ("zero", True, plan.restored_batches),
    ):  # fmt: skip
        for batches in lengths:
            first = FIRST_VARIANCE if effect == "gaussian" and batches > min(lengths) else 1.0
            noise = events.but(effect=effect, batches=batches, restore=restore, first_variance=first)
            found.append(pruning_while_training(noised(effect, batches, restore), plan.recipe, noise))
    return found


def flat_minima(plan: Plan) -> list[Chain]:
    """Return the six trainings of Figure 6: no pruning, four kinds of it, and pruning before training."""
    return [no_pruning(plan), *figure_2(plan), pruning(plan, "random", 40), from_scratch(plan)]


def another_data_set(plan: Plan) -> list[Chain]:
    """Return Table F.1: no pruning, pruning from scratch, small and large filters, by two scores."""
    own = events_of(plan)
    every = own.every
    targets = [
        pruning(plan, target, every, score) for score in (own.score, "activation") for target in ("smallest", "largest")
    ]
    return [no_pruning(plan), from_scratch(plan), *targets]


def claims(*numbers: int) -> tuple[str, ...]:
    """Return ids of GS's claims."""
    return tuple(f"GS-C{number:02d}" for number in numbers)


def of(*benchmarks: str) -> Callable[[str, str], Plan]:
    """Return the plans of the benchmarks that a page speaks of; other networks have other layers and events."""

    def find(benchmark: str, scale: str) -> Plan:
        if benchmark in BENCHMARKS and benchmark not in benchmarks:
            raise unknown("benchmark of this page", benchmark, benchmarks)
        return find_plan(benchmark, scale)

    return find


VGG11, RESNET18, *TRADITIONAL, CIFAR100 = BENCHMARKS
NETWORKS = of(VGG11, RESNET18)

FLATNESS = flatness(
    smoke={"images": 20, "eigenvalues": 5, "draws": 2, "evaluated": 50},
    laptop={"images": 128, "eigenvalues": 20, "draws": 8, "evaluated": 500},
    short={"images": 128, "eigenvalues": 20, "draws": 16, "evaluated": 1_000},
)
"""As in the paper at `paper` scale, and cheaper below it."""

PAGES = {page.name: page for page in (
    Page(PAPER, "less_stable_better", NETWORKS, less_stable_better, (stability(),), claims(1, 3)),
    Page(
        PAPER, "normalization_scores", NETWORKS, normalization_scores, (stability(series=False), normality(NONE)),
        claims(2, 4, 22),
    ),
    Page(PAPER, "rate_and_target", of(VGG11), rate_and_target, (stability(series=False),), claims(5, 6, 7)),
    Page(PAPER, "how_much", of(RESNET18), how_much, (stability(series=False),), claims(8, 9, 23)),
    Page(PAPER, "traditional", of(*TRADITIONAL), traditional, (stability(series=False),), claims(10, 11, 12)),
    Page(PAPER, "is_it_noise", of(VGG11), is_it_noise, (stability(), REMOVAL), claims(13, 14, 15)),
    Page(PAPER, "flat_minima", of(VGG11), flat_minima, (stability(series=False), FLATNESS), claims(16, 17, 18, 19, 20)),
    Page(PAPER, "another_data_set", of(CIFAR100), another_data_set, (stability(series=False),), claims(21,)),
    Page(PAPER, "opening", NETWORKS, less_stable_better, (stability(),)),
)}  # fmt: skip

PLACES = {
    "GS-fig2": "less_stable_better#fig-gs-scatter",
    "GS-figB2": "normalization_scores#fig-gs-scores",
    "GS-text-gamma": "normalization_scores#fig-gs-scores",
    "GS-figB1": "normalization_scores#fig-gs-densities",
    "GS-fig3-left": "rate_and_target#fig-gs-rates",
    "GS-fig3-right": "rate_and_target#fig-gs-rate-correlation",
    "GS-figC1": "rate_and_target#fig-gs-one-rate",
    "GS-figC2": "rate_and_target#fig-gs-rate-correlation",
    "GS-tabC1": "how_much#fig-gs-total",
    "GS-text-shortcut": "how_much#fig-gs-shortcut",
    "GS-fig4": "traditional#fig-gs-traditional",
    "GS-figC3": "traditional#fig-gs-traditional",
    "GS-fig5": "is_it_noise#fig-gs-noise",
    "GS-figD1": "is_it_noise#fig-gs-one-weight",
    "GS-figD2": "is_it_noise#fig-gs-restored",
    "GS-text-prune-reentered": "is_it_noise#fig-gs-without",
    "GS-fig6": "flat_minima#fig-gs-flat-stability",
    **dict.fromkeys(("GS-figE1", "GS-figE2"), "flat_minima#fig-gs-eigenvalues"),
    "GS-figE3": "flat_minima#fig-gs-flat-stability",
    "GS-figE4": "flat_minima#fig-gs-along",
    "GS-figE5": "flat_minima#fig-gs-flat-stability",
    "GS-figE6": "flat_minima#fig-gs-flat-accuracy",
    "GS-tabF1": "another_data_set#fig-gs-cifar100",
    "GS-text-scoreF": "another_data_set#fig-gs-cifar100",
    "GS-text-driver": "no figure of its own: correlations that became weaker with another driver of the authors' GPU; "
    "no page can repeat that, and each says on which device its table was measured",
}
"""Where the book has what the paper shows (`lib.analysis.inventory`)."""

NEEDS = {
    "GS-fig4": (NONE, pruned("smallest", 30, "l1")),
    "GS-figB1": (NONE, DISTANCE.format(AFTER)),
    "GS-fig6": (SCRATCH, f"test {EIGENVALUE_SUM}", f"test {COVARIANCE}"),
    **dict.fromkeys(("GS-figE1", "GS-figE2"), (f"test {EIGENVALUE}",)),
    "GS-figE3": (TOLERATED,),
    "GS-figE4": (ALONG.format(1),),
    "GS-figE5": (f"test {CRITERION}",),
    "GS-figE6": (SCRATCH, STABILITY),
}
"""Algorithms and quantities, where a figure needs less than its page."""
