"""Chains: the algorithms as settings of the same stages, and what a key depends on."""

import pytest

from lib.errors import InputError
from lib.stages import Chain, Prune, Stage, stage_keys
from lib.stages.algorithms import (
    extended_dense_training,
    fine_tuning,
    learning_rate_rewinding,
    one_shot,
    redense_training,
    weight_rewinding,
    without_improved_examples,
)
from lib.stages.experiment_plan import Plan, find_plan, plan_keys
from lib.training import Precision, Replicate
from papers.training_regularization.recipes import CIFAR10_RESNET20

REPLICATE = Replicate(seed=0)


def keys(chain, replicate=REPLICATE, precision: Precision = "float32"):
    return stage_keys(chain, replicate, precision)


def test_all_algorithms_share_the_dense_network(recipe):
    prune = Prune()
    chains = [
        learning_rate_rewinding(recipe, 2, prune),
        weight_rewinding(recipe, 2, prune),
        extended_dense_training(recipe, 2),
        fine_tuning(recipe, 2, prune, 1),
        *one_shot(recipe, 2, Prune(fraction=0.9)),
    ]
    assert len({tuple(keys(chain)[:2]) for chain in chains}) == 1
    assert len({keys(chain)[2] for chain in chains}) == len(chains)


def test_epochs_of_resnet20_are_the_papers():
    """160 epochs for the dense network, 150 more a level (facts A.7)."""
    chain = learning_rate_rewinding(CIFAR10_RESNET20, 1, Prune())
    assert [s.to_epoch - s.from_epoch for s in chain.stages] == [10, 150, 150]
    extended = extended_dense_training(CIFAR10_RESNET20, 1)
    assert [s.to_epoch - s.from_epoch for s in extended.stages] == [10, 150, 150]


def test_a_key_depends_on_what_changes_numbers_only(recipe):
    chain = learning_rate_rewinding(recipe, 2, Prune())
    assert keys(chain) == keys(chain.but(algorithm="other"))
    assert keys(chain) == keys(learning_rate_rewinding(recipe.but(benchmark="x"), 2, Prune()))
    for other in (
        keys(learning_rate_rewinding(recipe.but(learning_rate=1e-3), 2, Prune())),
        keys(chain, Replicate(seed=1)),
        keys(chain, Replicate(seed=0, noise_percent=5.0)),
        keys(chain, Replicate(seed=0, dimensions=(("rate", 0.1),))),
        keys(chain, precision="bfloat16"),
    ):
        assert not set(other) & set(keys(chain))
    other = keys(learning_rate_rewinding(recipe, 2, Prune(fraction=0.5)))
    assert other[:2] == keys(chain)[:2] and not set(other[2:]) & set(keys(chain)[2:])


def test_a_longer_chain_begins_with_the_shorter(recipe):
    assert keys(learning_rate_rewinding(recipe, 5, Prune()))[:4] == keys(learning_rate_rewinding(recipe, 2, Prune()))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda r: Prune(score="magnitud"), "magnitude"),
        (lambda r: Prune(fraction=1.0), "less than 1"),
        (lambda r: Prune(scope="locally"), "'global', 'layer' or 'parameters'"),  # pyright: ignore
        (lambda r: learning_rate_rewinding(r, -1, Prune()), "levels=-1"),
        (lambda r: fine_tuning(r, 1, Prune(), 99), "length of the schedule"),
        (lambda r: Prune(fraction=0.5, keep=0.5), "only one of them"),
        (lambda r: one_shot(r, 1, Prune(keep=0.1)), "keep=0.1 was given"),
        (
            lambda r: Chain(algorithm="x", recipe=r, stages=(Stage(start="previous", from_epoch=0, to_epoch=1),)),
            "first stage starts fresh",
        ),
        (
            lambda r: Chain(algorithm="x", recipe=r, stages=(Stage(start="fresh", from_epoch=2, to_epoch=1),)),
            "before it starts",
        ),
    ],
)
def test_impossible_chains_are_refused(recipe, call, says):
    with pytest.raises(InputError, match=says):
        call(recipe)


def test_an_algorithm_is_named_after_what_it_does_and_its_score(recipe):
    snip = Prune(score="snip")
    assert learning_rate_rewinding(recipe, 1, Prune()).algorithm == "learning-rate rewinding"
    assert learning_rate_rewinding(recipe, 1, snip).algorithm == "learning-rate rewinding, SNIP score"
    assert weight_rewinding(recipe, 1, Prune(score="random")).algorithm == "weight rewinding, random score"
    assert {c.algorithm for c in redense_training(recipe, 1, Prune())} == {"re-dense training"}
    assert {c.algorithm for c in without_improved_examples(recipe, 1, snip, 0.1)} == {
        "without improved examples (10 %), SNIP score"
    }


def test_a_plan_may_vary_dimensions_of_its_own(recipe):
    plan = Plan(recipe=recipe, levels=1, seeds=(0, 1), dimensions=(("rate", (0.1, 0.2)), ("target", ("a",))))
    replicates = plan.replicates()
    assert [dict(r.dimensions) for r in replicates[:2]] == [
        {"rate": 0.1, "target": "a"}, {"rate": 0.2, "target": "a"},
    ]  # fmt: skip
    chain = learning_rate_rewinding(recipe, 1, Prune())
    assert len(plan_keys(plan, [chain])) == 4 * len(chain.stages)


def test_a_plan_is_found_or_what_there_is_is_named(recipe):
    plans = {"digits": {"smoke": Plan(recipe=recipe, levels=1, seeds=(0,))}}
    assert find_plan(plans, "digits", "smoke").levels == 1
    for benchmark, scale, says in [
        ("digit", "smoke", "Did you mean 'digits'"),
        ("digits", "papre", "Did you mean 'paper'"),
        ("digits", "paper", "digits has no paper scale in this paper. Allowed: smoke. Its files are rare."),
    ]:
        with pytest.raises(InputError, match=says):
            find_plan(plans, benchmark, scale, "Its files are rare.")
