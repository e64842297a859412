"""EL2N, its groups and the overlap of examples, on hand-made cases."""

import math

import pandas
import pytest
import torch

from lib.analysis.example_groups import (
    GROUP_LOSS,
    GROUPS,
    effect_ratio,
    el2n,
    group_changes,
    group_means,
    percentile_groups,
    scoring_replicates,
)
from lib.analysis.overlap import jaccard, most_changed
from lib.analysis.part import make_frame
from lib.analysis.table import assemble
from lib.errors import InputError
from lib.training import Replicate
from lib.training.evaluation import evaluate
from tests.analysis.made import WR, rows_of


class Fixed(torch.nn.Module):
    """Gives the same logits to every image."""

    def __init__(self):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.tensor([0.0, math.log(3)]))

    def forward(self, images):
        return self.logits.expand(len(images), 2)


def test_error_norm_of_a_known_softmax():
    """Softmax (1/4, 3/4): against class 0 the error is (−3/4, 3/4), against class 1 (1/4, −1/4)."""
    module = Fixed()
    outcome = evaluate(
        module,
        {"logits": module.logits.detach()[None]},
        torch.zeros(2, 4, 4, 1, dtype=torch.uint8),
        torch.tensor([0, 1]),
        "mnist",
    )
    assert outcome.error_norms[0].tolist() == pytest.approx([0.75 * math.sqrt(2), 0.25 * math.sqrt(2)])


def test_el2n_averages_norms_not_errors():
    assert el2n(torch.tensor([[1.0, 0.0], [0.5, 0.25]])).tolist() == [0.75, 0.125]


def test_groups_are_equal_and_sorted():
    found = percentile_groups(torch.tensor([0.3, 0.1, 0.2, 0.9, 0.1, 0.7]), 3)
    assert found.tolist() == [1, 0, 1, 2, 0, 2]
    many = percentile_groups(torch.rand(1003, generator=torch.Generator().manual_seed(0)))
    assert set(many.bincount(minlength=GROUPS).tolist()) == {50, 51}
    with pytest.raises(InputError, match="at least one a group"):
        percentile_groups(torch.rand(3))


def test_group_means():
    assert group_means(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([0, 0, 1]), 2).tolist() == [2, 5]


def test_scoring_networks_share_the_labels_and_nothing_else():
    many = scoring_replicates(Replicate(seed=2, noise_percent=15.0))
    assert len({one.seed for one in many}) == 10
    assert {dict(one.shared)["label noise"] for one in many} == {2}


def test_changes_of_groups_are_paired_by_seed():
    rows = [
        row | {"quantity": GROUP_LOSS, "position": float(group), "value": row["value"] * group}
        for row in rows_of({"x": [[1.0, 0.5], [1.0, 3.0], [2.0]]})
        for group in (1, 2)
    ]
    frames = [make_frame(rows, ["noise_percent"], "x")]
    table = assemble("toy", "digits", "laptop", ("noise_percent",), frames, {})
    changes = group_changes(table, 1, algorithm=WR, noise_percent=20.0)
    assert changes.to_numpy().tolist() == [[-0.5, -1.0], [2.0, 4.0]] and changes.index.tolist() == [0, 1]


def test_the_effect_ratio_is_of_magnitudes():
    changes = pandas.Series([0.1, -0.1, 0.1, -0.1, -0.6], index=range(1, 6))
    assert effect_ratio(changes) == pytest.approx(6)
    twenty = pandas.Series([1.0] * 16 + [3.0] * 4)
    assert effect_ratio(twenty) == pytest.approx(3)
    assert math.isnan(effect_ratio(pandas.Series([0.0, 0.0, 0.0, 0.0, 1.0])))


def test_overlap_of_random_sets_is_near_a_twentieth():
    draw = torch.Generator().manual_seed(0)
    zero = torch.zeros(10_000)
    overlaps = [
        jaccard(*(most_changed(zero, torch.randn(10_000, generator=draw)) for _ in range(2))) for _ in range(20)
    ]
    assert sum(overlaps) / 20 == pytest.approx(0.1 / 1.9, abs=0.003)


def test_overlap_of_known_sets():
    assert jaccard(torch.tensor([1, 2, 3]), torch.tensor([3, 4])) == 0.25
    assert most_changed(torch.tensor([0.0, 5.0, 1.0]), torch.tensor([-1.0, 5.0, 3.0]), 0.5).tolist() == [2, 0]
    with pytest.raises(InputError, match="empty"):
        jaccard(torch.tensor([]), torch.tensor([]))
