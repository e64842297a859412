import sys
from types import SimpleNamespace

import pytest

from lib.charts.theme import specification
from lib.errors import InputError
from lib.widgets import explorer
from lib.widgets import page as page_module
from tests.charts import made

ipywidgets = pytest.importorskip("ipywidgets")


@pytest.fixture
def page(monkeypatch):
    found = made.together(
        made.rows({0: [6.0, 7.0, 8.0], 1: [5.0, 6.0, 7.0]}),
        made.rows({0: [16.0, 17.0, 18.0], 1: [15.0, 16.0, 17.0]}, noise_percent=20.0),
    )
    monkeypatch.setattr(explorer, "rows", lambda tables, quantity: found[found["quantity"] == quantity])
    chain = SimpleNamespace(algorithm=made.FIRST)
    return SimpleNamespace(tables=[SimpleNamespace(dimensions=("noise_percent",))], chains=[chain], found=found)


def test_a_point_is_said_with_its_spread_and_ringed_on_its_curve(page):
    sentence, curve = explorer.point(page.found, 1, noise_percent=20.0, algorithm=made.FIRST)
    assert sentence == "**16.00 ± 1.00** test error (%), 50 % of the weights remain; 3 replicates."
    (line,) = made.lines_of(curve)
    assert [m for m, chosen in zip(line["mean"], line["chosen"], strict=True) if chosen] == [16.0]
    assert "noise 20 %" in specification(curve)["description"]
    with pytest.raises(InputError, match="Level 7 was not measured"):
        explorer.point(page.found, 7, noise_percent=20.0)


def test_each_change_asks_once_for_the_point_and_its_examples(page, monkeypatch):
    asked = []
    monkeypatch.setattr(explorer, "point", lambda found, level, **case: asked.append((level, case)) or ("", None))
    monkeypatch.setattr(explorer, "display", lambda *shown: None)
    monkeypatch.setattr(explorer, "worst_fitted_images", lambda page, noise, level, *which: asked.append(level))
    widget = explorer.explore_noise(page)
    noise, level = widget.children[:2]
    assert [child.description for child in widget.children[:2]] == ["label noise", "level"]
    first = {"table": made.LABEL, "algorithm": made.FIRST, "noise_percent": 0.0}
    assert asked == [(0, first), 0]
    level.value = 1
    noise.value = 20.0
    assert asked[2:] == [(1, first), 1, (1, first | {"noise_percent": 20.0}), 1]


def test_what_is_not_there_is_said(page, monkeypatch):
    shown = []
    monkeypatch.setattr(explorer, "display", lambda *things: shown.extend(things[:1]))

    def refuse(*given, **case):
        raise InputError("the store has no stage for level 0")

    monkeypatch.setattr(page_module, "named_worst", lambda *_: None)
    monkeypatch.setattr(page_module, "worst_fitted", refuse)
    page.page = page.own = page.benchmark = page.scale = page.store = ""
    explorer.explore_noise(page)
    assert "the store has no stage" in shown[-1].data


def test_without_ipywidgets_the_reader_is_told_what_to_do(page, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert "make lab" in explorer.explore_noise(page)._repr_markdown_()
