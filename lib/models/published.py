"""Networks as torchvision defines them, and published weights with which one of them begins (LIP section 3.1; facts C.2).

ResNet-18 and ResNet-101 for 224 × 224 images have 11,689,512 and 44,549,160 parameters for 1,000 classes. DeeplabV3 (Chen
et al. 2017) on ResNet-50 gives a map of logits for each class, and an auxiliary head on the third segment gives another:
42,004,074 parameters for the 21 classes of VOC. Their widths are fixed, and they have no replicate axis.

LIP's code starts DeeplabV3 from a backbone trained on ImageNet, torchvision's default of that time.
"""

import functools
from pathlib import Path

import torch
from torch import Tensor, nn

from lib.errors import InputError

BACKBONES = {"imagenet-resnet50": "ResNet50_Weights.IMAGENET1K_V1"}
"""Published weights by name, and torchvision's name of them."""


def resnet18(classes: int = 1000) -> nn.Module:
    """Return the network; images [batch, 3, H, W] to logits [batch, classes]."""
    import torchvision  # a second to import

    return torchvision.models.resnet18(num_classes=classes)


def resnet101(classes: int = 1000) -> nn.Module:
    """Return the network; images [batch, 3, H, W] to logits [batch, classes]."""
    import torchvision

    return torchvision.models.resnet101(num_classes=classes)


def deeplabv3(classes: int = 21) -> nn.Module:
    """Return the network; images [batch, 3, H, W] to {"out": logits, "aux": logits}, each [batch, classes, H, W]."""
    import torchvision

    models = torchvision.models.segmentation
    return models.deeplabv3_resnet50(weights=None, weights_backbone=None, num_classes=classes, aux_loss=True)


def load_backbone(module: nn.Module, name: str) -> None:
    """Give a network's part called `backbone` published weights, in place; running statistics are among them.

    Args:
        module: with `backbone`, which has the layers of the published network but its last.
        name: one of `BACKBONES`.

    Raises:
        InputError: for a network without such a part, or weights that are neither on this machine nor to be had.
    """
    weights, backbone = _published(name), getattr(module, "backbone", None)
    own = backbone.state_dict() if isinstance(backbone, nn.Module) else {}
    if not own or any(key not in weights or weights[key].shape != tensor.shape for key, tensor in own.items()):
        raise InputError(
            f"{type(module).__name__} has no part `backbone` with the layers of {name}. Allowed: a network with one, as "
            'voc-deeplabv3 is; leave backbone="" for all others.'
        )
    assert isinstance(backbone, nn.Module)
    backbone.load_state_dict({key: weights[key] for key in own})


@functools.cache
def _published(name: str) -> dict[str, Tensor]:
    """Return published weights by the names of their layers; torchvision keeps them on disk after the first time."""
    import torchvision

    found = torchvision.models.get_weight(BACKBONES[name])
    try:
        return dict(found.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as error:  # no network, no space; another file than was published
        path = Path(torch.hub.get_dir()) / "checkpoints" / found.url.rpartition("/")[2]
        raise InputError(
            f"the weights of {name} are neither on this machine nor to be had ({error}). Put torchvision's file "
            f'{path.name} into {path.parent} (TORCH_HOME moves that folder), or train from scratch with backbone="".'
        ) from error
