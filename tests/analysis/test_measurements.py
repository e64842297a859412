"""Every measurement of networks trained in seconds: its numbers are pinned, and agree with what the store recorded.

Where a pinned number changes, raise the version of the measurement, or committed tables count as current that are not; then
pin anew: python -m tests.analysis.test_measurements --write
"""

import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch

from lib.analysis.distance import DISTANCE, DISTANCES, MASKED_DISTANCE
from lib.analysis.epoch_curves import errors_by_epoch
from lib.analysis.example_groups import GROUP_LOSS, GROUP_SCORE, GROUPS, example_groups
from lib.analysis.example_images import WORST_INDEX, worst_fitted_examples
from lib.analysis.example_stories import EXAMPLES, LOSS, SCORE, example_stories, stories
from lib.analysis.example_stories import INDEX as PLACE
from lib.analysis.experiments import Context, Measurement
from lib.analysis.loss_change import CHANGE, LOSS_CHANGE
from lib.analysis.loss_path import TEST_ERROR, TRAIN_ERROR, TRAIN_LOSS, loss_path
from lib.analysis.loss_slice import loss_slice
from lib.analysis.overlap import OVERLAP, jaccard, most_changed, overlap
from lib.analysis.part import make_frame
from lib.analysis.ranked_examples import INDEX, LABEL, NOISY, PREDICTION, ranked_examples
from lib.analysis.steps import LEFT, STEPS
from lib.analysis.table import Table, assemble, values
from lib.errors import InputError
from lib.stages import Prune, Store, run
from lib.stages.algorithms import longer_width_downscaling, one_shot, redense_training, weight_rewinding
from lib.stages.experiment_plan import Plan
from lib.training import DataRecipe, Recipe
from tests.analysis.made import BEST, TEST, VALIDATION, rows_of

PINNED = Path(__file__).with_name("measurements.json")
SPARSE, REDENSE, ONE_SHOT, WIDTH = (
    "weight rewinding",
    "re-dense training",
    "one-shot pruning",
    "longer width down-scaling",
)
CASE: dict[str, Any] = {"noise_percent": 20.0}
MEASUREMENTS = (
    errors_by_epoch(SPARSE, ("test", "noisy training")), example_groups(SPARSE), overlap(ONE_SHOT, WIDTH), LOSS_CHANGE,
    loss_path(SPARSE, REDENSE), loss_slice(SPARSE, REDENSE), DISTANCES, ranked_examples(SPARSE),
    example_stories(SPARSE), worst_fitted_examples(SPARSE), STEPS,
)  # fmt: skip
DISCRETE = (INDEX, LABEL, PREDICTION, PLACE, LOSS)  # they jump where two examples are nearly alike


def make_context(folder: str | Path) -> Context:
    """Train 25 small networks; the levels are those of a table made by hand, so that no near tie chooses them."""
    recipe = Recipe(
        benchmark="digits", network="lenet-300-100", epochs=3, batch_size=64, optimizer="sgd", learning_rate=0.1,
        data=DataRecipe(image_set="generated-digits", validation=0, train=300, test=100, normalization="mnist", noise="any"),
        record_epochs=True,
    )  # fmt: skip
    plan = Plan(recipe=recipe, prune=Prune(fraction=0.8), levels=2, seeds=(0, 1), noise_percents=(20.0,))
    store = Store(folder)

    def finish(chain, replicates):
        return run(chain, replicates, store, "cpu", progress=False)

    given = (recipe, plan.levels, plan.prune)
    families = [one_shot(*given), longer_width_downscaling(recipe, 2, 0.4), redense_training(*given)]
    chains = [weight_rewinding(*given), *(chain for family in families for chain in family)]
    errors = {
        TEST: [[20.0, 25.0, 12.0]] * 2,
        BEST: [[15.0, 14.0, 11.0]] * 2,
        VALIDATION: [[20.0, 25.0, 12.0]] * 2,
    }
    errors["training loss (nats)"] = [[1.0, 0.5, 2.0]] * 2
    rows = (row for name in (SPARSE, ONE_SHOT, WIDTH) for row in rows_of(errors, algorithm=name))
    table = assemble("toy", "digits", "laptop", ("noise_percent",), [make_frame(rows, ["noise_percent"], "x")], {})
    return Context(plan, [finish(chain, plan.replicates()) for chain in chains], finish, table, store, "cpu")


def rows_in(context: Context, measurement: Measurement) -> Table:
    """Measure, and return the rows as a table."""
    context = dataclasses.replace(context, measurement=measurement)
    frame = make_frame(measurement.rows(context), ["noise_percent"], "x")
    return assemble("toy", "digits", "laptop", ("noise_percent",), [frame], {})


def summary(table: Table) -> dict[str, list[float]]:
    """Return count, mean, and mean weighted by seed, level and position, of each quantity."""
    found = {}
    for quantity, own in table.frame.groupby("quantity"):
        weight = 1 + own["seed"] + 2 * own["level"] + own["position"] / 10
        means = [one.to_numpy().mean().item() for one in (own["value"], own["value"] * weight)]
        found[str(quantity)] = [float(len(own)), *([] if str(quantity).endswith(DISCRETE) else means)]
    return found


@pytest.fixture(scope="module")
def context(tmp_path_factory) -> Context:
    return make_context(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def measured(context) -> dict[str, Table]:
    return {one.name: rows_in(context, one) for one in MEASUREMENTS}


@pytest.mark.parametrize("measurement", MEASUREMENTS, ids=lambda one: one.name)
def test_numbers_change_with_a_new_version_only(measured, measurement):
    found, pinned = summary(measured[measurement.name]), json.loads(PINNED.read_text())[measurement.name]
    assert pinned["identity"] == measurement.identity("smoke")
    assert found.keys() == pinned["numbers"].keys()
    for quantity, numbers in found.items():
        assert numbers == pytest.approx(pinned["numbers"][quantity], rel=5e-3, abs=1e-4), quantity


def losses(context, algorithm, seed, position=-1, chain=0):
    return context.of(algorithm)[chain].entries[seed][position].tensors("examples")["train_losses"].double()


def recorded(entry, subset, name="error_percent"):
    return next(m[name] for m in entry.record["metrics"] if m["subset"] == subset)


def test_groups_cover_all_examples(context, measured):
    table = measured["example groups"]
    found = values(table, GROUP_LOSS, "position", algorithm=SPARSE, level=2, **CASE)
    assert found.shape == (2, GROUPS) and found.loc[0].mean() == pytest.approx(
        float(losses(context, SPARSE, 0).mean()), rel=1e-3
    )
    scores = values(table, GROUP_SCORE, "position", algorithm=SPARSE, level=0, **CASE)
    assert scores.loc[1].is_monotonic_increasing and set(table.frame["level"]) == {0, 1, 2}


def test_overlap_is_of_the_best_smaller_networks(context, measured):
    found = values(measured["overlap"], OVERLAP, algorithm=ONE_SHOT, **CASE)
    assert found.columns.tolist() == [2]
    dense = losses(context, WIDTH, 1)
    smaller = losses(context, ONE_SHOT, 1, chain=1), losses(context, WIDTH, 1, chain=2)
    assert found.loc[1, 2] == pytest.approx(jaccard(*(most_changed(dense, one) for one in smaller)), abs=1e-5)


def test_errors_by_epoch_end_with_the_last_epoch(context, measured):
    table = measured["errors by epoch"]
    for algorithm, last in ((SPARSE, 3.0), (REDENSE, 6.0)):
        found = values(table, "test error by epoch (%)", "position", algorithm=algorithm, level=1, **CASE)
        assert found.columns.tolist() == [last - 2, last - 1, last]
        entry = context.of(algorithm)[0 if algorithm == SPARSE else 1].entries[1][2 if algorithm == SPARSE else -1]
        assert found.loc[1, last] == pytest.approx(recorded(entry, "test"), abs=0.01)
    assert set(table.frame["quantity"]) >= {"noisy training error by epoch (%)"}
    assert "training error by epoch (%)" not in set(table.frame["quantity"])


def test_the_loss_changes_from_what_the_store_recorded(context, measured):
    change = values(measured["loss change"], CHANGE, algorithm=SPARSE, **CASE)
    one_step = values(measured["loss change"], CHANGE, algorithm=ONE_SHOT, **CASE)
    assert change.columns.tolist() == [1, 2] and change[1].tolist() == one_step[1].tolist(), "the same first step"
    assert (change > 0).to_numpy().all()


def test_paths_and_slices_agree_with_what_was_recorded(context, measured):
    path, around = measured["loss path"], measured["loss slice"]
    line = values(path, TRAIN_LOSS, "position", algorithm=REDENSE, level=1, **CASE)
    errors = values(path, TEST_ERROR, "position", algorithm=REDENSE, level=1, **CASE)
    assert line.shape == (2, 101) and errors.shape == (2, 26) and set(path.frame["level"]) == {1, 2}
    assert TRAIN_ERROR in set(path.frame["quantity"])
    for entry, place in zip(context.of(REDENSE)[1].entries[0][-2:], (0.0, 1.0), strict=True):
        assert line.loc[0, place] == pytest.approx(recorded(entry, "train", "cross_entropy_nats"), rel=2e-3)
        assert errors.loc[0, place] == pytest.approx(recorded(entry, "test"), abs=0.01)
    redense = values(around, "training loss along direction (nats)", "position", algorithm=REDENSE, level=1, **CASE)
    dense = values(around, "training loss along direction (nats)", "position", algorithm=SPARSE, level=0, **CASE)
    assert redense.loc[0, 0.0] == line.loc[0, 1.0] < redense.loc[0].max() and dense.shape == (2, 51)


def test_distance_of_the_mask_is_that_of_kept_weights(measured):
    far, near = (values(measured["distance"], name, algorithm=SPARSE, **CASE) for name in (DISTANCE, MASKED_DISTANCE))
    assert far[0].tolist() == near[0].tolist() and (near[[1, 2]] < far[[1, 2]]).to_numpy().all()
    assert values(measured["distance"], MASKED_DISTANCE, algorithm=REDENSE, **CASE).shape == (2, 3)


def test_ranked_examples_are_those_that_change_most(context, measured):
    table = measured["ranked examples"]
    worst = values(table, f"most worsened: {INDEX}", "position", algorithm=SPARSE, **CASE)
    dense, last = losses(context, SPARSE, 1, 1), losses(context, SPARSE, 1, 3)
    order = (last - dense).clamp_min(1e-5).argsort(descending=True, stable=True)[:20]
    assert worst.loc[1].tolist() == order.tolist(), "with noise, each replicate has a ranking of its own"
    assert values(table, f"most worsened: {NOISY}", algorithm=SPARSE, **CASE).shape == (2, 1)
    predicted, trained_on = (
        values(table, f"most worsened: {name}", "position", algorithm=SPARSE, **CASE) for name in (PREDICTION, LABEL)
    )
    packed = context.of(SPARSE)[0].entries[1][3].tensors("examples")["train_correct"]
    right = torch.tensor([bool(packed[j // 8] >> (7 - j % 8) & 1) for j in order.tolist()])
    assert (predicted.loc[1] == trained_on.loc[1]).tolist() == right.tolist()


def test_stories_are_of_examples_from_easy_to_hard(context, measured):
    table = measured["example stories"]
    places = values(table, PLACE, "position", algorithm=SPARSE, **CASE)
    assert places.shape == (1, GROUPS * EXAMPLES), "with noise, of the first replicate alone"
    scores = values(table, SCORE, "position", algorithm=SPARSE, **CASE).loc[0]
    assert scores.is_monotonic_increasing
    last = values(table, LOSS, "position", algorithm=SPARSE, level=2, **CASE).loc[0]
    index = torch.tensor(places.loc[0].tolist()).long()
    assert last.tolist() == pytest.approx(losses(context, SPARSE, 0)[index].tolist(), rel=1e-3)
    found = stories(context.plan, table, algorithm=SPARSE, **CASE)
    assert found.groups[:5] == [1, 1, 1, 1, 2] and len(found.examples.images) == len(found.groups)
    assert not found.examples.noisy[0] and sum(found.examples.noisy[-4 * EXAMPLES :]) > EXAMPLES, (
        "wrong labels are hard"
    )
    with pytest.raises(InputError, match="not measured"):
        stories(context.plan, measured["overlap"], algorithm=SPARSE, **CASE)


def test_worst_fitted_examples_have_the_highest_losses(context, measured):
    named = values(measured["worst-fitted examples"], WORST_INDEX, "position", algorithm=SPARSE, level=2, **CASE)
    own = losses(context, SPARSE, 0)
    assert named.index.tolist() == [0], "of the first replicate alone"
    assert (
        own[named.loc[0].astype(int).tolist()].tolist() == own.sort(descending=True).values[: named.shape[1]].tolist()
    )


def test_steps_count_what_is_left(measured):
    left = values(measured["steps"], LEFT, algorithm=SPARSE, **CASE).loc[0].tolist()
    assert left == [265_200, 53_040, 10_608]


def test_what_was_measured_is_not_measured_again(context, measured, monkeypatch):
    """A kill loses no network that was measured, and another version measures anew."""
    monkeypatch.setattr("lib.analysis.loss_path.measure_stack", lambda *_: pytest.fail("measured again"))
    one = next(one for one in MEASUREMENTS if one.name == "loss path")
    assert rows_in(context, one).frame.equals(measured["loss path"].frame)
    with pytest.raises(pytest.fail.Exception, match="measured again"):
        rows_in(context, dataclasses.replace(one, version=2))


if __name__ == "__main__" and "--write" in sys.argv:
    with tempfile.TemporaryDirectory() as folder:
        made = make_context(folder)
        pins = {
            one.name: {"identity": one.identity("smoke"), "numbers": summary(rows_in(made, one))}
            for one in MEASUREMENTS
        }
    PINNED.write_text(json.dumps(pins, indent=1) + "\n")
