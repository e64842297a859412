"""ResNet-50 for 224 × 224 images, in torchvision's layout (He et al. 2016, table 1; facts A.1).

A 7 × 7 convolution and a maximum, each halving the map, then segments of 3, 4, 6 and 3 bottleneck blocks: 1 × 1 to W, 2W, 4W
or 8W inner filters, 3 × 3, and 1 × 1 to four times as many. The 3 × 3 convolution of the first block of segments two to four
halves the map; the first block of every segment learns a 1 × 1 shortcut. The standard width W = 64 gives 25,557,032
parameters for 1,000 classes, 25,502,912 of them prunable: the output layer is pruned too.
"""

from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from lib.models.layers import Linear, apart, scaled, side_by_side
from lib.models.resnet import convolution
from lib.models.units import Units, normalized

SEGMENTS = (3, 4, 6, 3)  # blocks
EXPANSION = 4  # filters that a block hands on, in units of its inner filters


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


class ImageNetResNet(nn.Module):
    """An ImageNet residual network of bottleneck blocks.

    Args:
        classes: number of outputs.
        width: filters of the first convolution, and inner filters of the first segment.
        scale: of the width of every layer, inner ones included.
    """

    stackable = True

    def __init__(self, classes: int = 1000, width: int = 64, scale: float = 1.0):
        super().__init__()
        inputs = scaled(width, scale)
        self.stem = convolution(3, inputs, 7, 2)
        layers: list[Bottleneck] = []
        for segment, blocks in enumerate(SEGMENTS):
            inner = scaled(width * 2**segment, scale)
            outputs = scaled(EXPANSION * width * 2**segment, scale)
            for block in range(blocks):
                first = block == 0
                layers.append(Bottleneck(inputs, inner, outputs, 2 if segment and first else 1, first))
                inputs = outputs
        self.blocks = nn.Sequential(*layers)
        self.output = Linear(inputs, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images [batch, 3, 224, 224] or [R, batch, 3, 224, 224] to logits [batch, classes] or [R, batch, classes]."""
        first: Tensor = self.stem[0].weight  # pyright: ignore[reportAssignmentType]
        maps = self.stem(side_by_side(images, first)).relu_()
        maps = self.blocks(max_pool2d(maps, 3, stride=2, padding=1))
        return self.output(apart(maps.mean((2, 3)), first))

    def units(self) -> tuple[Units, ...]:
        """Return the filters inside each block, and those of each segment's main path, which its blocks add up."""
        inside, written, read = [], [[*normalized("stem")]], [[]]
        for index, block in enumerate(self.blocks):
            name = f"blocks.{index}"
            inside.append(Units(normalized(f"{name}.first"), (f"{name}.second.0.weight",)))
            inside.append(Units(normalized(f"{name}.second"), (f"{name}.third.0.weight",)))
            read[-1].append(f"{name}.first.0.weight")
            if isinstance(block.shortcut, nn.Sequential):  # a new segment begins
                read[-1].append(f"{name}.shortcut.0.weight")
                written.append([*normalized(f"{name}.shortcut")])
                read.append([])
            written[-1].extend(normalized(f"{name}.third"))
        read[-1].append("output.weight")
        paths = (Units(tuple(w), tuple(r)) for w, r in zip(written, read, strict=True))
        return (*inside, *paths)
