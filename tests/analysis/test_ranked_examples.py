"""What a page keeps of its ranked examples, from networks trained in a second, and how it is read back."""

import pytest
import torch

from lib.analysis.measure import tabulate
from lib.analysis.ranked_examples import (
    CHANGE,
    NOISY,
    SCORE,
    images_and_labels,
    listed_levels,
    ranked_rows,
    read_means,
    read_ranked,
)
from lib.stages import run
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.experiment_plan import Plan, Prune
from lib.training import prepare

LEVELS = {"most_worsened": [2], "most_improved": [1, 2], "least_affected": [1, 2]}
COUNT = 5


@pytest.fixture
def measured(recipe, store):
    """A plan, its finished chain, made-up scores and the table with the ranking."""
    plan = Plan(recipe=recipe, levels=2, seeds=(0, 1), noise_percents=(0.0, 20.0), prune=Prune(fraction=0.8))
    chain = learning_rate_rewinding(recipe, 2, plan.prune)
    results = run(chain, plan.replicates(), store, "cpu", progress=False)
    scored = {r: torch.arange(300).double() + 1000 * r.seed for r in plan.replicates()}
    found = list(ranked_rows(plan, results, scored, COUNT, levels=LEVELS))
    return plan, results, tabulate([results], "page", "mnist-lenet", "smoke", found)


def losses(results, i, place):
    return results.entries[i][place].tensors("examples")["train_losses"].double()


def test_without_noise_losses_are_averaged_before_ranking(measured):
    plan, results, table = measured
    clean = [i for i, r in enumerate(results.replicates) if r.noise_percent == 0]
    dense, last = (torch.stack([losses(results, i, place) for i in clean]).mean(0) for place in (1, 3))
    order = (last - dense).clamp_min(1e-5).argsort(descending=True, stable=True)[:COUNT]
    found = read_ranked(table, "most_worsened", 0.0)
    assert found is not None and found.seed == 0 and found.indices.tolist() == order.tolist()
    _, labels = images_and_labels(plan, found.indices)
    assert found.labels.tolist() == labels.tolist()
    score = read_means(table, "most_worsened", SCORE, 0.0)
    assert score.to_dict() == {0: pytest.approx(float(order.double().mean()) + 500)}
    assert read_means(table, "most_worsened", NOISY, 0.0).empty


def test_predictions_are_those_of_the_stored_networks(measured):
    plan, results, table = measured
    found = read_ranked(table, "most_worsened", 20.0)
    assert found is not None and (found.seed, len(found.predictions)) == (0, COUNT)
    i = next(i for i, r in enumerate(results.replicates) if (r.seed, r.noise_percent) == (0, 20.0))
    packed = results.entries[i][3].tensors("examples")["train_correct"]
    right = torch.tensor([bool(packed[j // 8] >> (7 - j % 8) & 1) for j in found.indices.tolist()])
    assert ((found.predictions == found.labels) == right).all()


def test_with_noise_every_replicate_has_its_own_ranking(measured):
    plan, results, table = measured
    shares = read_means(table, "most_worsened", NOISY, 20.0)
    assert set(shares.index) == {0, 1}
    examples = prepare(plan.recipe.data, plan.replicates(), torch.device("cpu"))
    i = next(i for i, r in enumerate(results.replicates) if (r.seed, r.noise_percent) == (0, 20.0))
    found = read_ranked(table, "most_worsened", 20.0)
    assert found is not None
    noisy = examples.noisy[i][found.indices]
    assert shares.to_dict()[0] == pytest.approx(100 * noisy.double().mean().item())
    assert found.labels.tolist() == examples.train_labels[i][found.indices].tolist()
    own = table.quantities
    assert set(own[own["quantity"] == f"most_improved_{CHANGE}"]["level"]) == {2}
    assert read_ranked(table, "most_worsened", 40.0) is None


def test_levels_come_from_the_measured_table(measured):
    plan, results, table = measured
    own = table.frame.query("noise_percent == 0")
    test = own.query("subset == 'test'")
    errors = [test.loc[test["level"] == level, "error_percent"].to_numpy().mean() for level in range(3)]
    expected = [level for level in (1, 2) if errors[level] - errors[0] <= 2]
    assert listed_levels(table.frame, 0.0)["least_affected"] == expected
    assert listed_levels(table.frame.query("level > 0"), 0.0)["least_affected"] == []
    scored = {r: torch.zeros(300) for r in plan.replicates()}
    by_rule = {row["quantity"] for row in ranked_rows(plan, results, scored, COUNT)}
    assert any(name.startswith("least_affected") for name in by_rule) == any(
        listed_levels(table.frame, noise)["least_affected"] for noise in plan.noise_percents
    )
