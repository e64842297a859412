"""A network is a module and the names of the weight tensors that may be pruned."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from inspect import signature

import torch
from torch import nn

from lib.by_name import find_function
from lib.errors import InputError, unknown
from lib.models import published
from lib.models.densenet import DenseNet
from lib.models.layers import WEIGHTED
from lib.models.lenet import LeNet
from lib.models.resnet import ImageNetResNet, ResNet
from lib.models.units import Units
from lib.models.vgg import VGG
from lib.models.wide_resnet import WideResNet


@dataclass(frozen=True)
class Network:
    """A module with what is prunable in it.

    Attributes:
        module: the network.
        prunable: names of prunable weight tensors in module order, as in `module.named_parameters()`.
        units: what may be left out where pruning cut all its paths; empty for a module that does not tell.
    """

    module: nn.Module
    prunable: tuple[str, ...]
    units: tuple[Units, ...] = ()


def prunable_weights(module: nn.Module, except_for: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names of the weights of every convolution and linear layer but those in layers that stay whole.

    Raises:
        InputError: if a named layer does not exist or nothing is left to prune.
    """
    layers = {n: m for n, m in module.named_modules() if isinstance(m, WEIGHTED)}
    for name in except_for:
        if name not in layers:
            raise unknown("layer", name, layers)
    names = tuple(f"{n}.weight" if n else "weight" for n in layers if n not in except_for)
    if not names:
        raise InputError(f"{type(module).__name__} has no convolution or linear layer that could be pruned")
    return names


NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "lenet-300-100": LeNet,
    "cifar-resnet20": partial(ResNet, depth=20),
    "cifar-resnet32": partial(ResNet, depth=32),
    "cifar-resnet18": partial(ResNet, depth=18, width=64, segments=4),
    "cifar-resnet18-gated": partial(ResNet, depth=18, width=64, segments=4, gated=True),
    "cifar-resnet20-padded": partial(ResNet, depth=20, gated=True, padded=True),
    "cifar-resnet56-padded": partial(ResNet, depth=56, gated=True, padded=True),
    "cifar-resnet56": partial(ResNet, depth=56),
    "cifar-resnet110": partial(ResNet, depth=110),
    "cifar-resnet56-bottleneck": partial(ResNet, depth=56, bottleneck=True),
    "cifar-resnet110-bottleneck": partial(ResNet, depth=110, bottleneck=True),
    "cifar-densenet22": DenseNet,
    "cifar-wide-resnet16-8": WideResNet,
    "cifar-vgg11": partial(VGG, depth=11),
    "cifar-vgg16": VGG,
    "cifar-vgg16-maximum": partial(VGG, averaged=False, unpruned=()),
    "imagenet-resnet18": published.resnet18,
    "imagenet-resnet50": ImageNetResNet,
    "imagenet-resnet101": published.resnet101,
    "voc-deeplabv3": published.deeplabv3,
}
"""The book's own by name: functions of classes and, where asked for, width and scale."""


def build(name: str, classes: int = 10, width: int | None = None, width_scale: float = 1.0) -> Network:
    """Build a network by name.

    Args:
        name: one of `NETWORKS`, or "package.module:function" for one of the reader's own: it takes `classes`, and `width`
            and `scale` where a recipe names them. Its module may have `unpruned`, names of layers that stay whole, and a
            method `units`; any other module will do.
        classes: number of outputs.
        width: filters of the first segment, for networks that have one; None takes the standard width.
        width_scale: of the width of every layer but the output, each rounded to at least one (TR section 5.2).

    Raises:
        InputError: if the name is unknown, or that network does not take `width` or `scale`.
    """
    chosen: dict[str, float] = {} if width is None else {"width": width}
    if width_scale != 1:
        chosen["scale"] = width_scale
    make = find_function("network", name, NETWORKS)
    try:
        signature(make).bind(classes=classes, **chosen)
    except TypeError as error:
        raise InputError(f"network {name!r}: {error}; leave that setting out") from error
    with torch.random.fork_rng(
        devices=[]
    ):  # what `initialize` does not draw is the same in every process, and for all seeds
        torch.default_generator.manual_seed(0)
        module = make(classes=classes, **chosen)
    units = module.units() if hasattr(module, "units") else ()
    return Network(module, prunable_weights(module, getattr(module, "unpruned", ())), units)
