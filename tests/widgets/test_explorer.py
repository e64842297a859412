"""Explorers answer to every choice at once, from tables and, where networks are asked for, from the store."""

import json
import sys
import time
from types import SimpleNamespace

import pytest

from lib.charts import lines
from lib.charts.theme import MIME
from lib.stages import Prune, run
from lib.stages.algorithms import learning_rate_rewinding, redense_training
from lib.stages.experiment_plan import Plan
from lib.widgets import explorer
from lib.widgets.live import chart_told, picture_grid
from tests.charts import made

ipywidgets = pytest.importorskip("ipywidgets")

OTHER = "re-dense training"
SOON = 2.0  # seconds; 0.3 on a machine with nothing else to do


@pytest.fixture
def page(monkeypatch, recipe, store):
    """A page of two algorithms, its rows by hand, with a plan whose networks are not in the store."""
    found = made.together(
        made.rows({0: [6.0, 7.0, 8.0], 1: [5.0, 6.0, 7.0]}),
        made.rows({0: [16.0, 17.0, 18.0], 1: [15.0, 16.0, 17.0]}, noise_percent=20.0),
        made.rows({0: [16.0, 17.0, 18.0], 1: [12.0, 13.0, 14.5]}, noise_percent=20.0, algorithm=OTHER),
    )
    monkeypatch.setattr(explorer, "rows", lambda tables, quantity, **where: found[found["quantity"] == quantity])
    plan = Plan(recipe=recipe, prune=Prune(fraction=0.5), levels=1, seeds=(0, 1), noise_percents=(0.0, 20.0))
    chains = [learning_rate_rewinding(recipe, 1, plan.prune), *redense_training(recipe, 1, plan.prune)]
    return SimpleNamespace(
        tables=[SimpleNamespace(dimensions=("noise_percent",), frame=found)], chains=chains, found=found, plan=plan,
        store=str(store.folder), scale="laptop", page=SimpleNamespace(measurements=()),
    )  # fmt: skip


def controls(widget):
    return {child.description: child for child in widget.children if getattr(child, "description", "")}


def texts(widget):
    return [child.value for child in widget.children if isinstance(child, ipywidgets.HTML)]


def answered(control, value):
    """Choose, and hold the answer to its time."""
    started = time.perf_counter()
    control.value = value
    assert time.perf_counter() - started < SOON, f"{control.description} took too long"


def test_a_point_is_said_with_its_spread(page):
    sentence = explorer.point(page.found, 1, noise_percent=20.0, algorithm=made.FIRST)
    assert sentence == "<p><b>16.00 ± 1.00</b> test error (%), 50 % of the weights remain; 3 replicates.</p>"
    assert "Level 7 was not measured" in explorer.point(page.found, 7, noise_percent=20.0, algorithm=OTHER)


def test_two_algorithms_are_compared_by_seed(page):
    sentence = explorer.compared(page.found, 1, made.FIRST, OTHER, noise_percent=20.0)
    assert "First minus second: <b>+2.83 ± 0.29</b>, paired over 3 replicates" in sentence
    assert "not measured of re-dense" in explorer.compared(page.found, 1, made.FIRST, OTHER, noise_percent=0.0)


def test_a_chart_is_built_once_and_then_told(page):
    chart = lines(page.found, x=made.SIZE, colour="algorithm", menus=["noise_percent"], slider="level", rings=["level"],
                  title="Errors")  # fmt: skip
    told = chart_told(chart)
    [output] = told(only=("algorithm", [OTHER]), noise_percent="20 %", level=1)
    spec = output["data"][MIME]
    params = {one["name"]: one for one in spec["params"]}
    assert params["noise_percent_menu"] == {"name": "noise_percent_menu", "value": "20 %"}
    assert params["level_slider"]["value"] == 1
    drawn = {row["algorithm"] for rows in spec["datasets"].values() for row in rows if "algorithm" in row}
    assert drawn == {OTHER} and f'"values": ["{OTHER}"]' in json.dumps(spec)


def test_the_curve_of_one_algorithm_follows_its_menus(page, monkeypatch):
    asked = []
    monkeypatch.setattr(explorer, "_worst", lambda page, *which: asked.append(which) or "<p>images</p>")
    widget = explorer.explore_noise(page)
    menus = controls(widget)
    assert [*menus] == ["algorithm", "label noise", "level"] and menus["label noise"].value == 20.0, "the highest first"
    assert "<b>17.00" in texts(widget)[0] and asked == [(20.0, 0, made.FIRST, 18)]
    answered(menus["level"], 1)
    answered(menus["label noise"], 0.0)
    assert "<b>6.00" in texts(widget)[0] and asked[-1] == (0.0, 1, made.FIRST, 18)
    answered(menus["label noise"], 20.0)
    assert len(asked) == 3, "what was shown before is not asked for again"


def test_two_algorithms_side_by_side(page):
    widget = explorer.explore(page)
    menus = controls(widget)
    assert (menus["first"].value, menus["second"].value) == (made.FIRST, OTHER)
    answered(menus["level"], 1)
    assert "First minus second" in texts(widget)[0]
    answered(menus["second"], made.FIRST)
    assert "Choose another" in texts(widget)[0]


def test_images_that_flip_on_a_path(page, monkeypatch, store):
    """Without networks a sentence says what to do; with them, the ends are the two networks."""
    path = made.rows({1: [0.5]}, algorithm=OTHER, quantity=explorer.TRAIN_LOSS, noise_percent=20.0)
    both = [path.assign(position=at, value=1 - at / 2) for at in (0.0, 0.5, 1.0)]
    page.page.measurements = (SimpleNamespace(name="loss path"),)
    monkeypatch.setattr(explorer, "rows", lambda tables, quantity, **where: made.together(*both))
    widget = explorer.explore(page)
    assert "recompute=True" in texts(widget)[0]
    chain = next(one for one in page.chains if one.algorithm == OTHER and one.stages[-1].level == 1)
    run(chain, page.plan.replicates(), store, "cpu", progress=False)
    widget = explorer.explore(page)
    menus = controls(widget)
    assert "test images are wrong at α = 0.00" in texts(widget)[0] and "0 became right, 0 wrong" in texts(widget)[0]
    answered(menus["α"], 1.0)
    assert "at α = 1.00" in texts(widget)[0]
    images, labels, names, predicted = explorer.flips(page, OTHER, 1, 20.0)
    assert predicted.shape == (explorer.SHARES, len(images)) and names[:2] == ["0", "1"]
    last = run(chain, page.plan.replicates(), store, "cpu", progress=False)
    of_noise = [r.noise_percent for r in last.replicates].index(20.0)
    recorded = next(m for m in last.entries[of_noise][-1].record["metrics"] if m["subset"] == "test")
    if len(images) == recorded["examples"]:
        error = 100 * (predicted[-1] != labels).double().mean().item()
        assert error == pytest.approx(recorded["error_percent"], abs=1e-3)


def test_training_examples_are_browsed_by_their_change(page, store):
    page.page.measurements = (SimpleNamespace(name="example stories"),)
    assert "recompute=True" in texts(explorer.explore(page))[0]
    run(page.chains[0], page.plan.replicates(), store, "cpu", progress=False)
    widget = explorer.explore(page)
    menus = controls(widget)
    assert "have a wrong label" in texts(widget)[0] and texts(widget)[1].count("<img") == 18
    for control, value in (("order", "most improved"), ("from rank", 18), ("label noise", 0.0)):
        answered(menus[control], value)
    assert "Ranks 19 to 36 of 300 by <b>most improved</b>" in texts(widget)[0]
    *_, before, after, ranks = explorer.ranked_by_change(page, 20.0, 1, "most worsened")
    rise = (after - before)[ranks]
    assert (rise[:-1] >= rise[1:]).all()


def test_pictures_have_their_text_escaped():
    shown = picture_grid([[[0, 255], [255, 0]]], ["<b>\n7"], [True])
    assert 'alt="&lt;b&gt;\n7"' in shown and "&lt;b&gt;<br>7" in shown and "font-weight: 600" in shown


def test_without_ipywidgets_the_reader_is_told_what_to_do(page, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    for one in (explorer.explore_noise, explorer.explore_two, explorer.explore_examples):
        assert "make lab" in one(page)._repr_markdown_()
