"""EL2N, its groups and the overlap of examples, on hand-made cases."""

import math

import pytest
import torch

from lib.analysis.example_groups import (
    GROUPS,
    el2n,
    group_means,
    group_rows,
    percentile_groups,
    scores,
    scoring_replicates,
)
from lib.analysis.overlap import jaccard, most_changed
from lib.errors import InputError
from lib.stages import Prune, run
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.experiment_plan import Plan
from lib.training import Replicate
from lib.training.evaluation import evaluate


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


def test_rows_of_a_plan(recipe, store):
    plan = Plan(recipe=recipe, levels=1, seeds=(0,), noise_percents=(20.0,), prune=Prune(fraction=0.9))

    def finish(chain, some):
        return run(chain, some, store, "cpu", progress=False)

    found = scores(plan, finish, networks=2)
    results = finish(learning_rate_rewinding(recipe, 1, plan.prune), plan.replicates())
    table = list(group_rows([results], found))
    assert len(table) == 2 * GROUPS
    losses = results.entries[0][-1].tensors("examples")["train_losses"].double()
    last = [row["value"] for row in table if row["level"] == 1]
    assert sum(last) / GROUPS == pytest.approx(float(losses.mean()), rel=1e-3)  # 300 examples in 20 groups


def test_overlap_of_random_sets_is_near_a_twentieth():
    draw = torch.Generator().manual_seed(0)
    zero = torch.zeros(10_000)
    overlaps = [
        jaccard(*(most_changed(zero, torch.randn(10_000, generator=draw)) for _ in range(2)))
        for _ in range(20)
    ]
    assert sum(overlaps) / 20 == pytest.approx(0.1 / 1.9, abs=0.003)


def test_overlap_of_known_sets():
    assert jaccard(torch.tensor([1, 2, 3]), torch.tensor([3, 4])) == 0.25
    assert most_changed(torch.tensor([0.0, 5.0, 1.0]), torch.tensor([-1.0, 5.0, 3.0]), 0.5).tolist() == [2, 0]
    with pytest.raises(InputError, match="empty"):
        jaccard(torch.tensor([]), torch.tensor([]))
