"""Loss and error on the straight line between two networks (Goodfellow et al. 2015; LN section 3.3, Figures 5 and 14).

    θ(α) = (1 − α) θ_sparse + α θ_redense,    α = 0, 0.01, …, 1

LN does not say what batch normalization does between the ends. Here its running statistics are interpolated like the
parameters (facts N8). They can instead be computed anew at each α, as `torch.optim.swa_utils.update_bn` does it for one
network: a pass over the training sample in train mode, the mean over batches.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from lib import data
from lib.analysis.landscape import Sample, Surface, finished, measure_stack, parts, series_rows
from lib.errors import InputError, unknown
from lib.stages import Results
from lib.training.stack import State, forward

POINTS = 101  # LN section 3.3
EVERY = 4  # all but the training loss is kept at every fourth point
STATISTICS_BATCH = 500  # images
TRAIN_LOSS, TRAIN_ERROR = "path_train_loss_nats", "path_train_error_percent"
TEST_LOSS, TEST_ERROR = "path_test_loss_nats", "path_test_error_percent"

Statistics = Literal["interpolated", "recomputed"]


def interpolate(first: Mapping[str, Tensor], second: Mapping[str, Tensor], shares: Tensor) -> State:
    """Return the networks on the line between two, their running statistics included.

    Args:
        first, second: name → [...] of parameters and buffers; the ends, at share 0 and 1.
        shares: [S], the share of the second.

    Returns:
        Name → [S, ...]. The ends are the two networks to the bit. Counters, which are whole numbers, are those of the
        first.

    Raises:
        InputError: if the two have other tensors or shapes.
    """
    if {name: tensor.shape for name, tensor in first.items()} != {n: t.shape for n, t in second.items()}:
        raise InputError(
            "the two networks differ in their tensors; a line joins networks of one architecture"
        )
    stack = {}
    for name, start in first.items():
        if not start.is_floating_point():
            stack[name] = start.expand(len(shares), *start.shape).clone()
            continue
        share = shares.to(start).view(-1, *[1] * start.dim())
        stack[name] = (1 - share) * start + share * second[name]
    return stack


@torch.no_grad()
def recompute_statistics(
    module: nn.Module, stack: State, sample: Sample, batch_size: int = STATISTICS_BATCH
) -> State:
    """Return a stack with the running statistics that one pass over a sample in train mode gives.

    Statistics are the plain mean over batches, as in `torch.optim.swa_utils.update_bn`.

    Args:
        module: the computation; left in eval mode, its momentum as it was.
        stack: name → [S, ...]; left as it is.
        sample: of images; labels are not read.
        batch_size: images in a batch; of the last one what is left.

    Returns:
        Name → [S, ...] on the device of the module. A network without such statistics comes back as it is.
    """
    layers = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    before = [layer.momentum for layer in layers]
    if not layers:
        return stack
    constants, done = data.normalization(sample.normalization), []
    module.train()
    try:
        for part in parts(module, stack):
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


def path_rows(
    redense: Sequence[Results],
    levels: Mapping[float, Collection[int]],
    surface: Surface,
    seeds: Collection[int],
    statistics: Statistics = "interpolated",
) -> Iterator[dict]:
    """Yield losses and errors between each sparse network and the re-dense one that it became, as rows of quantities.

    The position is α; rows stand with the re-dense network. The training loss is measured at all points, the test set at
    every fourth.

    Args:
        redense: chains whose last stage lifts the masks of the one before.
        levels: noise in percent → levels to look at.
        surface: what is measured on.
        seeds: replicates to look at.
        statistics: of normalization layers, along the line.

    Raises:
        InputError: for unknown statistics.
    """
    if statistics not in get_args(Statistics):
        raise unknown("statistics", statistics, get_args(Statistics))
    shares = torch.linspace(0, 1, POINTS, dtype=torch.float64)
    some = shares[::EVERY]
    for names, replicate, entries in finished(redense):
        if names["level"] not in levels.get(replicate.noise_percent, ()) or replicate.seed not in seeds:
            continue
        sparse, dense = (entry.tensors("weights") for entry in entries[-2:])
        train = surface.train[replicate]
        stack = interpolate(sparse, dense, shares)
        if statistics == "recomputed":
            stack = recompute_statistics(surface.module, stack, train)
        loss, error = measure_stack(surface.module, stack, train)
        yield from series_rows(names, TRAIN_LOSS, shares, loss)
        yield from series_rows(names, TRAIN_ERROR, some, error[::EVERY])
        few = {name: tensor[::EVERY] for name, tensor in stack.items()}
        loss, error = measure_stack(surface.module, few, surface.test)
        yield from series_rows(names, TEST_LOSS, some, loss)
        yield from series_rows(names, TEST_ERROR, some, error)
