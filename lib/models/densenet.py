"""DenseNet-BC for 32 × 32 images (Huang et al. 2017, table 1): each block adds G maps to those that it reads.

A block is normalization, ReLU and 1 × 1 convolution to 4 G maps, then the same with 3 × 3 to G. Three segments have n blocks
each, and the stem has 2 G filters. Between segments the same with 1 × 1 halves the maps' number, rounded down, and a mean of
2 × 2 pixels their size. Depth is 6 n + 4: DenseNet-22 with G = 12 has 71,686 parameters (LIP; facts C.2).
"""

from torch import Tensor, nn

from lib.errors import InputError
from lib.models.layers import Convolution, Linear, Normalization, apart, joined, scaled, side_by_side

SEGMENTS = 3


def activated(inputs: int, outputs: int, size: int) -> nn.Sequential:
    """Return normalization, ReLU and a convolution that keeps the map."""
    layer = Convolution(inputs, outputs, size, padding=size // 2, bias=False)
    return nn.Sequential(Normalization(inputs), nn.ReLU(inplace=True), layer)


class Dense(nn.Module):
    """Two convolutions, whose maps come after those that they read."""

    def __init__(self, inputs: int, inner: int, growth: int):
        super().__init__()
        self.first, self.second = activated(inputs, inner, 1), activated(inner, growth, 3)

    def forward(self, maps: Tensor) -> Tensor:
        """Map [batch, inputs, height, width] to [batch, inputs + growth, height, width]."""
        weight: Tensor = self.first[2].weight  # pyright: ignore[reportAssignmentType]
        return joined(maps, self.second(self.first(maps)), weight)


class DenseNet(nn.Module):
    """A CIFAR DenseNet-BC; `width` is G. Raises InputError if `depth` is not 6 n + 4."""

    stackable = True

    def __init__(self, classes: int = 10, width: int = 12, scale: float = 1.0, depth: int = 22):
        super().__init__()
        count, rest = divmod(depth - 4, 2 * SEGMENTS)
        if rest or count < 1:
            raise InputError(f"depth={depth}; allowed: {2 * SEGMENTS}n + 4, n = 1, 2, …")
        growth, maps = scaled(width, scale), scaled(2 * width, scale)
        self.stem = Convolution(3, maps, 3, padding=1, bias=False)
        blocks: list[nn.Module] = []
        for segment in range(SEGMENTS):
            if segment:
                halved = max(1, maps // 2)
                blocks.append(nn.Sequential(*activated(maps, halved, 1), nn.AvgPool2d(2)))
                maps = halved
            for _ in range(count):
                blocks.append(Dense(maps, scaled(4 * width, scale), growth))
                maps += growth
        self.blocks = nn.Sequential(*blocks)
        self.normalization, self.output = Normalization(maps), Linear(maps, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images [batch, 3, H, W] or [R, batch, 3, H, W] to logits [batch, classes] or [R, batch, classes]."""
        first = self.stem.weight
        maps = self.normalization(self.blocks(self.stem(side_by_side(images, first)))).relu_()
        return self.output(apart(maps.mean((2, 3)), first))
