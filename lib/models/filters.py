"""The filters of a convolution, and all that makes their maps.

A filter is gone when its map is zero: its weights and bias, the scale γ and the shift β of the batch normalization after
it, and, where a block adds its input, what a shortcut would add to the same channel (GS; facts D.2). A `Gate` closes that.
"""

from dataclasses import dataclass

from torch import nn

from lib.errors import InputError, unknown
from lib.models.resnet import Gate


@dataclass(frozen=True)
class Filters:
    """The F filters of one convolution, by names of parameters, a buffer, and a module.

    Attributes:
        weight: [F, inputs, height, width].
        bias: [F], "" for none.
        scale, shift: γ and β of the batch normalization, [F] each.
        gate: the buffer, [F], that multiplies the sum of map and shortcut; "" where nothing is added.
        maps: the module whose output are the maps before the ReLU.
    """

    weight: str
    bias: str
    scale: str
    shift: str
    gate: str
    maps: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that have an entry for each filter."""
        return tuple(filter(None, (self.weight, self.bias, self.scale, self.shift)))

    @property
    def tensors(self) -> tuple[str, ...]:
        """Names of all that is zero for a filter that is gone: the parameters, and the gate where there is one."""
        return tuple(filter(None, (*self.parameters, self.gate)))


def find_filters(module: nn.Module) -> dict[str, Filters]:
    """Find the convolutions that are followed by a batch normalization, by the name of their weights, in module order.

    They are two neighbours among the children of one module, as `convolution` and torchvision make them; where the module
    above them has a `gate` after their maps and a shortcut were added, it belongs to the last of them, `second`.
    """
    found, modules = {}, dict(module.named_modules())
    for parent, container in modules.items():
        children = list(container.named_children())
        for (name, layer), (after, normalization) in zip(children, children[1:], strict=False):
            follows = isinstance(layer, nn.Conv2d) and isinstance(normalization, nn.BatchNorm2d)
            if not follows or normalization.num_features != layer.out_channels:
                continue
            prefix = f"{parent}." if parent else ""
            above, _, position = parent.rpartition(".")
            gate = f"{above}.gate".lstrip(".") if position == "second" else ""
            gated = isinstance(modules.get(gate), Gate)
            found[f"{prefix}{name}.weight"] = Filters(
                weight=f"{prefix}{name}.weight",
                bias="" if layer.bias is None else f"{prefix}{name}.bias",
                scale=f"{prefix}{after}.weight",
                shift=f"{prefix}{after}.bias",
                gate=f"{gate}.open" if gated else "",
                maps=gate if gated else f"{prefix}{after}",
            )
    return found


def filters_of(module: nn.Module, weights: tuple[str, ...]) -> list[Filters]:
    """Return the filters of some convolutions.

    Raises:
        InputError: a name is not of a convolution with batch normalization, or a block adds a shortcut to its maps and has
            no gate.
    """
    found = find_filters(module)
    for weight in weights:
        if weight not in found:
            raise unknown("convolution with batch normalization", weight, found)
        block, _, last = weight.rpartition(".second.")
        if last and block and not found[weight].gate:
            raise InputError(
                f"the maps of {weight!r} are added to a shortcut, which keeps a filter's channel alive; "
                'take the network\'s gated form, such as "cifar-resnet18-gated"'
            )
    return [found[weight] for weight in weights]
