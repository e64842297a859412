"""A network without the filters and input channels that pruning removed: smaller tensors, the same outputs.

torch.fx writes down which operations a module calls. The output channels of each layer get numbers, and the operations that
only move values (concatenation, flattening, ...) are called on these, so that every layer learns which channels it reads.
Channels that are added to each other are one, and it goes if no weight that remains reads it and the network does not give
it out.

So a channel of a residual sum stays, zero in some layers, while one block reads it. What operations read that are not known
here, such as convolutions in groups that are not depthwise, stays too. That the outputs are equal is checked in float64.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, NoReturn

import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor, fx, nn
from torch.fx.node import map_aggregate
from torch.nn.modules import activation, dropout, pooling, upsampling
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvTransposeNd

from lib.errors import InputError
from lib.models.layers import WEIGHTED
from lib.pruning.paths import tensors, with_paths

LAYERS = WEIGHTED | _BatchNorm
MOVE = {
    "cat", "chunk", "concat", "contiguous", "flatten", "getitem", "mean", "movedim", "permute", "reshape", "split",
    "squeeze", "stack", "transpose", "unbind", "unflatten", "unsqueeze", "view", "Flatten", "Unflatten",
}  # fmt: skip
COMBINE = {"add", "add_", "iadd", "sub", "isub", "mul", "mul_", "imul", "truediv"}
ONE_BY_ONE = {
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool1d", "avg_pool2d", "dropout", "gelu",
    "hardswish", "hardtanh", "interpolate", "leaky_relu", "max_pool1d", "max_pool2d", "relu", "relu6", "relu_", "sigmoid",
    "silu", "tanh", "to", "Identity",
}  # fmt: skip
"""Operations on each channel by itself, or at each position; so are the modules of the files named next."""
FILES = {module.__name__ for module in (activation, dropout, pooling, upsampling)}
STAYS = 0  # the number of all channels that have to stay


def without_removed(module: nn.Module, masks: Mapping[str, Tensor], image: Sequence[int]) -> fx.GraphModule:
    """Return a pruned network with fewer filters and input channels.

    Args:
        module: any that torch.fx can follow; left as it was. Its pruned weights need not be zero.
        masks: name → bool like the parameter, True where it remains; parameters without one remain.
        image: shape [C, H, W] of one input.

    Returns:
        A module in eval mode, with the same layers by the same names; their tensors are slices of the module's.

    Raises:
        InputError: torch.fx cannot follow the module, or a size in its forward pass is fixed.
    """
    parameter = next(module.parameters())
    small = deepcopy(module).eval().double()
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, *image, dtype=torch.float64, generator=generator).to(parameter.device)
    found = with_paths(small, masks, image)
    with torch.no_grad():
        for name, mask in found.items():
            small.get_parameter(name).mul_(mask)
        expected = tensors(small(images))
        try:
            graph = _Tracer(param_shapes_constant=True).trace(small)
        except Exception as error:  # whatever a forward pass does with a stand-in for a tensor
            _refuse(module, f"torch.fx cannot follow it ({error})", error)
        remaining = {id(small.get_parameter(name)): mask for name, mask in found.items()}
        small = fx.GraphModule(small, graph)
        channels = _Channels(small)
        channels.run(images[:1])
        channels.shrink(remaining)
        try:
            for one, other in zip(tensors(small(images)), expected, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)
        except (RuntimeError, AssertionError) as error:
            _refuse(module, f"with fewer filters it computes something else ({error})", error)
    return small.to(parameter.dtype)


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, LAYERS) or super().is_leaf_module(m, module_qualified_name)


class _Channels(fx.Interpreter):
    """Runs a network on numbers of channels, as if they were what the channels hold.

    Attributes:
        count: of numbers given out.
        same: pairs of numbers [2, n] of one channel.
        layers: those of one weight, and the numbers of the channels that they write and read, int64.
    """

    def __init__(self, module: fx.GraphModule):
        super().__init__(module)
        self.count, self.same = STAYS + 1, [torch.zeros(2, 1, dtype=torch.int64)]
        self.layers: dict[int, tuple[dict[int, Any], Tensor, Tensor]] = {}

    def run_node(self, n: fx.Node) -> Any:
        """Return numbers in the shape of what the node gives."""
        given = self.fetch_args_kwargs_from_env(n)
        positional, named = map_aggregate(given, lambda v: v.clone() if isinstance(v, Tensor) else v)  # pyright: ignore
        found = getattr(self, n.op)(n.target, positional, named)
        if not tensors(found):
            return found
        read = tensors(given)
        layer = self.fetch_attr(str(n.target)) if n.op == "call_module" else None
        if isinstance(layer, LAYERS) and (_by_itself(layer) or getattr(layer, "groups", 1) == 1):
            return self._layer(layer, read[0], found)
        operation = type(layer).__name__ if layer else getattr(n.target, "__name__", n.target)
        if not n.op.startswith("call"):
            operation = ""  # an input or a tensor, whatever its name
        if operation in MOVE:
            return found
        if operation in COMBINE:
            first = read[0].expand_as(found)
            self._unite(first, read[-1].expand_as(found))
            return first
        if operation in ONE_BY_ONE or type(layer).__module__ in FILES:
            if found.shape == read[0].shape:
                return read[0]
            if found.shape[:2] == read[0].shape[:2]:
                positions = read[0].flatten(2)
                self._unite(positions, positions[..., :1].expand_as(positions))
                return positions[..., 0].view(*found.shape[:2], *[1] * (found.dim() - 2)).expand_as(found)
        for one in read:
            self._unite(one, torch.full_like(one, STAYS))
        return map_aggregate(found, lambda v: torch.full_like(v, STAYS) if isinstance(v, Tensor) else v)

    def _unite(self, first: Tensor, second: Tensor) -> None:
        different = first != second
        self.same.append(torch.stack([first[different], second[different]]).long().unique(dim=1).cpu())

    def _layer(self, layer: Any, maps: Tensor, found: Tensor) -> Tensor:
        axis = -1 if isinstance(layer, nn.Linear) else 1
        numbers, shape = maps.movedim(axis, -1).flatten(0, -2), found.movedim(axis, -1).shape
        key = id(layer if layer.weight is None else layer.weight)
        if key not in self.layers:
            read = written = numbers[0].long().cpu()
            if not _by_itself(layer):
                written = torch.arange(self.count, self.count + shape[-1])
                self.count += shape[-1]
            self.layers[key] = {}, written, read
        layers, written, read = self.layers[key]
        layers[id(layer)] = layer
        self._unite(read.to(numbers).expand_as(numbers), numbers)
        return written.to(numbers).expand(shape).movedim(-1, axis)

    def shrink(self, masks: Mapping[int, Tensor]) -> None:
        """Cut from all layers the channels that nothing reads; masks are of parameters, by their identity."""
        pairs = torch.cat(self.same, 1)
        graph = coo_array(([True] * pairs.shape[1], (*pairs.numpy(),)), shape=(self.count, self.count))
        channel = torch.from_numpy(connected_components(graph, directed=False)[1]).long()
        stays = torch.zeros_like(channel, dtype=torch.bool)
        stays[channel[STAYS]] = True
        for layers, _, read in self.layers.values():
            for layer in layers.values():
                if not _by_itself(layer):
                    mask = masks[id(layer.weight)].transpose(0, 1 - isinstance(layer, _ConvTransposeNd))
                    stays[channel[read[mask.flatten(1).any(1).cpu()]]] = True
        for _, written, _ in self.layers.values():  # torch has no layers without filters
            stays[channel[written[:1]]] |= not stays[channel[written]].any()
        cut: dict[int, Tensor] = {}
        for layers, written, read in self.layers.values():
            for layer in layers.values():
                _cut(layer, stays[channel[written]], stays[channel[read]], cut)


def _by_itself(layer: Any) -> bool:
    """Return whether a layer computes each channel from that channel alone."""
    groups = getattr(layer, "groups", 1)
    return isinstance(layer, _BatchNorm) or 1 < groups == layer.in_channels == layer.out_channels


def _cut(layer: Any, written: Tensor, read: Tensor, cut: dict[int, Tensor]) -> None:
    """Leave only some of the channels that a layer writes and reads, bool; `cut` has the parameters that are done."""
    outputs, inputs = int(written.sum()), int(read.sum())
    sizes = {"num_features": outputs, "out_channels": outputs, "out_features": outputs}
    sizes |= {"in_channels": inputs, "in_features": inputs} | ({"groups": outputs} if _by_itself(layer) else {})
    for name in sizes.keys() & vars(layer).keys():
        setattr(layer, name, sizes[name])
    for name, tensor in [*layer.named_parameters(), *layer.named_buffers()]:
        axes = (written,) if _by_itself(layer) else (written, read)
        if isinstance(layer, _ConvTransposeNd) and name == "weight":
            axes = axes[::-1]
        part = tensor
        for axis, stays in enumerate(axes[: tensor.dim()]):
            part = part.index_select(axis, stays.nonzero().flatten().to(part.device))
        if isinstance(tensor, nn.Parameter):
            part = cut.setdefault(id(tensor), nn.Parameter(part, tensor.requires_grad))
        setattr(layer, name, part)


def _refuse(module: nn.Module, reason: str, error: Exception) -> NoReturn:
    raise InputError(
        f"filters cannot be removed from {type(module).__name__}: {reason}; its masks hold as they are"
    ) from error
