"""The networks, each with what is prunable."""

from lib.models.initialization import initialize
from lib.models.network import NETWORKS, Network, build, prunable_weights

__all__ = ["NETWORKS", "Network", "build", "initialize", "prunable_weights"]
