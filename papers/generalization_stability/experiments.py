"""What the pages of GS run and measure; `PAGES` has them by name of their file.

A chain is one training, in which filters are pruned or not; its name says which (`names`).
"""

from collections.abc import Iterable

from lib.stages import Chain
from lib.stages.algorithms import pruning_while_training
from lib.stages.experiment_plan import Plan
from lib.stages.filter_events import FilterEvents
from papers.generalization_stability.names import NONE, RATES, SCRATCH, TARGETS, noised, pruned
from papers.generalization_stability.recipes import EPOCHS
from papers.generalization_stability.recipes import plan as find_plan

PAPER = "generalization_stability"
MORE_PRUNED = "59 % pruned"
"""Of ResNet-18 in all, where Figure 2 prunes 46 % (Table C.1)."""


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


def figure_2(plan: Plan, score: str = "") -> list[Chain]:
    """Return pruning from stable to unstable: small filters often, small ones seldom, large ones seldom."""
    return [pruning(plan, target, every, score) for target, every in (("smallest", 4), ("smallest", 40), ("largest", 40))]


def less_stable_better(plan: Plan) -> list[Chain]:
    """Return no pruning and three kinds of it, by the paper's scores and by two that know of normalization (Fig. 2, B.2)."""
    scores = ("", "expected", "signed_expected")
    return [no_pruning(plan), *(chain for score in scores for chain in figure_2(plan, score))]


def rate_and_target(plan: Plan) -> list[Chain]:
    """Return seven rates for each of three targets (Fig. 3, C.1, C.2)."""
    return [no_pruning(plan), *(pruning(plan, target, every) for every in RATES for target in TARGETS)]
