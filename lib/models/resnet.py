"""Residual networks (He et al. 2016): a stem, segments of blocks, and a linear layer on the mean of each filter.

For 32 × 32 images (facts A.1, B.1), S segments have n blocks of two convolutions each, depth 2 S n + 2. The filters are W in
the first segment and double from one to the next; the first block of every later segment halves the map and learns a 1 × 1
shortcut with batch normalization (option B), as in the code that TR and LN build on. ResNet-20 with S = 3 and W = 16 has
272,474 parameters, 270,896 of them prunable: the output layer is pruned too. ResNet-18 for CIFAR (LN App. A.1) has S = 4 and
W = 64: 11,173,962 parameters.

ResNet-50 for 224 × 224 images, in torchvision's layout (table 1): a 7 × 7 convolution and a maximum, each halving the map,
then segments of 3, 4, 6 and 3 bottleneck blocks: 1 × 1 to W, 2W, 4W or 8W inner filters, 3 × 3, and 1 × 1 to four times as
many. The 3 × 3 convolution of the first block of segments two to four halves the map; the first block of every segment
learns a shortcut. W = 64 gives 25,557,032 parameters for 1,000 classes, 25,502,912 of them prunable.
"""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from lib.errors import InputError
from lib.models.layers import Convolution, Linear, Normalization, apart, scaled, side_by_side
from lib.models.units import Units, normalized

IMAGENET_BLOCKS = (3, 4, 6, 3)  # in each segment
EXPANSION = 4  # filters that a bottleneck hands on, in units of its inner filters


def convolution(inputs: int, outputs: int, size: int, stride: int) -> nn.Sequential:
    """Return a convolution of odd size that keeps the map (for stride 1), and its batch normalization."""
    layer = Convolution(inputs, outputs, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(layer, Normalization(outputs))


class Block(nn.Module):
    """Two 3 × 3 convolutions around which the input is added."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride)
        self.second = convolution(outputs, outputs, 3, 1)
        self.shortcut = nn.Identity() if stride == 1 else convolution(inputs, outputs, 1, stride)

    def forward(self, maps: Tensor) -> Tensor:
        """Map [batch, inputs, height, width] to [batch, outputs, height / stride, width / stride]."""
        return self.second(self.first(maps).relu_()).add_(self.shortcut(maps)).relu_()


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
            convolutions = [f"blocks.{index}.{n}" for n, _ in block.named_children() if n != "shortcut"]
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

    def __init__(self, classes: int = 10, depth: int = 20, width: int = 16, scale: float = 1.0, segments: int = 3):
        count, rest = divmod(depth - 2, 2 * segments)
        if rest or count < 1:
            form = f"{2 * segments}n + 2"
            raise InputError(f"depth={depth}; allowed with {segments} segments: {form}, n = 1, 2, …")
        inputs = scaled(width, scale)
        stem = convolution(3, inputs, 3, 1)
        blocks = []
        for segment in range(segments):
            outputs = scaled(width * 2**segment, scale)
            for block in range(count):
                blocks.append(Block(inputs, outputs, stride=2 if segment and block == 0 else 1))
                inputs = outputs
        super().__init__(stem, blocks, Linear(inputs, classes))


class ImageNetResNet(Residual):
    """An ImageNet residual network of bottleneck blocks; `width` is that of the stem and inside the first segment."""

    def __init__(self, classes: int = 1000, width: int = 64, scale: float = 1.0):
        inputs = scaled(width, scale)
        stem = convolution(3, inputs, 7, 2)
        blocks = []
        for segment, count in enumerate(IMAGENET_BLOCKS):
            inner, outputs = (scaled(n * width * 2**segment, scale) for n in (1, EXPANSION))
            for block in range(count):
                stride = 2 if segment and block == 0 else 1
                blocks.append(Bottleneck(inputs, inner, outputs, stride, shortcut=block == 0))
                inputs = outputs
        super().__init__(stem, blocks, Linear(inputs, classes))

    def pool(self, maps: Tensor) -> Tensor:
        """Halve the map."""
        return max_pool2d(maps, 3, stride=2, padding=1)
