"""Training only what a pruned network still computes with.

A unit (a pixel, a neuron, a filter) has a path if unpruned weights lead from it to the output. The others change neither
the function nor any gradient, so they are left out while a stage trains, with the rows and columns of weights that belong
to them, and scattered back after it. A unit that only lost its inputs stays: its bias still reaches the output. A filter of
which pruning removed everything, its weights, bias, scale and shift, hands on zeros: it is left out too, and no gradient
reaches the weights that read it.

Weight decay also shrinks weights without a path, and pruning compares magnitudes later. Without a gradient, momentum SGD
(v ← μ v + λ w, w ← w - η v; Nesterov's w ← w - η (λ w + μ v)) is linear in w, so that steps multiply them all by one
number, `decay_factors`. Running statistics of filters without a path would go on too, though no output depends on them:
s ← (1 - α) s + α x with α = 0.1 forgets what it was within `remembered_steps`, so that these last steps of a stage compute
with everything.
"""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from lib.models.units import MULTIPLE, Units, places_kept
from lib.training.loop import Progress
from lib.training.recipe import Recipe, learning_rate
from lib.training.stack import State

STATISTICS = ("running_mean", "running_var")
"""Last parts of the names of buffers that a unit without weights goes on updating, and that no output depends on then."""


@dataclass(frozen=True)
class ConnectedUnits:
    """Which units of a stack of R replicates are trained.

    Attributes:
        kept: name → for its first and second axis (after the replicates) the indices kept, int64 [R, m] or None for all. All
            replicates keep the same number m, as many as the one with most paths; only which ones differs.
        pixels: indices of the input's pixels that are kept, the same for all replicates; None for all.
    """

    kept: Mapping[str, tuple[Tensor | None, Tensor | None]] = field(default_factory=dict)
    pixels: Tensor | None = None

    def shrink(self, stack: Mapping[str, Tensor]) -> State:
        """Return the kept part of each tensor [R, ...]; tensors that keep all are the same objects."""
        small = dict(stack)
        for name in self.kept.keys() & stack.keys():
            places = zip(stack[name], self._places(name), strict=True)
            small[name] = torch.stack([one[at] for one, at in places])
        return small

    def scatter(self, small: Mapping[str, Tensor], stack: Mapping[str, Tensor], decay: Mapping[str, float]) -> State:
        """Undo `shrink`: put each kept part into the whole tensor as it was, whose other entries decay by a factor."""
        whole = dict(small)
        for name in self.kept.keys() & small.keys():
            whole[name] = stack[name].detach() * decay.get(name, 1.0)
            for one, at, values in zip(whole[name], self._places(name), small[name], strict=True):
                one[at] = values.detach()
        return whole

    def leave_out(self, progress: Progress) -> Progress:
        """Return the progress of the kept part of a stack."""
        state = {k: v if k == "step" else self.shrink(v) for k, v in (progress.optimizer or {}).items()}
        stack, masks = self.shrink(progress.stack), self.shrink(progress.masks)
        return replace(progress, stack=stack, masks=masks, optimizer=state or None)

    def take_back(
        self, small: Progress, start: Progress, parameters: Iterable[str], factors: tuple[float, float]
    ) -> Progress:
        """Return the progress of the whole stack.

        Args:
            small: of the kept part.
            start: of the whole, before the first step of a fresh optimizer; its tensors are not changed.
            parameters: names of those that decay.
            factors: of what was left out, see `decay_factors`.
        """
        state = dict(small.optimizer or {})
        for kind in state.keys() - {"step"}:
            factor = factors[1] if kind == "momentum_buffer" else 0.0  # Adam's moments stay zero
            state[kind] = self.scatter(state[kind], start.stack, dict.fromkeys(state[kind], factor))
        stack = self.scatter(small.stack, start.stack, dict.fromkeys(parameters, factors[0]))
        return replace(small, stack=stack, masks=start.masks, optimizer=state or None)

    def _places(self, name: str) -> list[tuple[Tensor | slice, ...]]:
        """Return for each replicate the index that picks the kept part of a tensor."""
        rows, columns = self.kept[name]
        if rows is not None and columns is not None:
            return [(row[:, None], column) for row, column in zip(rows, columns, strict=True)]
        if rows is not None:
            return [(row,) for row in rows]
        assert columns is not None, "a tensor is listed where at least one axis is shortened"
        return [(slice(None), column) for column in columns]


def find_connected_units(
    units: Sequence[Units], stack: Mapping[str, Tensor], masks: Mapping[str, Tensor]
) -> ConnectedUnits:
    """Find the units of a stack that still have a path to the output.

    Args:
        units: of the network, see `lib.models.units`.
        stack: name → [R, ...], for the shapes.
        masks: name → bool [R, ...]; a tensor without one is unpruned.
    """
    connected = {name: _connections(stack, masks, name) for unit in units for name in unit.read}
    writer = {name: position for position, unit in enumerate(units) for name in unit.written}
    silent = [_silent(unit, masks) for unit in units]
    kept = [torch.zeros_like(connected[unit.read[0]][:, 0]) for unit in units]
    added = True
    while added:  # from the output back
        added = False
        for position, unit in reversed([*enumerate(units)]):
            for name in unit.read:
                links = connected[name]
                if name in writer:
                    links = links & kept[writer[name]].unsqueeze(2)
                paths = (kept[position] | links.any(1)) & ~silent[position]
                added |= not torch.equal(paths, kept[position])
                kept[position] = paths
    pixels = None
    axes: dict[str, list[Tensor | None]] = {}
    for unit, paths in zip(units, kept, strict=True):
        if not unit.written:
            paths = paths.any(0).expand_as(paths)  # the images are shared
        chosen = places_kept(paths, MULTIPLE)
        if chosen.shape[1] == paths.shape[1]:
            continue
        if not unit.written:
            pixels = chosen[0]
        for axis, names in enumerate((unit.written, unit.read)):
            for name in names:
                axes.setdefault(name, [None, None])[axis] = chosen
    return ConnectedUnits({name: (rows, columns) for name, (rows, columns) in axes.items()}, pixels)


def _silent(unit: Units, masks: Mapping[str, Tensor]) -> Tensor:
    """Return which units, bool [R, units], pruning removed with all that they add: a number without a mask remains."""
    adding = [name for name in unit.written if name.rpartition(".")[2] not in STATISTICS]
    if not adding or not all(name in masks for name in adding):
        return torch.tensor(False, device=next(iter(masks.values())).device if masks else None)
    return torch.stack(
        [~masks[name].flatten(2).any(2) if masks[name].dim() > 2 else ~masks[name] for name in adding]
    ).all(0)


def _connections(stack: Mapping[str, Tensor], masks: Mapping[str, Tensor], name: str) -> Tensor:
    """Return bool [R, units that the weight writes, units that it reads]."""
    mask = masks[name] if name in masks else torch.ones_like(stack[name], dtype=torch.bool)
    return mask.flatten(3).any(3) if mask.dim() > 3 else mask


def decay_factors(recipe: Recipe, steps: range, steps_per_epoch: int) -> tuple[float, float]:
    """Return by what weight decay alone multiplies a weight whose gradient is zero, from a fresh SGD optimizer.

    Returns:
        Two factors of the weight before the steps of the schedule: what it is after them, and its momentum then.
    """
    weight, velocity = 1.0, 0.0
    for step in steps if recipe.weight_decay else ():
        velocity = recipe.momentum * velocity + recipe.weight_decay * weight
        ahead = recipe.weight_decay * weight + recipe.momentum * velocity if recipe.nesterov else velocity
        weight -= learning_rate(recipe, step, steps_per_epoch) * ahead
    return weight, velocity


def remembered_steps(module: nn.Module) -> int:
    """Return after how many steps running statistics no longer show, in float32, what they were before; 0 without any."""
    momenta = {m.momentum for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)}
    if None in momenta:  # a plain mean over all steps
        return sys.maxsize
    return max((math.ceil(math.log(2**-24) / math.log(1 - share)) for share in momenta if share), default=0)


def everything_from(units: ConnectedUnits, module: nn.Module, epochs: range, steps_per_epoch: int) -> int:
    """Return from which of a stage's epochs on units without a path are trained too."""
    if not units.kept:
        return epochs.start
    statistics = units.kept.keys() & {name for name, _ in module.named_buffers()}
    last_steps = remembered_steps(module) if statistics else 0
    return max(epochs.start, epochs.stop - -(-last_steps // steps_per_epoch))
