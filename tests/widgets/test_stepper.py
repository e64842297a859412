import html
import sys
from unittest.mock import Mock

import pytest

from lib.charts.theme import MIME
from lib.errors import InputError
from lib.stages import Prune
from lib.stages import runner as runner_module
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.experiment_plan import Plan
from lib.stages.stage import stage_keys
from lib.widgets.stepper import chain_of_cuts, step_through

ipywidgets = pytest.importorskip("ipywidgets")


@pytest.fixture
def plan(recipe):
    return Plan(recipe=recipe, prune=Prune(fraction=1 - 0.8**3), levels=2, seeds=(0, 1), noise_percents=(20.0,))


def keys(chain, plan):
    return stage_keys(chain, plan.replicates()[0], plan.precision)


def controls(widget):
    score, fraction, buttons, numbers, figure = widget.children
    forward, back = buttons.children
    return score, fraction, forward, back, numbers, figure


def shown(figure):
    return figure.outputs[0]["data"]


def test_cuts_are_the_stages_of_the_algorithms_that_make_them(plan):
    cut = plan.prune
    same = learning_rate_rewinding(plan.recipe, 2, cut)
    assert keys(chain_of_cuts(plan, (cut, cut)), plan) == keys(same, plan)
    assert keys(chain_of_cuts(plan, ()), plan) == keys(same, plan)[:2]
    other = cut.but(score="random")
    randomly = learning_rate_rewinding(plan.recipe, 1, other)
    assert keys(chain_of_cuts(plan, (other,)), plan) == keys(randomly, plan)
    mixed = chain_of_cuts(plan, (cut, other))
    assert keys(mixed, plan)[:3] == keys(same, plan)[:3] and keys(mixed, plan)[3] != keys(same, plan)[3]
    assert [stage.level for stage in mixed.stages] == [None, 0, 1, 2]


def test_a_click_prunes_and_trains_and_another_goes_back(plan, store, monkeypatch):
    widget = step_through(plan, store=str(store.folder), device="cpu", note="digits")
    score, fraction, forward, back, numbers, figure = controls(widget)
    assert "Level 0, dense" in numbers.value and back.disabled and not forward.disabled
    assert "seed 0, 20 % label noise" in shown(figure)["text/plain"]
    before = set(store.keys())
    forward.click()
    assert "Level 1: of 265,200 weights" in numbers.value and "Test error" in numbers.value
    page = keys(learning_rate_rewinding(plan.recipe, 1, plan.prune), plan)
    assert set(store.keys()) - before == {page[-1]}, "the plan's own fraction, though the slider rounds it"
    score.value, fraction.value = "synflow", 50.0
    forward.click()
    assert "by synflow" in numbers.value and "Level 2" in numbers.value and len(store.keys()) == 4
    assert next(p for p in shown(figure)[MIME]["params"] if p["name"] == "level_slider")["value"] == 2
    monkeypatch.setattr(runner_module, "train_stage", lambda *a: pytest.fail("trained again"))
    back.click()
    assert "Level 1" in numbers.value and not back.disabled
    forward.click()
    assert "Level 2" in numbers.value
    back.click()
    back.click()
    assert "Level 0" in numbers.value and back.disabled


def test_a_step_that_fails_is_not_taken(plan, store, monkeypatch):
    widget = step_through(plan, store=str(store.folder), device="cpu")
    *_, forward, back, numbers, _ = controls(widget)

    def refuse(*arguments):
        raise InputError("the store is full")

    monkeypatch.setattr(runner_module, "train_stage", refuse)
    forward.click()
    assert "not taken: the store is full" in numbers.value
    assert back.disabled and not forward.disabled


def test_going_back_that_fails_leaves_what_was_there(plan, store, monkeypatch):
    widget = step_through(plan, store=str(store.folder), device="cpu")
    _, _, forward, back, numbers, figure = controls(widget)
    forward.click()
    with monkeypatch.context() as patched:
        for refused in (InputError("the store <b>is</b> gone"), RuntimeError("out of memory")):
            patched.setattr("lib.widgets.stepper.run", Mock(side_effect=refused))
            back.click()
            assert f"not taken: {html.escape(str(refused))}" in numbers.value and not back.disabled
    assert next(p for p in shown(figure)[MIME]["params"] if p["name"] == "level_slider")["value"] == 1
    back.click()
    assert "Level 0" in numbers.value and back.disabled


def test_an_unknown_score_is_refused_at_once(plan, store):
    with pytest.raises(InputError, match="magnitude"):
        step_through(plan, store=str(store.folder), scores=("magnitud",))


def test_without_ipywidgets_the_reader_is_told_what_to_do(plan, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert "make lab" in step_through(plan)._repr_markdown_()
