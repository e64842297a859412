"""Would products with what remains pay in convolutions too? A convolution is a linear layer on unfolded patches.

Forward pass and both gradients of one layer, dense by torch's convolution and sparse by `lib.training.sparse_products` on
the patches, unfolding and folding included; both take turns. It pays for 1 × 1 kernels, which need no unfolding, and for
hundreds of channels, of which few weights remain. With 3 × 3 kernels on few channels, as in ResNet-20, copying each pixel
nine times costs more than the dense convolution, whatever remains; so training leaves unstructured convolutions dense.
"""

from collections.abc import Callable

import pandas
import torch
from torch import Tensor
from torch.nn.functional import conv2d, unfold

from book.costs.timing import shortest
from lib.seeds import generator
from lib.training.processor import prepare_processor
from lib.training.sparse_products import SparseProduct, Structure, kernels

LAYERS = (
    ("3 × 3, 16 to 16 channels, 32 × 32 pixels", 16, 16, 3, 32),
    ("3 × 3, 64 to 64 channels, 8 × 8 pixels", 64, 64, 3, 8),
    ("3 × 3, 512 to 512 channels, 4 × 4 pixels", 512, 512, 3, 4),
    ("1 × 1, 64 to 256 channels, 8 × 8 pixels", 64, 256, 1, 8),
    ("1 × 1, 512 to 2,048 channels, 4 × 4 pixels", 512, 2048, 1, 4),
)
"""Name, channels in and out, side of the kernel and of the map: of ResNet-20, VGG-16, a small and a large bottleneck."""
SHARES = (0.2, 0.1, 0.05, 0.02)


def patches(maps: Tensor, side: int) -> Tensor:
    """Return what each weight of a kernel meets, [1, B · H · W, C · side²], for maps [B, C, H, W]."""
    found = maps.flatten(2) if side == 1 else unfold(maps, side, padding=side // 2)
    return found.transpose(0, 1).flatten(1).mT.unsqueeze(0)


def _both_ways(work: Callable[[], Tensor], *leaves: Tensor) -> Callable[[], None]:
    """Return forward and backward pass together."""

    def run() -> None:
        answer = work()
        answer.backward(answer.detach())
        for leaf in leaves:
            leaf.grad = None

    return run


def convolutions(device: torch.device, quick: bool = False) -> tuple[pandas.DataFrame, list[str]]:
    """Measure each layer dense and at several shares of its weights, on a CPU with numba; nothing elsewhere."""
    rows, batch = [], 8 if quick else 128
    if device.type != "cpu" or not kernels():
        return pandas.DataFrame(rows, columns=["layer"]), ["Only CPUs with numba have these products."]
    prepare_processor()
    for name, given, wanted, side, pixels in LAYERS[:1] if quick else LAYERS:
        chance = generator(0, name)
        maps = torch.randn(batch, given, pixels, pixels, generator=chance).requires_grad_()
        last = maps.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
        weight = torch.randn(wanted, given, side, side, generator=chance).requires_grad_()
        for share in SHARES[:1] if quick else SHARES:
            structure = Structure(torch.rand(1, wanted, given * side * side, generator=chance) < share)
            values = torch.randn(len(structure.by_row[1]), generator=chance).requires_grad_()
            bias = torch.zeros(1, wanted)

            def dense(last=last, weight=weight, side=side) -> Tensor:
                return conv2d(last, weight, padding=side // 2)

            def sparse(maps=maps, values=values, bias=bias, structure=structure, side=side) -> Tensor:
                return SparseProduct.apply(values, bias, patches(maps, side), structure)

            ways = _both_ways(dense, last, weight), _both_ways(sparse, maps, values)
            whole, some = (
                min(times) for times in zip(*([shortest(way) for way in ways] for _ in range(2)), strict=True)
            )
            rows.append((name, 100 * share, round(whole, 6), round(some, 6), round(whole / some, 2)))
    columns = ["layer", "weights_remaining_percent", "dense_seconds", "sparse_seconds", "times_faster"]
    notes = [f"Batches of {batch}, float32, forward pass and both gradients, the shortest of two rounds in turns."]
    return pandas.DataFrame(rows, columns=columns), notes
