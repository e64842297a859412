"""Ranking examples by what pruning does to their loss: by hand, and against the formula written out."""

import math

import pytest
import torch

from lib.analysis.ranked_examples import CATEGORIES, FLOOR, levels_of_categories, majority, ranked
from lib.errors import InputError


def test_levels_follow_the_rules_of_the_paper():
    errors = {0: 7.0, 1: 6.5, 2: 6.0, 3: 6.9, 4: 9.0, 5: 9.1}
    losses = {0: 0.10, 1: 0.05, 2: 0.20, 3: 0.30, 4: 0.40, 5: 0.50}
    found = levels_of_categories(errors, losses)
    assert found == {"most worsened": [2, 3], "most improved": [1], "least affected": [1, 2, 3, 4]}


def test_worsened_examples_fall_back_on_preserved_generalization():
    errors, losses = {0: 1.8, 1: 1.5, 2: 2.5, 3: 3.8, 4: 4.0}, {0: 0.01, 1: 0.0, 2: 0.005, 3: 0.02, 4: 0.03}
    found = levels_of_categories(errors, losses)
    assert found == {"most worsened": [3], "most improved": [1], "least affected": [1, 2, 3]}
    for error in ({0: 5.0, 1: 9.0}, {1: 1.0}):
        assert levels_of_categories(error, {0: 0.1, 1: 0.2}) == {name: [] for name in CATEGORIES}


def test_the_first_examples_of_each_category_by_hand():
    before = torch.tensor([1.0, 1.0, 1.0, 1.0])
    after = torch.tensor([[3.0, 0.5, 1.0, 1.1], [2.0, 0.2, 1.0, 1.3]])
    order, means = ranked("most worsened", before, after, 2)
    assert order.tolist() == [0, 3] and means.tolist() == pytest.approx([math.sqrt(2), math.sqrt(0.03)])
    order, means = ranked("most improved", before, after, 1)
    assert order.tolist() == [1] and means.tolist() == pytest.approx([math.sqrt(0.4)])
    assert ranked("least affected", before, after, 9)[0].tolist() == [2, 3, 1, 0]
    for category, losses, words in (
        ("improved", after, "most improved"),
        ("most improved", after[:0], "no levels"),
    ):
        with pytest.raises(InputError, match=words):
            ranked(category, before, losses)


@pytest.mark.parametrize("category", CATEGORIES)
def test_brute_force(category):
    generator = torch.Generator().manual_seed(3)
    before, after = torch.rand(40, generator=generator), torch.rand(3, 40, generator=generator)
    sign = {"most worsened": lambda c: c, "most improved": lambda c: -c, "least affected": abs}[category]
    changes = (after.double() - before.double()).T.tolist()
    means = [math.prod(max(sign(change), FLOOR) for change in own) ** (1 / 3) for own in changes]
    order, found = ranked(category, before, after, 40)
    assert found.tolist() == pytest.approx([means[i] for i in order.tolist()])
    rounded = [round(m, 12) * (1 if category == "least affected" else -1) for m in means]
    assert [rounded[i] for i in order.tolist()] == sorted(rounded)
    tied = [i for i in order.tolist() if means[i] == pytest.approx(FLOOR, rel=1e-12)]
    assert tied == sorted(tied), "ties go by position"


def test_the_majority_of_predictions():
    predictions = torch.tensor([[1, 5, 0], [1, 3, 2], [2, 3, 1]])
    assert majority(predictions).tolist() == [1, 3, 0]
