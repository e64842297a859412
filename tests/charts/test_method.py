import pandas as pd
import pytest

from lib.charts.method import learning_rate_chart, paired_chart
from lib.charts.theme import specification
from lib.errors import InputError
from lib.stages import Prune
from lib.stages.algorithms import extended_dense_training, learning_rate_rewinding
from tests.charts.test_steps import data_of, svg_of


def test_the_learning_rate_is_rewound_at_every_cut(objects_recipe):
    recipe = objects_recipe.model_copy(update={"epochs": 4, "drop_epochs": (2, 3)})
    chart = learning_rate_chart(learning_rate_rewinding(recipe, 2, Prune(fraction=0.5)))
    rates = [(row["trained"], row["rate"]) for row in data_of(chart, "rate")]
    assert rates == [
        (0, 0.1), (2, 0.01), (3, 0.001), (4, 0.1), (5, 0.01), (6, 0.001), (7, 0.1), (8, 0.01), (9, 0.001),
        (10, 0.001),
    ]  # fmt: skip
    assert [row["cut"] for row in data_of(chart, "cut")] == [None, 4, 7]
    assert [row["label"] for row in data_of(chart, "label")] == [
        "level 0\n100 %",
        "level 1\n50 %",
        "level 2\n25 %",
    ]
    assert "NaN" not in svg_of(chart)
    dense = learning_rate_chart(extended_dense_training(recipe, 1))
    assert [row["cut"] for row in data_of(dense, "cut")] == [None, None]


def test_a_pair_is_drawn_for_each_seed_that_both_have():
    first, second = pd.Series({0: 9.0, 1: 8.0, 2: 9.5}), pd.Series({0: 9.5, 1: 8.4, 2: 9.9, 7: 1.0})
    chart = paired_chart(first, second, names=("A", "B"))
    rows = data_of(chart, "difference")
    assert {(row["seed"], row["difference"]) for row in rows} == {
        ("seed 0", -0.5),
        ("seed 1", -0.4),
        ("seed 2", -0.4),
    }
    assert "the first is lower" in specification(chart)["description"]
    assert "NaN" not in svg_of(chart)
    assert (
        "too few pairs" in specification(paired_chart(first.head(2), second, names=("A", "B")))["description"]
    )
    with pytest.raises(InputError, match="no seed in common"):
        paired_chart(first, pd.Series({8: 1.0}), names=("A", "B"))
