"""The weights of a stack while it trains: what the products compute with, what the optimizer updates, and the masks.

A pruned weight stays zero since its gradient is masked: from a fresh optimizer a zero weight with zero gradient does not
move under Adam or SGD, weight decay included (facts J16). Where momentum is older than the mask, because the optimizer is
continued or a hook changes masks between steps, weights are masked after every step as well.

Where few entries of a weight remain, only those are handed to the optimizer (`CompressedWeight`), which is the same and
faster: Adam reads and writes seven numbers an entry. The products take them as a matrix, or by themselves
(`lib.training.sparse_products`).
"""

from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lib.errors import unknown
from lib.training.stack import State

COMPRESS_BELOW = 0.25  # of a weight's entries; above it, gathering and scattering cost more than they save


def product_parameters(module: nn.Module) -> set[str]:
    """Return the names of the parameters that enter products: weights and biases of convolutions and linear layers."""
    return {
        f"{name}.{parameter}" if name else parameter
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd)
        for parameter, _ in layer.named_parameters(recurse=False)
    }


class CompressedWeight:
    """The entries that pruning left of one weight, trained as a vector.

    Args:
        weight: float [R, ...]; read once.
        mask: bool [R, ...], True for the entries that remain.
        dtype: in which the products take the weight; None where they take the values.

    Attributes:
        values: the entries that remain, [n]; what the optimizer updates.
        factor: what the network computes with: a matrix [R, ...] of `dtype`, zero where pruned, or the values themselves.
    """

    def __init__(self, weight: Tensor, mask: Tensor, dtype: torch.dtype | None):
        self._places = mask.flatten().nonzero().squeeze(1)
        self.values = nn.Parameter(self.pick(weight.detach()))
        self.factor = self.values if dtype is None else nn.Parameter((weight.detach() * mask).to(dtype))

    def pick(self, whole: Tensor) -> Tensor:
        """Return the entries that remain, [n], of a tensor like the weight."""
        return whole.view(-1).index_select(0, self._places)

    def gather(self) -> None:
        """Take the gradient of the entries that remain from the matrix, if there is one."""
        if self.factor is not self.values:
            gradient = self.factor.grad
            self.values.grad = None if gradient is None else self.pick(gradient).to(self.values)
            self.factor.grad = None

    @torch.no_grad()
    def scatter(self, values: Tensor, into: Tensor) -> Tensor:
        """Write entries [n] into a tensor like the weight, whose other entries stay; return it. Values stay as they are."""
        if into is values:
            return into
        into.view(-1).index_copy_(0, self._places, values.detach().to(into.dtype))
        return into


class MaskedWeights:
    """The parameters and buffers of a stack of R replicates, ready to be trained.

    Args:
        module: tells which tensors are parameters, and which enter products.
        stack: name → [R, ...]; trained in place.
        masks: name → bool [R, ...] of parameters, True where a weight remains.
        dtype: of the products.
        compress_below: share of a weight that remains, below which it is compressed.
        masks_change: masks may change between steps, or the optimizer is older than they are: nothing is compressed, and
            weights are masked after every step.
        sparse: names of weights that products take as the values that remain.

    Attributes:
        trained: name → what the optimizer updates.
        computing: name → what the network computes with, [R, ...] in the type of the products or that of the stack; the
            same tensors at every step.
    """

    def __init__(
        self, module: nn.Module, stack: State, masks: Mapping[str, Tensor], dtype: torch.dtype,
        compress_below: float, masks_change: bool, sparse: Collection[str] = (),
    ):  # fmt: skip
        self._stack, self._masks_change, self._dtype = stack, masks_change, dtype
        some = {name: mask for name, mask in masks.items() if masks_change or not mask.all()}
        self._compressed = {
            name: CompressedWeight(stack[name], mask, None if name in sparse else dtype)
            for name, mask in some.items()
            if name in sparse or not masks_change and mask.float().mean() < compress_below
        }
        self._multipliers = {n: m.to(stack[n].dtype) for n, m in some.items() if n not in self._compressed}
        names = [name for name, _ in module.named_parameters() if name not in self._compressed]
        stack.update((name, nn.Parameter(stack[name])) for name in names)  # with the same memory
        self.trained: State = {name: stack[name] for name in names}
        self.trained |= {name: weight.values for name, weight in self._compressed.items()}
        self.computing = {**stack, **{name: weight.factor for name, weight in self._compressed.items()}}
        self._rounded = product_parameters(module) if dtype == torch.bfloat16 else set()

    def factors(self) -> State:
        """Return what the network computes with, name → [R, ...], in the type of the products."""
        return {n: t.to(self._dtype) if n in self._rounded else t for n, t in self.computing.items()}

    def mask_gradients(self) -> None:
        """Before the optimizer's step: leave the gradients of the entries that remain; a layer that is not used has none."""
        for name, multiplier in self._multipliers.items():
            if (gradient := self.trained[name].grad) is not None:
                gradient.mul_(multiplier)
        for weight in self._compressed.values():
            weight.gather()

    @torch.no_grad()
    def mask_weights(self) -> None:
        """After the optimizer's step: pruned weights are zero in what the next step computes with."""
        for weight in self._compressed.values():
            weight.scatter(weight.values, weight.factor)
        if self._masks_change:
            for name, multiplier in self._multipliers.items():
                self._stack[name].mul_(multiplier)

    @torch.no_grad()
    def take_over(self, stack: State, masks: Mapping[str, Tensor]) -> None:
        """Go on with the weights and masks that a hook left, whether it changed tensors or put others in their place.

        Raises:
            InputError: for a mask of a tensor that had none when training began.
        """
        for name, tensor in self.computing.items():
            if stack[name] is not tensor:
                tensor.copy_(stack[name])
                stack[name] = tensor
        for name, mask in masks.items():
            if name not in self._multipliers:
                raise unknown("mask of a tensor that training began without", name, self._multipliers)
            self._multipliers[name].copy_(mask)
        self.mask_weights()

    def write_back(self) -> None:
        """Write compressed weights into the stack, which lags behind them within an epoch."""
        for name, weight in self._compressed.items():
            weight.scatter(weight.values, self._stack[name])

    def release(self) -> None:
        """End training: no tensor of the stack asks for gradients any more."""
        for tensor in self._stack.values():
            tensor.requires_grad_(False)

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, State]:
        """Return the optimizer's state by what it means, not by how weights are compressed.

        Returns:
            "step" → name → number of steps, "momentum_buffer", "exp_avg" and "exp_avg_sq" → name → [R, ...] like the weight.
        """
        found: dict[str, State] = {}
        for name, tensor in self.trained.items():
            for kind, value in optimizer.state[tensor].items():
                if value is None:  # momentum that is not used
                    continue
                if kind != "step" and name in self._compressed:
                    value = self._compressed[name].scatter(value, torch.zeros_like(self._stack[name]))
                found.setdefault(kind, {})[name] = value
        return found

    def load_optimizer_state(self, optimizer: Optimizer, state: Mapping[str, State]) -> None:
        """Undo `optimizer_state`, also where other weights are compressed than when it was kept."""
        for name, tensor in self.trained.items():
            own = {kind: values[name] for kind, values in state.items() if name in values}
            if weight := self._compressed.get(name):
                own = {kind: v if kind == "step" else weight.pick(v) for kind, v in own.items()}
            optimizer.state[tensor] = own
