import sys

import numpy as np
import pytest

from lib.charts.theme import MIME
from lib.errors import InputError
from lib.widgets.explorer import explore_noise
from tests.charts import made_up

ipywidgets = pytest.importorskip("ipywidgets")


def parts(widget, kind):
    return [child for child in widget.children if isinstance(child, kind)]


def shown(output):
    return output.outputs[0]["data"]


def test_noise_and_level_choose_the_point_and_its_examples():
    asked = []

    def examples(noise_percent, level):
        asked.append((noise_percent, level))
        return np.zeros((3, 28, 28), np.uint8), [1, 2, 3], [1, 2, 4], [0.1, 0.2, 0.3]

    widget = explore_noise([made_up.table()], examples)
    (noise,), (level,) = parts(widget, ipywidgets.Dropdown), parts(widget, ipywidgets.SelectionSlider)
    curve, pictures = parts(widget, ipywidgets.Output)
    assert asked == [(15.0, 0)], "drawn once at the start"
    level.value = 2
    assert asked[-1] == (15.0, 2) and len(asked) == 2
    assert "8.60 ± 0.30 %" in parts(widget, ipywidgets.HTML)[0].value
    marked = [row for row in made_up.rows_of(shown(curve)[MIME], "marked") if row["marked"]]
    assert [(row["noise"], row["level"]) for row in marked] == [("15 %", 2)]
    assert "level 2" in shown(pictures)["text/plain"]
    noise.value = 0.0
    assert asked[-1] == (0.0, 2), "the level stays where it was"


def test_another_algorithm_is_followed():
    widget = explore_noise([made_up.algorithms()], algorithm="weight_rewinding")
    (level,) = parts(widget, ipywidgets.SelectionSlider)
    level.value = 2
    assert "7.60 ± 0.30 %" in parts(widget, ipywidgets.HTML)[0].value
    marked = [
        row
        for row in made_up.rows_of(shown(parts(widget, ipywidgets.Output)[0])[MIME], "marked")
        if row["marked"]
    ]
    assert [row["mean"] for row in marked] == [7.6]


def test_several_tables_get_a_menu():
    widget = explore_noise([made_up.table(), made_up.table("laptop", seeds=(0,), origin="this machine")])
    tables = parts(widget, ipywidgets.Dropdown)[0]
    tables.value = 1
    assert "laptop scale, 1 replicate" in shown(parts(widget, ipywidgets.Output)[0])["text/plain"]


def test_examples_that_are_not_there_are_said():
    def examples(noise_percent, level):
        raise FileNotFoundError("the store has no stage for level 0")

    widget = explore_noise([made_up.table()], examples)
    assert "the store has no stage" in shown(parts(widget, ipywidgets.Output)[1])["text/plain"]


def test_without_ipywidgets_the_reader_is_told_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    message = explore_noise([made_up.table()])
    assert "make lab" in message._repr_markdown_()


def test_no_table_is_refused():
    with pytest.raises(InputError, match="at least one table"):
        explore_noise([])
