"""The networks, each with what is prunable."""

from lib.models.initialization import initialize
from lib.models.lenet import LeNet
from lib.models.network import NETWORKS, Network, build, prunable_weights
from lib.models.resnet import ResNet

__all__ = ["NETWORKS", "LeNet", "Network", "ResNet", "build", "initialize", "prunable_weights"]
