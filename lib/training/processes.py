"""Several processes that train one network together, each on its share of every batch, by `torch.distributed`.

    torchrun --nproc-per-node 4 -m lib.analysis.measure lost_in_pruning test_set imagenet-resnet18 paper

Each has a device. `DistributedDataParallel` averages the gradients, batch statistics are those of the whole batch, and so
N processes compute what one does with the same batch, up to the order of sums; only dropout draws anew in each. This is for
images streamed from files: smaller sets train faster as a stack, and several devices take several pages.

The first process holds the locks and writes; all of them read the same store, from a file system that all see.
"""

import contextlib
import copy
import datetime
import os
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from lib.errors import InputError
from lib.training.masked_weights import MaskedWeights
from lib.training.stack import State, forward_one

PATIENCE = datetime.timedelta(days=30)
"""How long all wait for the first, which may wait for another run to finish a stage; torchrun ends all if one fails."""


def count() -> int:
    """Return how many processes train together: 1 outside of `together`."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def place() -> int:
    """Return which of them this is, from 0, the first."""
    return dist.get_rank() if count() > 1 else 0


@contextlib.contextmanager
def together(device: str = "auto") -> Iterator[None]:
    """Join the processes that torchrun started, for the length of a block; a process by itself does nothing.

    Args:
        device: "auto", "cuda" or "cpu"; on CUDA each process takes the device of its number on its machine.

    Raises:
        InputError: for one device by name, which all processes would take, or more processes than devices.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    if device not in ("auto", "cuda", "cpu"):
        raise InputError(f"several processes were given device {device!r}; allowed: auto, cuda, cpu")
    if device != "cpu" and torch.cuda.is_available():
        own, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if own >= there:
            raise InputError(f"process {own + 1} of this machine has no device: it has {there}; start at most as many")
        torch.cuda.set_device(own)
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    try:
        yield
    finally:
        dist.destroy_process_group()


def agreed(value: Any) -> Any:
    """Return what the first process has for this value."""
    if count() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box)
    return box[0]


def agree_on(tensors: State) -> State:
    """Give all processes the tensors of the first, in place, and return them."""
    if count() > 1:
        for name in sorted(tensors):
            dist.broadcast(tensors[name], 0)
    return tensors


def summed(tensor: Tensor) -> Tensor:
    """Add up what each process has, in place, and return it."""
    if count() > 1:
        dist.all_reduce(tensor)
    return tensor


def share(of: Tensor, size: int) -> Tensor:
    """Return this process's part of a row of batches: every N-th of each.

    Args:
        of: [n], what is seen in an epoch in its order.
        size: of a whole batch; the last one may be smaller.

    Raises:
        InputError: a batch has fewer examples than there are processes.
    """
    batches = of.split(size)
    if count() > len(batches[-1]):
        raise InputError(
            f"{count()} processes were given a batch of {len(batches[-1])} images, the last of {len(of)} in batches of "
            f"{size}; allowed: no more processes than images in a batch"
        )
    return torch.cat([batch[place() :: count()] for batch in batches])


def gathered(part: Tensor, dim: int) -> Tensor:
    """Return the whole of which each process has every N-th along a dimension, on the CPU."""
    if count() == 1:
        return part
    parts: list[Any] = [None] * count()
    dist.all_gather_object(parts, part.cpu())
    shape = list(part.shape)
    shape[dim] = sum(one.shape[dim] for one in parts)
    whole = part.new_empty(shape, device="cpu")
    for start, one in enumerate(parts):
        whole.movedim(dim, 0)[start :: count()] = one.movedim(dim, 0)
    return whole


class _Network(nn.Module):
    """One network that computes with the weights of a stack of one; they are its parameters."""

    def __init__(self, module: nn.Module, weights: MaskedWeights):
        super().__init__()
        self._computation = module, weights  # a tuple: what the module has itself is not trained
        leaves = [tensor for tensor in weights.computing.values() if tensor.requires_grad]
        self.weights = nn.ParameterList(leaves)

    def forward(self, images: Tensor) -> Any:
        module, weights = self._computation
        module.train(self.training)
        return forward_one(module, weights.factors(), images)


def data_parallel(module: nn.Module, weights: MaskedWeights) -> nn.Module:
    """Return a module that maps images [1, B, C, H, W] to the answers of a stack of one, whose backward pass averages the
    gradients of all processes."""
    return DistributedDataParallel(_Network(_with_statistics_of_all(module), weights))


def _with_statistics_of_all(module: nn.Module) -> nn.Module:
    """Return a copy whose batch statistics are those of all processes; of its tensors only the names count."""
    own = copy.deepcopy(module)
    if next(module.parameters()).is_cuda:
        return nn.SyncBatchNorm.convert_sync_batchnorm(own)
    for name, layer in [*own.named_modules()]:
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            own.set_submodule(name, _Normalization(layer.num_features, layer.eps, layer.momentum))
    return own


class _Normalization(nn.BatchNorm2d):
    """Batch normalization by the mean and variance of all processes' images, as `SyncBatchNorm` has it on CUDA only."""

    def forward(self, input: Tensor) -> Tensor:
        mean, variance, tracked = self.running_mean, self.running_var, self.num_batches_tracked
        if not self.training or mean is None or variance is None or tracked is None or self.momentum is None:
            return super().forward(input)
        axes, shape = [0, *range(2, input.dim())], [-1] + [1] * (input.dim() - 2)
        number = summed(torch.tensor(input.numel() // input.shape[1]))
        average = _Summed.apply(input.sum(axes)) / number
        centered = input - average.view(shape)
        spread = _Summed.apply(centered.square().sum(axes)) / number
        with torch.no_grad():
            tracked.add_(1)
            mean.lerp_(average, self.momentum)
            variance.lerp_(spread * number / (number - 1), self.momentum)
        scale = self.weight * (spread + self.eps).rsqrt()
        return centered * scale.view(shape) + self.bias.view(shape)


class _Summed(torch.autograd.Function):
    """The sum over processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        return summed(tensor.clone())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return summed(gradients[0].clone())
