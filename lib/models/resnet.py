"""Residual networks for 32 × 32 images, of S segments with n basic blocks each, depth 2 S n + 2 (facts A.1, B.1).

The filters are W in the first segment and double from one to the next; the first block of every later segment halves the map
and learns a 1 × 1 shortcut with batch normalization (option B), as in the code that TR and LN build on. ResNet-20 with
S = 3 and W = 16 (He et al. 2016, section 4.2) has 272,474 parameters, 270,896 of them prunable: the output layer is
pruned too. ResNet-18 for CIFAR (LN App. A.1) has S = 4 and W = 64: 11,173,962 parameters.
"""

from torch import Tensor, nn

from lib.errors import InputError
from lib.models.layers import Convolution, Linear, Normalization, apart, scaled, side_by_side
from lib.models.units import Units, normalized


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


class ResNet(nn.Module):
    """A CIFAR residual network.

    Args:
        classes: number of outputs.
        depth: number of layers with weights along the main path: 20, 32, 56, … with three segments.
        width: filters of the first segment.
        scale: of the width of every layer.
        segments: how many.

    Raises:
        InputError: if depth is not 2 · segments · n + 2.
    """

    stackable = True

    def __init__(
        self, classes: int = 10, depth: int = 20, width: int = 16, scale: float = 1.0, segments: int = 3
    ):
        super().__init__()
        blocks, rest = divmod(depth - 2, 2 * segments)
        if rest or blocks < 1:
            allowed = ", ".join(str(2 * segments * n + 2) for n in range(1, 5))
            raise InputError(
                f"depth={depth} is not {2 * segments}n + 2; allowed with {segments} segments are {allowed}, …"
            )
        inputs = scaled(width, scale)
        self.stem = convolution(3, inputs, 3, 1)
        layers: list[Block] = []
        for segment in range(segments):
            outputs = scaled(width * 2**segment, scale)
            for block in range(blocks):
                layers.append(Block(inputs, outputs, stride=2 if segment and block == 0 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*layers)
        self.output = Linear(inputs, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images [batch, 3, 32, 32] or [R, batch, 3, 32, 32] to logits [batch, classes] or [R, batch, classes]."""
        first: Tensor = self.stem[0].weight  # pyright: ignore[reportAssignmentType]
        maps = self.blocks(self.stem(side_by_side(images, first)).relu_())
        return self.output(apart(maps.mean((2, 3)), first))

    def units(self) -> tuple[Units, ...]:
        """Return the filters inside each block, and those of each segment's main path, which its blocks add up."""
        inside, written, read = [], [[*normalized("stem")]], [[]]
        for index, block in enumerate(self.blocks):
            name = f"blocks.{index}"
            inside.append(Units(normalized(f"{name}.first"), (f"{name}.second.0.weight",)))
            read[-1].append(f"{name}.first.0.weight")
            if isinstance(block.shortcut, nn.Sequential):  # a new segment begins
                read[-1].append(f"{name}.shortcut.0.weight")
                written.append([*normalized(f"{name}.shortcut")])
                read.append([])
            written[-1].extend(normalized(f"{name}.second"))
        read[-1].append("output.weight")
        paths = (Units(tuple(w), tuple(r)) for w, r in zip(written, read, strict=True))
        return (*inside, *paths)
