"""Loss and error on the straight line between two networks (Goodfellow et al. 2015; LN section 3.3, Figures 5 and 14).

    θ(α) = (1 − α) θ_sparse + α θ_redense,    α = 0, 0.01, …, 1

LN does not say what batch normalization does between the ends. Here its running statistics are interpolated like the
parameters (facts N8). They can instead be computed anew at each α, as `torch.optim.swa_utils.update_bn` does it for one
network: a pass over the training sample in train mode, the mean over batches.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from lib import data
from lib.analysis import landscape
from lib.analysis.experiments import ALL, Context, Measurement, reported
from lib.analysis.landscape import SAMPLE, Sample, Surface, along_axis, measure_stack, series
from lib.analysis.levels import descent_levels
from lib.errors import InputError, unknown
from lib.stages import Entry
from lib.training import Replicate
from lib.training.stack import State, forward

POINTS = 101  # LN section 3.3
EVERY = 4  # all but the training loss is kept at every fourth point
MOST_SEEDS = 3  # replicates whose paths are kept, so that a committed part stays below a megabyte
STATISTICS_BATCH = 500  # images
TRAIN_LOSS, TRAIN_ERROR = "training loss on path (nats)", "training error on path (%)"
TEST_LOSS, TEST_ERROR = "test loss on path (nats)", "test error on path (%)"

Statistics = Literal["interpolated", "recomputed"]


def loss_path(sparse: str, redense: str, statistics: Statistics = "interpolated") -> Measurement:
    """Return the measurement between each sparse network and the re-dense one that it became; the position is α.

    Rows stand with the re-dense network, at the levels of `lib.analysis.levels.descent_levels` but the dense one.

    Args:
        sparse, redense: algorithms; the last stage of the second lifts the masks of the first.
        statistics: of normalization layers, along the line.

    Raises:
        InputError: for unknown statistics.
    """
    if statistics not in get_args(Statistics):
        raise unknown("statistics", statistics, get_args(Statistics))
    rows = functools.partial(_rows, sparse=sparse, redense=redense, statistics=statistics)
    settings = {"points": POINTS, "sample": SAMPLE, "statistics": statistics}
    return Measurement("loss path", rows, 1, settings, needs=ALL)


def _rows(context: Context, sparse: str, redense: str, statistics: Statistics) -> Iterator[dict]:
    surface, levels = landscape.find_surface(context), context.levels(descent_levels, sparse)
    seeds = context.plan.seeds[:MOST_SEEDS]
    for results in context.of(redense):
        for columns, replicate, position, entry in reported(results):
            if replicate.seed in seeds and columns["level"] in levels(replicate)[1:]:
                before = results.entries[results.replicates.index(replicate)][position - 1]
                measure = functools.partial(_path, surface, replicate, before, entry, statistics)
                yield from landscape.series_rows(columns, context.measured([before, entry], measure))


def _path(
    surface: Surface, replicate: Replicate, sparse: Entry, redense: Entry, statistics: Statistics
) -> dict[str, list]:
    """Return losses and errors along one line, quantity → pairs of α and number."""
    shares = torch.linspace(0, 1, POINTS, dtype=torch.float64)
    some, train = shares[::EVERY], surface.train[replicate]
    stack = interpolate(sparse.tensors("weights"), redense.tensors("weights"), shares)
    if statistics == "recomputed":
        stack = recompute_statistics(surface.module, stack, train)
    loss, error = measure_stack(surface.module, stack, train)
    few = {name: tensor[::EVERY] for name, tensor in stack.items()}
    test_loss, test_error = measure_stack(surface.module, few, surface.test)
    return {
        TRAIN_LOSS: series(shares, loss),
        TRAIN_ERROR: series(some, error[::EVERY]),
        TEST_LOSS: series(some, test_loss),
        TEST_ERROR: series(some, test_error),
    }


def interpolate(first: Mapping[str, Tensor], second: Mapping[str, Tensor], shares: Tensor) -> State:
    """Return the networks on the line between two, their running statistics included, name → [S, ...].

    Args:
        first, second: name → [...] of parameters and buffers; the ends, which come back to the bit.
        shares: [S], the share of the second.

    Raises:
        InputError: if the two have other tensors or shapes.
    """
    if {name: tensor.shape for name, tensor in first.items()} != {n: t.shape for n, t in second.items()}:
        raise InputError("two networks differ in their tensors; a line joins networks of one architecture")
    stack = {}
    for name, start in first.items():
        if start.is_floating_point():
            share = along_axis(shares, start)
            stack[name] = (1 - share) * start + share * second[name]
        else:  # counters
            stack[name] = start.expand(len(shares), *start.shape).clone()
    return stack


@torch.no_grad()
def recompute_statistics(module: nn.Module, stack: State, sample: Sample, batch_size: int = STATISTICS_BATCH) -> State:
    """Return a stack with the running statistics that one pass over a sample in train mode gives, the mean over batches.

    Args:
        module: the computation; left in eval mode, its momentum as it was.
        stack: name → [S, ...]; left as it is, and returned where the network has no such statistics.
        sample: of images; labels are not read.
        batch_size: images in a batch; of the last one what is left.
    """
    layers = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    before = [layer.momentum for layer in layers]
    if not layers:
        return stack
    constants, done = data.normalization(sample.normalization), []
    module.train()
    try:
        for part in landscape.parts(module, stack):
            own = {name: tensor.clone() for name, tensor in part.items()}
            for index, batch in enumerate(sample.images.split(batch_size), 1):
                for layer in layers:
                    layer.momentum = 1 / index  # the mean of what was and what comes
                forward(module, own, data.normalize(batch, constants))
            done.append(own)
    finally:
        module.eval()
        for layer, momentum in zip(layers, before, strict=True):
            layer.momentum = momentum
    return {name: torch.cat([own[name] for own in done]) for name in stack}
