"""The hooks that prune filters while a network trains, and write down what each event did (GS; facts D.2 to D.4, D.6).

An event comes between two steps: accuracy is measured, filters are chosen, their maps become zero, accuracy is measured
again, and training goes on with the same optimizer. Stability is

    100 · accuracy after / accuracy before    in percent, averaged over events.

All that a run needs to go on lies in the progress, so that one that is killed ends with the same bits.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lib.errors import InputError
from lib.models import Network
from lib.models.filters import Filters, filters_of
from lib.pruning.filter_scores import FilterTensors, find_filter_score
from lib.pruning.selection import by_target
from lib.stages.filter_events import FilterEvents
from lib.training import Examples, Part, Progress, Recipe, Replicate, evaluate
from lib.training.loop import Hooks

RECORDED_EVERY, RECORDED_SHARE = 10, 0.1
"""Every tenth batch moves the average of |z| a tenth of the way to its own mean (GS App. A.4)."""


def extra_masks(module: nn.Module, events: FilterEvents, stack: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return masks, all True, of the parameters besides the convolutions' weights that events may mask."""
    names = (name for own in filters_of(module, events.layers) for name in own.parameters if name != own.weight)
    return {name: torch.ones_like(stack[name], dtype=torch.bool) for name in names}


def prune_while_training(
    events: FilterEvents,
    network: Network,
    replicates: Sequence[Replicate],
    examples: Examples,
    recipe: Recipe,
    part: Part,
) -> Hooks:
    """Return the hooks of a training in which filters are pruned.

    Args:
        events: which and when.
        network: its convolutions must be followed by batch normalization (`lib.models.filters`).
        replicates, examples: R replicates and their examples, in the order of the stack's rows.
        recipe, part: what is trained; steps are counted as they count them.

    Returns:
        Hooks whose `Progress.kept` has "events": a list of records, in order, of `epoch` (a number), `filters` (layer → for
        each replicate the indices that were newly targeted), `before` and `after` ("test" and "validation" → accuracy of
        each replicate in percent).
    """
    pruning = _Pruning(events, network, replicates, examples, recipe, part)
    recorder = pruning.recorder
    return Hooks(pruning.before_step, recorder.stop, recorder.watch) if recorder else Hooks(pruning.before_step)


class _Recorder:
    """Averages |z| over training batches, by a forward hook that writes into tensors in place.

    The hook is part of a recorded CUDA graph; a share of zero makes it write what is there.
    """

    def __init__(self, module: nn.Module, filters: Sequence[Filters], replicates: int):
        self._filters, self.handles, self.share = filters, [], torch.zeros(())
        self.means = {one.weight: torch.zeros(replicates, len(module.get_parameter(one.weight))) for one in filters}

    def watch(self, module: nn.Module) -> None:
        """Average what this module computes; its layers have the names of the network's."""
        self._module = module

    def start(self, kept: dict[str, Any], device: torch.device) -> None:
        """Go on with the averages that are kept, or from zero."""
        self.share = self.share.to(device)
        self.means = {name: means.to(device) for name, means in kept.get("activation", self.means).items()}
        kept["activation"] = self.means
        for one in self._filters:
            layer = self._module.get_submodule(one.maps)
            self.handles.append(layer.register_forward_hook(self._hook(self.means[one.weight])))

    def _hook(self, means: Tensor) -> Callable[..., None]:
        @torch.no_grad()
        def record(layer: nn.Module, given: Any, maps: Tensor) -> None:
            if layer.training:
                now = maps.abs().float().mean((0, 2, 3)).view_as(means)
                means.add_((now - means) * self.share)

        return record

    def stop(self, progress: Progress) -> None:
        """Take the forward hooks away, until training goes on: others use the module between epochs."""
        for handle in self.handles:
            handle.remove()
        self.handles.clear()


@dataclass
class _Pruning:
    """Arguments are those of `prune_while_training`."""

    events: FilterEvents
    network: Network
    replicates: Sequence[Replicate]
    examples: Examples
    recipe: Recipe
    part: Part

    def __post_init__(self):
        count = self.part.examples_per_epoch or len(self.examples.train_images)
        self.per_epoch = -(-count // self.recipe.batch_size)
        steps = self.part.steps(self.per_epoch)
        self.due = {steps.start + step: layers for step, layers in self.events.steps(len(steps)).items()}
        self.filters = {one.weight: one for one in filters_of(self.network.module, self.events.layers)}
        self.score = find_filter_score(self.events.score)
        recorded = self.events.score == "activation" and self.events.target != "random"
        values = [*self.filters.values()]
        self.recorder = _Recorder(self.network.module, values, len(self.replicates)) if recorded else None

    def before_step(self, step: int, progress: Progress) -> bool:
        """Do what is due before a step; return whether weights or masks changed."""
        if self.recorder:
            if not self.recorder.handles:
                self.recorder.start(progress.kept, self.examples.train_images.device)
            self.recorder.share.fill_(RECORDED_SHARE if step % RECORDED_EVERY == 0 else 0.0)
        changed = self._disturb(step, progress, begin=False)
        if step not in self.due:
            return changed
        before = self._accuracies(progress)
        chosen = {layer: self._choose(layer, step, events, progress) for layer, events in self.due[step].items()}
        for layer, rows in chosen.items():
            self._begin(layer, rows, step, progress)
        self._disturb(step, progress, begin=True)
        record = {
            "epoch": step / self.per_epoch,
            "filters": {layer: [row.nonzero().flatten().tolist() for row in rows] for layer, rows in chosen.items()},
            "before": before,
            "after": self._accuracies(progress),
        }
        progress.kept.setdefault("events", []).append(record)
        return True

    def _accuracies(self, progress: Progress) -> dict[str, list[float]]:
        """Return accuracy in percent of each replicate on test and held-out images, those that there are."""
        e, found = self.examples, {}
        sets = {"test": (e.test_images, e.test_labels), "validation": (e.validation_images, e.validation_labels)}
        for name, (images, labels) in sets.items():
            some = slice(self.events.images)
            if len(labels):
                outcome = evaluate(self.network.module, progress.stack, images[some], labels[some], e.normalization)
                found[name] = (100 * outcome.correct.double().mean(1)).tolist()
        return found

    def _targeted(self, layer: str, progress: Progress) -> Tensor:
        """Return which filters of a layer were ever targeted, bool [R, F]."""
        kept = progress.kept.setdefault("targeted", {})
        weight = progress.stack[layer]
        kept.setdefault(layer, torch.zeros(weight.shape[:2], dtype=torch.bool))
        return kept[layer]

    def _choose(self, layer: str, step: int, events: int, progress: Progress) -> Tensor:
        """Return which filters of a layer an event targets, bool [R, F]; exactly as many as the schedule says."""
        targeted, own = self._targeted(layer, progress), self.filters[layer]
        left = self.events.left(layer, targeted.shape[1], events)
        chosen = torch.zeros_like(targeted)
        for row, replicate in enumerate(self.replicates):
            free = ~targeted[row]
            count = int(free.sum()) - left
            if count < 1:
                continue
            if self.events.target == "random":
                draws = replicate.generator("filters", self.events.layers.index(layer), events)
                scores = torch.rand(len(free), generator=draws)
            else:
                weight, scale, shift = (progress.stack[n][row].detach() for n in (own.weight, own.scale, own.shift))
                means = self.recorder.means[layer][row] if self.recorder else None
                if means is not None and not means.any():
                    raise InputError(
                        f"no activation of {layer} was recorded before the event at step {step}. Allowed with the score "
                        "'activation': events after the first step, of networks that one process trains."
                    )
                tensors = FilterTensors(weight, scale, shift, means)
                scores = self.score(tensors).float().cpu()
            chosen[row] = by_target(scores, free, self.events.target, count)
        return chosen

    def _begin(self, layer: str, rows: Tensor, step: int, progress: Progress) -> None:
        """Mark filters as targeted, and prune them or begin their disturbance."""
        own, targeted = self.filters[layer], self._targeted(layer, progress)
        targeted |= rows
        if self.events.effect != "prune":
            acts = targeted.clone() if self.events.restore else rows
            active: dict[str, Any] = {"since": step, "rows": acts}
            if self.events.restore:
                names = [*own.parameters, *self._statistics(own)]
                active["before"] = {name: progress.stack[name].detach().clone() for name in names}
            progress.kept.setdefault("active", {})[layer] = active
            return
        names = own.parameters if self.events.normalization else tuple(filter(None, (own.weight, own.bias)))
        for name in names:
            gone = _like(rows, progress.stack[name])
            progress.masks[name].masked_fill_(gone, False)
            progress.stack[name].masked_fill_(gone, 0)
        if own.gate and self.events.normalization:
            progress.stack[own.gate].masked_fill_(_like(rows, progress.stack[own.gate]), 0)

    def _statistics(self, own: Filters) -> tuple[str, ...]:
        prefix = own.scale.removesuffix("weight")
        return f"{prefix}running_mean", f"{prefix}running_var"

    def _disturb(self, step: int, progress: Progress, begin: bool) -> bool:
        """Disturb the weights of filters that an event targeted less than `batches` steps ago; return whether it did.

        Args:
            step: which comes next.
            progress: whose weights are disturbed.
            begin: those whose event is of this step, else those of steps before.
        """
        active: dict[str, Any] = progress.kept.get("active", {})
        layers = [layer for layer, one in active.items() if (one["since"] == step) == begin]
        for layer in layers:
            one, own = active[layer], self.filters[layer]
            if step - one["since"] < self.events.batches:
                if self.events.effect == "gaussian":
                    self._add_noise(layer, one, step, progress)
                else:
                    names = own.parameters if self.events.restore else (own.weight,)
                    for name in names:
                        progress.stack[name].masked_fill_(_like(one["rows"], progress.stack[name]), 0)
                continue
            for name, before in one.get("before", {}).items():
                now = progress.stack[name]
                now.copy_(torch.where(_like(one["rows"], now), before.to(now), now))
            del active[layer]
        return bool(layers)

    def _add_noise(self, layer: str, one: Mapping[str, Any], step: int, progress: Progress) -> None:
        weight, free = progress.stack[layer], ~self._targeted(layer, progress)
        variance = self.events.first_variance if step == one["since"] else 1.0
        for row, replicate in enumerate(self.replicates):
            own, rows = weight[row], one["rows"][row].to(weight.device)
            deviation = own[free[row].to(weight.device)].std() * variance**0.5
            draws = replicate.generator("filter noise", self.events.layers.index(layer), step)
            own[rows] += deviation * torch.randn(own[rows].shape, generator=draws).to(own)


def _like(rows: Tensor, tensor: Tensor) -> Tensor:
    """Return rows, bool [R, F], on the device of a tensor [R, F, ...] and with as many axes."""
    return rows.to(tensor.device).view(*rows.shape, *[1] * (tensor.dim() - 2))


def event_records(progress: Progress, index: int) -> Iterator[dict[str, Any]]:
    """Yield the records of one replicate's events: `epoch`, `filters` by layer, `before` and `after` by set of images."""
    for one in progress.kept.get("events", []):
        yield {
            "epoch": round(one["epoch"], 4),
            "filters": {layer: rows[index] for layer, rows in one["filters"].items()},
            **{when: {name: round(rows[index], 4) for name, rows in one[when].items()} for when in ("before", "after")},
        }
