"""Residual networks (He et al. 2016): a stem, segments of blocks, and a linear layer on the mean of each filter.

For 32 × 32 images (facts A.1, B.1), S segments have n blocks of two convolutions each, depth 2 S n + 2. The filters are W in
the first segment and double from one to the next; the first block of every later segment halves the map and learns a 1 × 1
shortcut with batch normalization (option B), as in the code that TR and LN build on. ResNet-20 with S = 3 and W = 16 has
272,474 parameters, 270,896 of them prunable: the output layer is pruned too. ResNet-18 for CIFAR (LN App. A.1) has S = 4 and
W = 64: 11,173,962 parameters.

GS prunes whole filters (facts D.1 and D.2). For it, `gated` networks can close a channel of the path that blocks add up, and
`padded` ones halve the map without weights (option A): every second pixel, and channels of zeros on either side. Padded
ResNet-20 and ResNet-56 have 269,722 and 853,018 parameters.

ResNet-50 for 224 × 224 images, in torchvision's layout (table 1): a 7 × 7 convolution and a maximum, each halving the map,
then segments of 3, 4, 6 and 3 bottleneck blocks: 1 × 1 to W, 2W, 4W or 8W inner filters, 3 × 3, and 1 × 1 to four times as
many. The 3 × 3 convolution of the first block of segments two to four halves the map; the first block of every segment
learns a shortcut. W = 64 gives 25,557,032 parameters for 1,000 classes, 25,502,912 of them prunable.

LIP prunes ResNet-20 and "ResNet-56 and ResNet-110", which are here those of the first paragraph. Its code has a bottleneck
for each two convolutions instead, 83 and 164 layers (facts C.2, L1). They are here `bottleneck` networks: 869,530 and
1,704,154 parameters.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad

from lib.errors import InputError
from lib.models.layers import Convolution, Linear, Normalization, apart, scaled, side_by_side
from lib.models.units import Units, normalized

IMAGENET_BLOCKS = (3, 4, 6, 3)  # in each segment
EXPANSION = 4  # filters that a bottleneck hands on, in units of its inner filters


def convolution(inputs: int, outputs: int, size: int, stride: int) -> nn.Sequential:
    """Return a convolution of odd size that keeps the map (for stride 1), and its batch normalization."""
    layer = Convolution(inputs, outputs, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(layer, Normalization(outputs))


class Gate(nn.Module):
    """A number, one or zero, that multiplies each channel of what a block adds up."""

    def __init__(self, channels: int):
        super().__init__()
        self.open: Tensor
        self.register_buffer("open", torch.ones(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Multiply maps [batch, channels, height, width], or [batch, R channels, ...] with a stacked buffer, in place."""
        return maps.mul_(self.open.view(1, -1, 1, 1).to(maps))


class Padding(nn.Module):
    """A shortcut without weights (He et al. 2016, option A) that halves the map and hands on more channels."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.inputs, self.before = inputs, (outputs - inputs) // 2
        self.after = outputs - inputs - self.before

    def forward(self, maps: Tensor) -> Tensor:
        """Map [batch, inputs, H, W] to [batch, outputs, H / 2, W / 2], or R of them side by side."""
        apart = maps[..., ::2, ::2].unflatten(1, (-1, self.inputs))
        return pad(apart, (0, 0, 0, 0, self.before, self.after)).flatten(1, 2)


class Block(nn.Module):
    """Two 3 × 3 convolutions around which the input is added."""

    def __init__(self, inputs: int, outputs: int, stride: int, gated: bool = False, padded: bool = False):
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride)
        self.second = convolution(outputs, outputs, 3, 1)
        halving = Padding if padded else partial(convolution, size=1, stride=stride)
        self.shortcut = nn.Identity() if stride == 1 else halving(inputs, outputs)
        self.gate = Gate(outputs) if gated else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """Map [batch, inputs, height, width] to [batch, outputs, height / stride, width / stride]."""
        return self.gate(self.second(self.first(maps).relu_()).add_(self.shortcut(maps))).relu_()


class Bottleneck(nn.Module):
    """Three convolutions, 1 × 1, 3 × 3 and 1 × 1, around which the input is added."""

    def __init__(self, inputs: int, inner: int, outputs: int, stride: int, shortcut: bool):
        super().__init__()
        self.first = convolution(inputs, inner, 1, 1)
        self.second = convolution(inner, inner, 3, stride)
        self.third = convolution(inner, outputs, 1, 1)
        self.shortcut = convolution(inputs, outputs, 1, stride) if shortcut else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """Map [batch, inputs, height, width] to [batch, outputs, height / stride, width / stride]."""
        inner = self.second(self.first(maps).relu_()).relu_()
        return self.third(inner).add_(self.shortcut(maps)).relu_()


def bottlenecks(inputs: int, counts: Sequence[int], width: int, scale: float) -> tuple[list[nn.Module], int]:
    """Return segments of so many bottlenecks, with `width` filters inside those of the first, and what they hand on."""
    blocks: list[nn.Module] = []
    for segment, count in enumerate(counts):
        inner, outputs = (scaled(n * width * 2**segment, scale) for n in (1, EXPANSION))
        for block in range(count):
            stride = 2 if segment and block == 0 else 1
            blocks.append(Bottleneck(inputs, inner, outputs, stride, shortcut=block == 0))
            inputs = outputs
    return blocks, inputs


class Residual(nn.Module):
    """What all residual networks do with their stem, blocks and output layer."""

    stackable = True

    def __init__(self, stem: nn.Sequential, blocks: list[nn.Module], output: Linear):
        super().__init__()
        self.stem, self.blocks, self.output = stem, nn.Sequential(*blocks), output

    def forward(self, images: Tensor) -> Tensor:
        """Map images [batch, 3, H, W] or [R, batch, 3, H, W] to logits [batch, classes] or [R, batch, classes]."""
        first: Tensor = self.stem[0].weight  # pyright: ignore[reportAssignmentType]
        maps = self.blocks(self.pool(self.stem(side_by_side(images, first)).relu_()))
        return self.output(apart(maps.mean((2, 3)), first))

    def pool(self, maps: Tensor) -> Tensor:
        """Pool what the stem gives; here not at all."""
        return maps

    def units(self) -> tuple[Units, ...]:
        """Return the filters inside each block, and those of each segment's main path, which its blocks add up."""
        inside, written, read = [], [[*normalized("stem")]], [[]]
        for index, block in enumerate(self.blocks):
            names = ("first", "second", "third")
            convolutions = [f"blocks.{index}.{n}" for n, _ in block.named_children() if n in names]
            inside += [Units(normalized(a), (f"{b}.0.weight",)) for a, b in pairwise(convolutions)]
            read[-1].append(f"{convolutions[0]}.0.weight")
            if isinstance(block.shortcut, nn.Sequential):  # a new segment begins
                read[-1].append(f"blocks.{index}.shortcut.0.weight")
                written.append([*normalized(f"blocks.{index}.shortcut")])
                read.append([])
            written[-1].extend(normalized(convolutions[-1]))
        read[-1].append("output.weight")
        paths = (Units(tuple(w), tuple(r)) for w, r in zip(written, read, strict=True))
        return (*inside, *paths)


class ResNet(Residual):
    """A CIFAR residual network; raises InputError if `depth` is not 2 · segments · n + 2."""

    def __init__(
        self, classes: int = 10, depth: int = 20, width: int = 16, scale: float = 1.0, segments: int = 3,
        gated: bool = False, padded: bool = False, bottleneck: bool = False,
    ):  # fmt: skip
        count, rest = divmod(depth - 2, 2 * segments)
        if rest or count < 1:
            form = f"{2 * segments}n + 2"
            raise InputError(f"depth={depth}; allowed with {segments} segments: {form}, n = 1, 2, …")
        inputs = scaled(width, scale)
        stem = convolution(3, inputs, 3, 1)
        blocks: list[nn.Module] = []
        if bottleneck:
            blocks, inputs = bottlenecks(inputs, [count] * segments, width, scale)
        for segment in range(0 if bottleneck else segments):
            outputs = scaled(width * 2**segment, scale)
            for block in range(count):
                stride = 2 if segment and block == 0 else 1
                blocks.append(Block(inputs, outputs, stride, gated, padded))
                inputs = outputs
        super().__init__(stem, blocks, Linear(inputs, classes))
        self.gated = gated

    def units(self) -> tuple[Units, ...]:
        """Return what may be left out; nothing where gates and padding say which channels are there."""
        return () if self.gated else super().units()


class ImageNetResNet(Residual):
    """An ImageNet residual network of bottleneck blocks; `width` is that of the stem and inside the first segment."""

    def __init__(self, classes: int = 1000, width: int = 64, scale: float = 1.0):
        inputs = scaled(width, scale)
        blocks, outputs = bottlenecks(inputs, IMAGENET_BLOCKS, width, scale)
        super().__init__(convolution(3, inputs, 7, 2), blocks, Linear(outputs, classes))

    def pool(self, maps: Tensor) -> Tensor:
        """Halve the map."""
        return max_pool2d(maps, 3, stride=2, padding=1)
