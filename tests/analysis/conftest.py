"""A paper with one page, of two chains that share the dense network."""

import dataclasses
from collections.abc import Callable

import pytest

from lib.analysis import experiments
from lib.analysis.experiments import Context, Measurement, Page, reported
from lib.stages.algorithms import extended_dense_training, learning_rate_rewinding
from lib.stages.experiment_plan import Plan, Prune


def last_epochs(context: Context):
    """Measure something of every network: the epoch at which its stage ends."""
    for results in context.results:
        for columns, _, position, _ in reported(results):
            end = results.chain.stages[position].to_epoch
            yield columns | {"quantity": "last epoch", "value": float(end)}


@pytest.fixture
def page(recipe) -> Page:
    """The page; its plan trains within a second."""
    plan = Plan(recipe=recipe, prune=Prune(fraction=0.5), levels=1, seeds=(0, 1), noise_percents=(0.0, 20.0))

    def plans(benchmark: str, scale: str) -> Plan:
        return plan

    def chains(plan: Plan):
        return [
            learning_rate_rewinding(plan.recipe, plan.levels, plan.prune),
            extended_dense_training(plan.recipe, plan.levels),
        ]

    measurement = Measurement("last epoch", last_epochs, 1, {"groups": 20})
    return Page("toy", "page", plans, chains, (measurement,))


@pytest.fixture
def paper(monkeypatch) -> Callable[..., Page]:
    """Makes a page, with other settings of its plan where there are any, the only one of its paper."""

    def of(page: Page, **changes: object) -> Page:
        plan = page.plans("", "").but(**changes)
        changed = dataclasses.replace(page, plans=lambda *_: plan)
        monkeypatch.setattr(experiments, "pages_of", lambda paper: {page.name: changed})
        experiments._keys_today.cache_clear()
        return changed

    return of
