"""A stack: the parameters of R replicates side by side, trained by the same operations.

Every tensor has a leading replicate axis. The book's networks apply all replicates at once (`lib.models.layers`), so that R
small matrix products become one batched product; any other module is applied by `torch.func` (vmap over functional_call),
and one with random layers to one replicate at a time, so that its random numbers do not depend on its neighbours.
The loss is the sum over replicates, whose gradient with respect to each replicate's weights is that replicate's own.
"""

import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from lib.data import FolderImages
from lib.models import initialize
from lib.training.examples import Images, Replicate

State = dict[str, Tensor]


def stack_states(states: list[State]) -> State:
    """Stack R states name → tensor [...] into name → tensor [R, ...]."""
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def fresh_stack(module: nn.Module, replicates: Sequence[Replicate], device: torch.device) -> State:
    """Return newly drawn weights of each replicate, name → [R, ...] on the device; the module keeps the last one's."""
    states = []
    for replicate in replicates:
        initialize(module, replicate.generator("initialization"))
        states.append({name: tensor.detach().clone() for name, tensor in module.state_dict().items()})
    return {name: tensor.to(device) for name, tensor in stack_states(states).items()}


def stack_size(stack: Mapping[str, Tensor]) -> int:
    """Return how many networks a stack has."""
    return len(next(iter(stack.values())))


def unstack(stack: Mapping[str, Tensor], replicate: int) -> State:
    """Return a copy of one replicate's tensors, on the CPU."""
    return {name: tensor[replicate].detach().cpu().clone() for name, tensor in stack.items()}


def forward(module: nn.Module, stack: Mapping[str, Tensor], images: Tensor) -> Any:
    """Apply R networks.

    Args:
        module: gives the computation and the mode (train or eval); its own weights are not used.
        stack: name → [R, ...] for all parameters and buffers. Running statistics are updated in place in train mode.
        images: [R, batch, channels, height, width], or [batch, channels, height, width] for the same to all.

    Returns:
        Logits [R, batch, classes]; of a module that answers with several by name, as for segmentation, a mapping of them.
    """
    if getattr(module, "stackable", False):  # its layers know the replicate axis
        return functional_call(module, dict(stack), (images,))

    if stack_size(stack) == 1:
        return forward_one(module, stack, images)
    shared = images.dim() == 4

    def apply(state: State, batch: Tensor) -> Tensor:
        return functional_call(module, state, (batch,))

    return vmap(apply, in_dims=(0, None if shared else 0), randomness="different")(dict(stack), images)


def forward_one(module: nn.Module, stack: Mapping[str, Tensor], images: Tensor) -> Any:
    """Apply a stack of one as any module is applied; arguments and answer are those of `forward`."""
    own = {name: tensor[0] for name, tensor in stack.items()}  # buffers change in place through the views
    answer = functional_call(module, own, (images if images.dim() == 4 else images[0],))
    return {k: t.unsqueeze(0) for k, t in answer.items()} if isinstance(answer, Mapping) else answer.unsqueeze(0)


def bound(module: nn.Module, stack: Mapping[str, Tensor]) -> nn.Module | None:
    """Return a copy of a module that has a stack's tensors in place of its own and maps images like `forward`, without
    putting them there at each call; None where that takes more than calling it. Tensors must stay the same objects."""
    if not getattr(module, "stackable", False):
        return None
    own = copy.deepcopy(module).train()
    for name, tensor in stack.items():
        place, _, last = name.rpartition(".")
        layer = own.get_submodule(place)
        delattr(layer, last)
        setattr(layer, last, tensor)
    return own


def draws_numbers(module: nn.Module) -> bool:
    """Return whether a forward pass in train mode draws random numbers: it has dropout, or a true `draws_numbers`."""
    dropout = any(isinstance(m, nn.modules.dropout._DropoutNd) for m in module.modules())
    return dropout or getattr(module, "draws_numbers", False)


@contextlib.contextmanager
def own_randomness(
    module: nn.Module, replicate: Replicate, stage: int, epoch: int, device: torch.device, process: int = 0
) -> Iterator[None]:
    """Let random layers draw from a generator of this replicate, stage and epoch; put the process's own back after it.

    Of several processes that train together each draws other numbers, for its part of a batch.
    """
    if not draws_numbers(module):
        yield
        return
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(replicate.generator("dropout", stage, epoch).initial_seed() + process)
        yield


def stack_limit(module: nn.Module, device: torch.device, replicates: int, images: Images | None = None) -> int:
    """Return how many replicates train together, from measurement (`make bench`).

    Batched matrix products win everywhere; on CPUs stacked convolutions become grouped ones, which were slower than one
    network after the other. Images in files are read, and random layers draw, for one replicate at a time.
    """
    if isinstance(images, FolderImages) or draws_numbers(module):
        return 1
    convolutional = any(isinstance(m, nn.modules.conv._ConvNd) for m in module.modules())
    return 1 if convolutional and device.type == "cpu" else replicates
