"""Stability: what pruning events did to accuracy while a network trained (GS; facts D.4, D.6, S9).

    stability = mean over events of 100 · accuracy after / accuracy before    in percent; 100 without events

An event comes between two steps. GS measures it on test images; here it is also measured on images held out of training.
What a run reached is the best test accuracy of the epochs after the plan's last event, the same epochs for pruned and
unpruned runs: a choice made on the test set, as in the paper, so that the accuracy after the last epoch stands beside it.
An event before training, when a network guesses, does not count.
"""

import functools
import math
from collections.abc import Iterator

import torch

from lib.analysis.experiments import Context, Measurement, reported
from lib.models.filters import filters_of
from lib.stages import Entry, Stage
from lib.stages.filter_events import FilterEvents
from lib.training import Recipe, Replicate, evaluate, network_of, prepare
from lib.training.device import arithmetic, find_device

STABILITY, HELD_OUT = "stability (%)", "stability on held-out images (%)"
LOWEST = "lowest stability of an event (%)"
BEST, LAST, GAP = "best test accuracy (%)", "last test accuracy (%)", "generalization gap (%)"
BEST_HELD_OUT = "held-out accuracy (%)"
BY_EPOCH, BEFORE, AFTER = (
    "test accuracy by epoch (%)", "test accuracy before event (%)", "test accuracy after event (%)",
)  # fmt: skip
REMOVED = "filters targeted at event"
WITHOUT_TARGETED = "test accuracy without targeted filters (%)"


def stability(series: bool = True) -> Measurement:
    """Return the measurement of stability and accuracy of every network.

    Args:
        series: also accuracy by epoch, and before and after each event; positions count epochs of training.
    """
    settings = {} if series else {"series": 0}
    return Measurement("stability", functools.partial(_rows, series=series), 1, settings)


def _rows(context: Context, series: bool) -> Iterator[dict]:
    recipe, events = context.plan.recipe, context.plan.filters
    first = first_epoch_after(events, recipe.epochs) if events else 0
    for results in context.results:
        for columns, _, position, entry in reported(results):
            found = of_run(entry.record, first)
            for quantity, value in found.items():
                if not math.isnan(value):
                    yield columns | {"quantity": quantity, "value": round(value, 4)}
            if series:
                start = results.chain.stages[position].from_epoch
                yield from (columns | row for row in _series(entry.record, start))


def first_epoch_after(events: FilterEvents, epochs: int) -> int:
    """Return the first epoch, from 0, that ends after the last event of a training of so many epochs."""
    return min(epochs - 1, math.floor((max(events.last) + 1) * epochs / events.schedule))


def of_run(record: dict, first: int) -> dict[str, float]:
    """Return the numbers of one run, by quantity.

    Args:
        record: of its entry in the store.
        first: epoch from which the best accuracy is taken.
    """
    counted = [event for event in record.get("filter_events", []) if event["epoch"] > 0]
    ratios = {
        name: [100 * e["after"][name] / e["before"][name] for e in counted if e["before"].get(name)]
        for name in ("test", "validation")
    }
    last = {row["subset"]: 100 - row["error_percent"] for row in record["metrics"]}
    test, train = (record["epoch_errors"][name] for name in ("test", "train"))
    best = min(range(first, len(test)), key=lambda epoch: test[epoch])
    found = {
        STABILITY: _mean(ratios["test"]),
        LOWEST: min(ratios["test"], default=100.0),
        BEST: 100 - test[best],
        LAST: last["test"],
        GAP: test[best] - train[best],
    }
    if "validation" in last:
        found |= {HELD_OUT: _mean(ratios["validation"]), BEST_HELD_OUT: last["validation"]}
    return found


def _mean(ratios: list[float]) -> float:
    return sum(ratios) / len(ratios) if ratios else 100.0


def _series(record: dict, start: int) -> Iterator[dict]:
    for epoch, error in enumerate(record["epoch_errors"]["test"], start=start + 1):
        yield {"quantity": BY_EPOCH, "position": float(epoch), "value": round(100 - error, 2)}
    for event in record.get("filter_events", []):
        if event["epoch"] > 0:
            count = sum(map(len, event["filters"].values()))
            for quantity, value in (
                (BEFORE, event["before"]["test"]), (AFTER, event["after"]["test"]), (REMOVED, float(count)),
            ):  # fmt: skip
                yield {"quantity": quantity, "position": event["epoch"], "value": round(value, 2)}


def _without_targeted(context: Context) -> Iterator[dict]:
    for results in context.results:
        for columns, replicate, position, entry in reported(results):
            stage = results.chain.stages[position]
            if stage.filters and stage.filters.effect != "prune":
                measure = functools.partial(_removed, results.chain.recipe, stage, replicate, entry, context.device)
                yield columns | {"quantity": WITHOUT_TARGETED, "value": context.measured([entry], measure)}


REMOVAL = Measurement("removal", _without_targeted, version=2)
"""Test accuracy once all that noise ever zeroed or disturbed is taken away after training: the weights of its filters (GS
App. D.1), with restored values their normalization too (App. D.2)."""


def _removed(recipe: Recipe, stage: Stage, replicate: Replicate, entry: Entry, device: str) -> float:
    """Return the test accuracy of a network, in percent, without what its events zeroed or disturbed."""
    examples = prepare(recipe.data, [replicate], find_device(device))
    network = network_of(recipe, examples.classes)
    assert stage.filters
    weights = entry.tensors("weights")
    for own in filters_of(network.module, stage.filters.layers):
        targeted = sorted({f for event in entry.record["filter_events"] for f in event["filters"].get(own.weight, [])})
        whole = stage.filters.restore or stage.filters.normalization
        for name in own.tensors if whole else filter(None, (own.weight, own.bias)):
            weights[name][targeted] = 0
    stack = {name: tensor.unsqueeze(0).to(examples.test_labels.device) for name, tensor in weights.items()}
    with torch.no_grad(), arithmetic(examples.test_labels.device, "float32"):
        module = network.module.to(examples.test_labels.device)
        found = evaluate(module, stack, examples.test_images, examples.test_labels, examples.normalization)
    return round(100 * found.correct.double().mean().item(), 4)
