"""How much memory training takes, from the shapes of what it holds: nothing is computed, no image is read.

    most = process + images + R × (weights, gradients, optimizer, masks) + max(batch × R × activations, evaluation)

R replicates train as one stack. Activations are what a forward pass saves for the gradient, and an evaluation holds what is
alive at once; both are found on PyTorch's meta device, where tensors have shapes and no values. An accelerator does not hold
the process, nor the images as they were read.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lib.data import STREAMED
from lib.data.folder_images import SEGMENTED
from lib.data.image_sources import KNOWN
from lib.data.segmentation_images import SIDE
from lib.models import build
from lib.training import Recipe
from lib.training.evaluation import images_per_batch
from lib.training.stack import forward, stack_limit

PROCESS = 0.7e9
"""Bytes of a process that has read PyTorch and this library and has trained a step of something small."""
COPIES = {"sgd": 6, "adam": 7}
"""Of the weights while they train: at the start of the stage, now, masked, as gradients, in the optimizer, one to spare."""
STREAMED_SIZE = 224
BATCHES_AHEAD = 4  # that are read while one is trained on
COPIED = 1.5
"""Times what is alive in an evaluation: on a processor, convolutions copy maps into a layout of their own. Measured in seven
networks, between 1.0 and 2.2."""
MANY = 4096  # images, so that what an evaluation holds is maps and not weights


def most_memory(recipe: Recipe, stack: int, precision: str = "float32", kind: str = "cpu") -> float:
    """Return the most bytes that a stack of so many replicates takes while it trains and is evaluated.

    Args:
        recipe: what is trained.
        stack: R replicates at once.
        precision: of the products.
        kind: of the device, "cpu" counts the whole process.

    Raises:
        Exception: whatever a network of the reader's own raises where tensors have no values.
    """
    data = recipe.data
    shape, whole, train, others = _images(recipe)
    values, streamed = math.prod(shape), data.image_set in STREAMED
    bits = 2 if precision == "bfloat16" else 4
    images = values * (2 * whole if kind == "cpu" else train + others)
    if data.corruptions:
        images += values * train * (1 + len(data.corruptions) * sum(severity > 0 for severity in data.severities))
    else:
        images += values * train * bits
    if streamed:
        images = BATCHES_AHEAD * recipe.batch_size * values * 4
    weights, saved, alive = _network(recipe.network, recipe.width, data.image_set, shape, precision)
    held = stack * weights * (4 * COPIES[recipe.optimizer] + 1)
    training = stack * recipe.batch_size * (saved + alive * bits / 4)
    module = network_without_values(recipe.network, recipe.width, data.image_set)
    evaluating = stack * images_per_batch(module, stack, shape, kind) * alive * (COPIED if kind == "cpu" else 1.0)
    return (PROCESS if kind == "cpu" else 0.0) + images + held + max(training, evaluating)


def _images(recipe: Recipe) -> tuple[tuple[int, ...], int, int, int]:
    """Return the shape of an image, how many the set has, and how many train and are only looked at."""
    data = recipe.data
    if data.image_set not in KNOWN:
        side = SIDE if data.image_set in SEGMENTED else STREAMED_SIZE
        return (3, side, side), 0, data.train or 0, data.test or 0
    shapes = KNOWN[data.image_set].shapes
    (train, height, width, channels), test = shapes["train_images"], shapes["test_images"][0]
    return (
        (channels, height, width),
        train + test,
        data.train or train - data.validation,
        data.validation + (data.test or test),
    )


def stack_of(recipe: Recipe, replicates: int, kind: str = "cpu") -> int:
    """Return how many of some replicates train at once, see `lib.training.stack.stack_limit`."""
    if recipe.data.image_set in STREAMED:
        return 1
    module = network_without_values(recipe.network, recipe.width, recipe.data.image_set)
    return stack_limit(module, torch.device(kind), replicates)


@functools.cache
def network_without_values(name: str, width: int | None, image_set: str) -> nn.Module:
    """Return a network for the classes of an image set, of which only the shapes count."""
    classes = 21 if image_set in SEGMENTED else 1000 if image_set in STREAMED else 10
    classes = len(KNOWN[image_set].class_names) if image_set in KNOWN else classes
    with torch.device("meta"):
        return build(name, classes, width).module.train()


@functools.cache
def _network(
    name: str, width: int | None, image_set: str, shape: tuple[int, ...], precision: str
) -> tuple[int, float, float]:
    """Return the weights of one network, the bytes that an image saves in training, and those alive in an evaluation."""
    module = network_without_values(name, width, image_set)
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    exact = {key: tensor.detach().unsqueeze(0) for key, tensor in module.state_dict().items()}
    parameters = {key for key, _ in module.named_parameters()}
    stack = {key: tensor.to(dtype) if tensor.is_floating_point() else tensor for key, tensor in exact.items()}
    stack = {key: tensor.requires_grad_() if key in parameters else tensor for key, tensor in stack.items()}
    saved = _saved(module.train(), stack, (1, 4, *shape), dtype) - _saved(module, stack, (1, 2, *shape), dtype)
    alive = _alive(module.eval(), exact, (2 * MANY, *shape)) - _alive(module, exact, (MANY, *shape))
    return sum(stack[key].numel() for key in parameters), saved / 2, alive / MANY


def _saved(module: nn.Module, stack: Mapping[str, Tensor], shape: tuple[int, ...], dtype: torch.dtype) -> int:
    """Return the bytes that a forward pass saves for the gradient."""
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage  # held, so that no other gets its place
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        forward(module, stack, torch.empty(shape, dtype=dtype, device="meta"))
    return sum(storage.nbytes() for storage in kept.values())


def _alive(module: nn.Module, stack: Mapping[str, Tensor], shape: tuple[int, ...]) -> int:
    """Return the most bytes that a forward pass without gradients holds at once, its images among them."""
    images = torch.empty(shape, device="meta")
    with torch.no_grad(), _Alive() as found:
        forward(module, stack, images)
    return found.most + images.untyped_storage().nbytes()


class _Alive(TorchDispatchMode):
    """Adds up what operations have made and nobody has let go of yet; `most` is the largest sum in bytes."""

    def __init__(self):
        super().__init__()
        self.most, self._sizes = 0, dict[StorageWeakRef, int]()

    def __torch_dispatch__(
        self, func: Callable, types: object, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> object:
        """Do the operation, and count."""
        made = func(*args, **(kwargs or {}))
        self._sizes = {storage: size for storage, size in self._sizes.items() if not storage.expired()}
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                self._sizes.setdefault(StorageWeakRef(storage), storage.nbytes())
        self.most = max(self.most, sum(self._sizes.values()))
        return made
