"""Ranking examples by what pruning does to their loss: by hand, and against the formula written out."""

import math

import pytest
import torch

from lib.analysis.ranking import (
    CATEGORIES,
    FLOOR,
    geometric_means,
    levels_of_categories,
    majority,
    ranked,
)
from lib.errors import InputError


def test_levels_follow_the_rules_of_the_paper():
    errors = {0: 7.0, 1: 6.5, 2: 6.0, 3: 6.9, 4: 9.0, 5: 9.1}
    losses = {0: 0.10, 1: 0.05, 2: 0.20, 3: 0.30, 4: 0.40, 5: 0.50}
    found = levels_of_categories(errors, losses)
    assert found == {"most worsened": [2, 3], "most improved": [1], "least affected": [1, 2, 3, 4]}
    assert levels_of_categories(errors, losses, worse_by=2.1)["least affected"] == [1, 2, 3, 4, 5]


def test_worsened_examples_fall_back_on_preserved_generalization():
    errors, losses = {0: 1.8, 1: 1.5, 2: 2.5, 3: 3.8, 4: 4.0}, {0: 0.01, 1: 0.0, 2: 0.005, 3: 0.02, 4: 0.03}
    found = levels_of_categories(errors, losses)
    assert found == {"most worsened": [3], "most improved": [1], "least affected": [1, 2, 3]}
    assert levels_of_categories({0: 5.0, 1: 9.0}, {0: 0.1, 1: 0.2}) == {name: [] for name in CATEGORIES}
    with pytest.raises(InputError, match="level 0"):
        levels_of_categories({1: 1.0}, {1: 1.0})


def test_a_geometric_mean_asks_for_a_change_at_every_level():
    changes = torch.tensor([[4.0, 2.0, -1.0], [1.0, 2.0, 100.0]])
    assert geometric_means(changes).tolist() == pytest.approx([2.0, 2.0, math.sqrt(100 * FLOOR)])
    with pytest.raises(InputError, match="floor"):
        geometric_means(changes, 0.0)
    with pytest.raises(InputError, match="no levels"):
        geometric_means(changes[:0])


def test_the_first_examples_of_each_category_by_hand():
    before = torch.tensor([1.0, 1.0, 1.0, 1.0])
    after = torch.tensor([[3.0, 0.5, 1.0, 1.1], [2.0, 0.2, 1.0, 1.3]])
    order, means = ranked("most worsened", before, after, 2)
    assert order.tolist() == [0, 3] and means.tolist() == pytest.approx([math.sqrt(2), math.sqrt(0.03)])
    order, means = ranked("most improved", before, after, 1)
    assert order.tolist() == [1] and means.tolist() == pytest.approx([math.sqrt(0.4)])
    assert ranked("least affected", before, after, 9)[0].tolist() == [2, 3, 1, 0]
    with pytest.raises(InputError, match="most improved"):
        ranked("improved", before, after)


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("floor", [FLOOR, 0.3])
def test_brute_force(category, floor):
    generator = torch.Generator().manual_seed(3)
    before, after = torch.rand(40, generator=generator), torch.rand(3, 40, generator=generator)
    sign = {"most worsened": lambda c: c, "most improved": lambda c: -c, "least affected": abs}[category]
    means = []
    for i in range(40):
        product = 1.0
        for level in range(3):
            product *= max(sign(after[level, i].double().item() - before[i].double().item()), floor)
        means.append(product ** (1 / 3))
    order, found = ranked(category, before, after, 40, floor)
    assert found.tolist() == pytest.approx([means[i] for i in order.tolist()])
    rounded = [round(m, 12) * (1 if category == "least affected" else -1) for m in means]
    assert [rounded[i] for i in order.tolist()] == sorted(rounded)
    tied = [i for i in order.tolist() if means[i] == pytest.approx(floor, rel=1e-12)]
    assert tied == sorted(tied), "ties go by position"


def test_the_majority_of_predictions():
    predictions = torch.tensor([[1, 5, 0], [1, 3, 2], [2, 3, 1]])
    assert majority(predictions).tolist() == [1, 3, 0]
