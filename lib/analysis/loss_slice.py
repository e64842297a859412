"""Loss along a random direction around a network, in steps that its filters' sizes set (Li et al. 2018; LN Figure 6).

    L(θ + x d),    d_f ← d_f ‖θ_f‖ / ‖d_f‖  for each filter f,    x = −1, −0.96, …, 1

A filter is what makes one output: a convolution's along its first axis, a linear layer's row. Tensors of one axis (biases,
normalization) and running statistics stay as they are (facts B.6, N9).
"""

import functools
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from lib.analysis.experiments import ALL, Context, Measurement, reported
from lib.analysis.landscape import (
    SAMPLE,
    Surface,
    along_axis,
    find_surface,
    measure_stack,
    series,
    series_rows,
)
from lib.analysis.levels import descent_levels
from lib.seeds import generator
from lib.stages import Entry
from lib.training import Replicate
from lib.training.stack import State

POINTS, REACH = 51, 1.0  # of the cited tool (facts N9)
SHORTEST = 1e-10  # length, so that a filter that is pruned whole does not divide by zero
TRAIN_LOSS = "training loss along direction (nats)"


def loss_slice(sparse: str, redense: str, direction: int = 0) -> Measurement:
    """Return the measurement around the dense network and around re-dense ones; the position is x.

    Args:
        sparse: algorithm whose levels are looked at (`lib.analysis.levels.descent_levels`), the dense network among them.
        redense: algorithm whose networks are measured at the other levels.
        direction: seed of the one direction of all networks that are compared.
    """
    rows = functools.partial(_rows, sparse=sparse, redense=redense, direction=direction)
    settings = {"points": POINTS, "reach": REACH, "sample": SAMPLE}
    if direction:  # named only where it is another, so that committed tables stay current
        settings["direction"] = direction
    return Measurement("loss slice", rows, 1, settings, needs=ALL)


def _rows(context: Context, sparse: str, redense: str, direction: int) -> Iterator[dict]:
    surface, levels = find_surface(context), context.levels(descent_levels, sparse)
    for results in context.of(redense, sparse):
        for columns, replicate, _, entry in reported(results):
            dense, *others = levels(replicate)
            if columns["level"] in ([dense] if columns["algorithm"] == sparse else others):
                measure = functools.partial(_slice, surface, replicate, entry, direction)
                yield from series_rows(columns, context.measured([entry], measure))


def _slice(surface: Surface, replicate: Replicate, entry: Entry, direction: int) -> dict[str, list]:
    steps = torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64)
    state = entry.tensors("weights")
    stack = along(state, random_direction(surface.module, state, direction), steps)
    return {TRAIN_LOSS: series(steps, measure_stack(surface.module, stack, surface.train[replicate])[0])}


def random_direction(module: nn.Module, state: Mapping[str, Tensor], seed: int = 0) -> State:
    """Draw a Gaussian direction whose filters are as long as those of a network, name → [...] of every parameter.

    The module gives the parameters in their order, so that networks of one architecture share the draw. Parameters of one
    axis and filters of zeros have no direction: zeros.
    """
    draw, direction = generator(seed, "loss slice"), {}
    for name, parameter in module.named_parameters():
        weight = state[name].cpu()
        if parameter.dim() < 2:
            direction[name] = torch.zeros_like(weight)
            continue
        drawn = torch.randn(weight.shape, generator=draw)
        length, of_network = (tensor.flatten(1).norm(dim=1) for tensor in (drawn, weight))
        direction[name] = drawn * along_axis(of_network / length.clamp_min(SHORTEST), weight[0])
    return direction


def along(state: Mapping[str, Tensor], direction: Mapping[str, Tensor], steps: Tensor) -> State:
    """Return the networks θ + x d, name → [S, ...], for S steps x; tensors that the direction has not stay as they are."""
    stack = {}
    for name, center in state.items():
        stack[name] = center.expand(len(steps), *center.shape).clone()
        if name in direction:
            stack[name] += along_axis(steps, center) * direction[name]
    return stack
