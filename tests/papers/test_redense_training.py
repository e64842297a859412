"""LN's claim on re-dense training in every state that it can have, and what its page measures."""

import dataclasses

import pytest

from lib.analysis.claims import decide
from papers.label_noise import dynamics, redense_training
from papers.label_noise.claims import CLAIM_BENCHMARKS, CLAIM_TESTS
from papers.label_noise.recipes import plan
from tests.charts import made_up_epochs
from tests.charts.made_up_epochs import REDENSE, WR


def put(table):
    return decide("LN-C13", CLAIM_TESTS["LN-C13"], table, CLAIM_BENCHMARKS["LN-C13"])


def both(**more):
    return made_up_epochs.table(algorithms=(WR, REDENSE), **more)


def redense_at(subset, level, error, noise=20.0, **more):
    """The made-up table with another end of a re-dense network."""
    table = both(**more)
    frame = table.frame.copy()
    here = (frame["subset"] == subset) & (frame["level"] == level) & (frame["algorithm"] == REDENSE)
    frame.loc[here & (frame["noise_percent"] == noise), "error_percent"] = error
    return dataclasses.replace(table, frame=frame)


def test_both_sweet_spots_must_memorize_and_get_worse():
    found = put(both())
    assert found.verdict == "reproduced"
    numbers = found.numbers
    assert numbers["redense_minus_sparse_error_percent_train_noisy_at_20_level_2"] == pytest.approx(-38.0)
    assert numbers["redense_minus_sparse_error_percent_test_at_20_level_3"] == pytest.approx(6.0)
    assert not [name for name in numbers if "level_1" in name or "level_4" in name]


@pytest.mark.parametrize(
    ("subset", "level", "error"),
    [
        ("test", 2, 8.0),
        ("test", 3, 6.0),
        ("test", 3, 5.0),
        ("train_noisy", 2, 40.0),
        ("train_noisy", 3, 70.0),
    ],
)
def test_one_end_that_does_not_is_enough(subset, level, error):
    assert put(redense_at(subset, level, error)).verdict == "not reproduced"


def test_other_levels_and_noise_levels_do_not_count():
    assert put(redense_at("test", 1, 0.0)).verdict == "reproduced"
    assert put(redense_at("test", 2, 0.0, noise=40.0)).verdict == "reproduced"
    assert (
        put(redense_at("test", 2, 0.0, noise=40.0, benchmark="cifar100-resnet18")).verdict == "not reproduced"
    )


def test_too_little_is_undecided_or_not_run():
    found = put(both(seeds=(0, 1)))
    assert found.verdict == "undecided" and "too few replicates" in found.reason
    table = both()
    cut = dataclasses.replace(
        table, frame=table.frame.query(f"not (algorithm == '{REDENSE}' and level == 2)")
    )
    assert put(cut).verdict == "undecided" and "missing levels of redense_training" in put(cut).reason
    found = put(made_up_epochs.table())
    assert (found.verdict, found.reason) == ("not run", "this table has no rows of redense_training.")


def test_the_pages_share_the_sparse_networks():
    for scale in ("smoke", "paper"):
        asked = plan("mnist-lenet", scale)
        sparse, *family = redense_training.chains(asked)
        assert [sparse] == dynamics.chains(asked)
        assert len(family) == asked.levels + 1
        for level, chain in enumerate(family):
            assert chain.stages[-1].lift_masks and chain.stages[-1].level == level
            assert chain.stages[-1].to_epoch == 2 * asked.recipe.epochs
