"""Products with the weights that remain: what a pruned linear layer costs falls with every weight removed.

    y_o = b_o + Σ_i W_oi x_i,    ∂L/∂W_oi = Σ_batch g_o x_i,    ∂L/∂b_o = Σ_batch g_o,    ∂L/∂x_i = Σ_o W_oi g_o

(g = ∂L/∂y) run over the weights that remain only, in compressed rows; ∂L/∂x runs over compressed columns. Batches are
last in memory, so that each weight meets a whole vector of examples, and four weights share one pass over an output. A
stack of R layers is one layer of R · O rows, which are divided among the processor's threads. Every sum has a fixed order:
results do not depend on the number of threads. SparseProp (Nikdan et al., ICML 2023) has the same three products for one
layer with unstructured masks, in C++ and with AVX2 instructions.

The loops are `lib.training.sparse_kernels`. Where they cannot be had, products stay dense.
"""

import copy
import functools
import importlib
import threading
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lib.models.layers import Linear

SPARSE_BELOW = 0.25
"""Share of a layer's weights that remain, below which these products are faster than dense ones (`make bench`)."""

_ONE_CALL_AT_A_TIME = threading.Lock()  # numba's plainest pool of threads takes no calls from two threads at once


@functools.cache
def kernels() -> Any:
    """Return the compiled loops, `lib.training.sparse_kernels`, or None where numba is missing or can keep nothing."""
    count = torch.get_num_threads()
    try:
        found = importlib.import_module("lib.training.sparse_kernels")
    except (ImportError, RuntimeError):
        return None
    found.use_threads(count)  # which starts numba's threads; PyTorch then has as many, since OpenMP is one for both
    torch.set_num_threads(count)
    return found


class Structure:
    """Which weights of a stack of R linear layers remain.

    Args:
        mask: bool [R, O, I], True for those that do. Their values are counted in its order.
    """

    def __init__(self, mask: Tensor):
        self.shape = replicates, outputs, inputs = mask.shape
        replicate, output, own = mask.nonzero().unbind(1)
        rows, columns = replicate * outputs + output, replicate * inputs + own
        order = columns.argsort(stable=True)
        self.by_row = _pointers(rows, replicates * outputs), _places(columns), _places(torch.arange(len(rows)))
        self.by_row_of_one_batch = self.by_row[0], _places(own), self.by_row[2]
        self.by_column = _pointers(columns[order], replicates * inputs), _places(rows[order]), _places(order)


def _pointers(places: Tensor, count: int) -> Any:
    """Return where each of the rows begins and the last ends, [count + 1], for ascending places."""
    return torch.searchsorted(places.contiguous(), torch.arange(count + 1)).numpy()


def _places(places: Tensor) -> Any:
    return places.to(torch.uint32).numpy()


class SparseProduct(torch.autograd.Function):
    """y = W x + b for a stack of R layers, over the weights that remain."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, bias: Tensor, inputs: Tensor, structure: Structure) -> Tensor:
        """Return [R, B, O], the batch last in memory.

        Args:
            ctx: of automatic differentiation.
            values: of the n weights that remain, [n].
            bias: [R, O].
            inputs: [R, B, I], or [B, I] for the same to all; fastest with the batch last in memory.
            structure: which weights these are.
        """
        replicates, outputs, _ = structure.shape
        whole = inputs.mT.contiguous().flatten(0, -2)
        found = whole.new_empty(replicates, outputs, whole.shape[1])
        rows = structure.by_row if inputs.dim() == 3 else structure.by_row_of_one_batch
        with alone():
            kernels().rows_times(*rows, *arrays(values, bias.flatten(), whole, found.flatten(0, 1)))
        ctx.save_for_backward(values, whole)
        ctx.structure, ctx.shared = structure, inputs.dim() == 2
        return found.mT

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of values, bias and inputs."""
        (gradient,), structure, (values, whole) = gradients, ctx.structure, ctx.saved_tensors
        replicates, outputs, inputs = structure.shape
        gradient = gradient.mT.contiguous().flatten(0, 1)
        rows = structure.by_row_of_one_batch if ctx.shared else structure.by_row
        of_values, of_bias = torch.empty_like(values), values.new_empty(replicates * outputs)
        of_inputs = None
        with alone():
            kernels().rows_meet(*rows[:2], *arrays(gradient, whole, of_values, of_bias))
            if ctx.needs_input_grad[2]:
                found = whole.new_empty(replicates, inputs, whole.shape[1])
                zeros = values.new_zeros(replicates * inputs)
                kernels().rows_times(*structure.by_column, *arrays(values, zeros, gradient, found.flatten(0, 1)))
                of_inputs = found.mT.sum(0) if ctx.shared else found.mT
        return of_values, of_bias.view(replicates, outputs), of_inputs, None


class SparseLinear(nn.Module):
    """A stack of linear layers whose `weight` is the vector of the weights that remain, and `bias` [R, O]."""

    def __init__(self, structure: Structure):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(0))
        self.bias = nn.Parameter(torch.empty(0))
        self._structure = structure

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [R, batch, in] or [batch, in] to [R, batch, out]."""
        return SparseProduct.apply(self.weight, self.bias, inputs, self._structure)


def sparse_weights(module: nn.Module, masks: Mapping[str, Tensor], below: float = SPARSE_BELOW) -> list[str]:
    """Return which weights of a stack compute by what remains of them: of linear layers, on a CPU, with few enough left.

    Args:
        module: the computation.
        masks: name → bool [R, ...].
        below: share that remains.
    """
    few = [name for name in _weights_here(module, masks) if masks[name].float().mean() < below]
    return few if few and kernels() else []


def few_remain(module: nn.Module, masks: Mapping[str, Tensor], below: float = SPARSE_BELOW) -> bool:
    """Say whether a stack computes best by what remains: on a CPU, pruned in linear layers only, with few weights left.

    All masks are counted together: so the answer is one for every network that pruning left as many weights, and does not
    depend on the others of its stack. Arguments are those of `sparse_weights`.
    """
    if not masks or _weights_here(module, masks) != list(masks):
        return False
    remaining = sum(int(mask.sum()) for mask in masks.values())
    return remaining < below * sum(mask.numel() for mask in masks.values()) and kernels() is not None


def _weights_here(module: nn.Module, masks: Mapping[str, Tensor]) -> list[str]:
    """Return the weights of linear layers that have masks on a CPU, in the order of the masks."""
    if not getattr(module, "stackable", False):
        return []
    names = {f"{name}.weight" for name, layer in module.named_modules() if isinstance(layer, Linear)}
    return [name for name, mask in masks.items() if name in names and mask.device.type == "cpu"]


def with_sparse_layers(module: nn.Module, masks: Mapping[str, Tensor]) -> nn.Module:
    """Return a module in which the layers of some weights, name → bool [R, O, I], take the values that remain; a copy, or
    itself where there are none."""
    changed = copy.deepcopy(module) if masks else module
    for name, mask in masks.items():
        changed.set_submodule(name.removesuffix(".weight"), SparseLinear(Structure(mask)))
    return changed


def arrays(*tensors: Tensor) -> tuple[Any, ...]:
    """Return tensors as what the loops take."""
    return tuple(tensor.detach().numpy() for tensor in tensors)


def alone() -> threading.Lock:
    """Return the lock under which the loops run alone, and let them use as many threads as PyTorch does."""
    kernels().use_threads(torch.get_num_threads())
    return _ONE_CALL_AT_A_TIME
