"""Names of the pruning methods (LIP Table 1) and of the networks, as tables, legends, menus and the paper have them."""

WT, SIPP, FT, PFP = "WT", "SiPP", "FT", "PFP"
NAMES = {"magnitude": WT, "sipp": SIPP, "ft": FT, "pfp": PFP}
"""By the score that a plan names; another score is its own name."""

WEIGHTS, FILTERS = (WT, SIPP), (FT, PFP)
"""What they remove: single weights, or filters and input channels."""

IN_WORDS = {
    WT: "weights of small magnitude",
    SIPP: "weights of small relative contribution",
    FT: "filters of small norm",
    PFP: "input channels of small sensitivity",
}

MODELS = {
    "cifar10-resnet20": "ResNet20",
    "cifar10-resnet56": "ResNet56",
    "cifar10-resnet110": "ResNet110",
    "cifar10-resnet56-bottleneck": "ResNet56",
    "cifar10-vgg16": "VGG16",
    "cifar10-densenet22": "DenseNet22",
    "cifar10-wrn16-8": "WRN16-8",
    "imagenet-resnet18": "ResNet18",
    "imagenet-resnet101": "ResNet101",
    "voc-deeplabv3": "DeeplabV3-ResNet50",
}
"""The paper's name of a network; of another benchmark nothing is printed."""
