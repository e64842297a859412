"""Stability and accuracy of a run, from a record by hand."""

import math

import pytest

from lib.analysis.stability import BEST, GAP, HELD_OUT, LAST, LOWEST, STABILITY, first_epoch_after, of_run
from lib.stages.filter_events import FilterEvents


def record(events):
    errors = {"test": [60.0, 50.0, 40.0, 45.0], "train": [50.0, 30.0, 10.0, 0.0]}
    metrics = [{"subset": name, "error_percent": percent} for name, percent in (("test", 44.0), ("validation", 42.0))]
    return {"filter_events": events, "epoch_errors": errors, "metrics": metrics}


def event(epoch, before, after, held_out=(50.0, 50.0)):
    accuracies = zip(("before", "after"), (before, after), held_out, strict=True)
    return {"epoch": epoch, "filters": {"a": [1]}} | {
        when: {"test": test, "validation": own} for when, test, own in accuracies
    }


def test_stability_is_the_mean_ratio_of_accuracies_around_events():
    found = of_run(record([event(1, 50.0, 40.0), event(2, 40.0, 44.0, (50.0, 45.0))]), 2)
    assert found[STABILITY] == pytest.approx((80 + 110) / 2)
    assert found[LOWEST] == pytest.approx(80)
    assert found[HELD_OUT] == pytest.approx(95)


def test_nothing_pruned_is_stable():
    found = of_run(record([]), 2)
    assert found[STABILITY] == found[LOWEST] == found[HELD_OUT] == 100


def test_pruning_before_training_counts_as_stable():
    assert of_run(record([event(0, 10.0, 5.0)]), 2)[STABILITY] == 100


def test_the_best_accuracy_is_of_the_epochs_after_the_last_event():
    found = of_run(record([]), 2)
    assert found[BEST] == 60 and found[LAST] == 56
    assert found[GAP] == 30, "90 % of training images and 60 % of test images in that epoch"
    assert of_run(record([]), 3)[BEST] == 55


@pytest.mark.parametrize(("epochs", "first"), [(325, 276), (40, 33), (1, 0)])
def test_the_first_epoch_after_the_last_event(epochs, first):
    events = FilterEvents(layers=("a", "b"), shares=(0.3, 0.9), first=(3, 6), last=(150, 275), every=40, schedule=325)
    assert first_epoch_after(events, epochs) == first
    assert not math.isnan(first)
