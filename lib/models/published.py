"""Networks as torchvision defines them, without published weights (LIP section 3.1; facts C.2).

ResNet-18 and ResNet-101 for 224 × 224 images have 11,689,512 and 44,549,160 parameters for 1,000 classes. DeeplabV3 (Chen
et al. 2017) on ResNet-50 gives a map of logits for each class, and an auxiliary head on the third segment gives another:
42,004,074 parameters for the 21 classes of VOC. Their widths are fixed, and they have no replicate axis.

LIP's code starts DeeplabV3 from a backbone trained on ImageNet; here `load_state_dict` takes one.
"""

from torch import nn


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
