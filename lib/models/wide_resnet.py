"""Wide residual networks for 32 × 32 images (Zagoruyko and Komodakis 2016): normalization and ReLU before each convolution.

A stem of W filters, three segments of n blocks with k W, 2 k W and 4 k W filters, normalization, ReLU, and a linear layer on
the mean of each map. The first block of a segment reads its shortcut, a 1 × 1 convolution, after normalization and ReLU; the
first of later segments halves the map. Depth is 6 n + 4: WRN-16-8, depth 16 with k = 8, has W = 16 and 10,961,370 parameters
(LIP; facts C.2).
"""

from torch import Tensor, nn

from lib.errors import InputError
from lib.models.layers import Convolution, Linear, Normalization, apart, scaled, side_by_side
from lib.models.units import Units, normalization

SEGMENTS = 3


class Activated(nn.Module):
    """Normalization, ReLU and two 3 × 3 convolutions with another of both between, around which the input is added."""

    def __init__(self, inputs: int, outputs: int, stride: int, shortcut: bool):
        super().__init__()
        self.before, self.between = Normalization(inputs), Normalization(outputs)
        self.first = Convolution(inputs, outputs, 3, stride, padding=1, bias=False)
        self.second = Convolution(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = Convolution(inputs, outputs, 1, stride, bias=False) if shortcut else None

    def forward(self, maps: Tensor) -> Tensor:
        """Map [batch, inputs, height, width] to [batch, outputs, height / stride, width / stride]."""
        read = self.before(maps).relu_()
        added = maps if self.shortcut is None else self.shortcut(read)
        return self.second(self.between(self.first(read)).relu_()) + added


class WideResNet(nn.Module):
    """A wide residual network; `width` is W, `factor` is k. Raises InputError if `depth` is not 6 n + 4."""

    stackable = True

    def __init__(self, classes: int = 10, width: int = 16, scale: float = 1.0, depth: int = 16, factor: int = 8):
        super().__init__()
        count, rest = divmod(depth - 4, 2 * SEGMENTS)
        if rest or count < 1:
            raise InputError(f"depth={depth}; allowed: {2 * SEGMENTS}n + 4, n = 1, 2, …")
        maps = scaled(width, scale)
        self.stem = Convolution(3, maps, 3, padding=1, bias=False)
        blocks: list[nn.Module] = []
        for segment in range(SEGMENTS):
            outputs = scaled(factor * width * 2**segment, scale)
            for block in range(count):
                blocks.append(Activated(maps, outputs, 2 if segment and not block else 1, shortcut=not block))
                maps = outputs
        self.blocks = nn.Sequential(*blocks)
        self.normalization, self.output = Normalization(maps), Linear(maps, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images [batch, 3, H, W] or [R, batch, 3, H, W] to logits [batch, classes] or [R, batch, classes]."""
        first = self.stem.weight
        maps = self.normalization(self.blocks(self.stem(side_by_side(images, first)))).relu_()
        return self.output(apart(maps.mean((2, 3)), first))

    def units(self) -> tuple[Units, ...]:
        """Return the filters between the convolutions of each block, and those of each segment's main path."""
        inside, written, read = [], [["stem.weight"]], [[]]
        for index, block in enumerate(self.blocks):
            name = f"blocks.{index}"
            own = (f"{name}.first.weight", *normalization(f"{name}.between"))
            inside.append(Units(own, (f"{name}.second.weight",)))
            written[-1] += normalization(f"{name}.before")
            read[-1].append(f"{name}.first.weight")
            if block.shortcut is not None:  # a new segment begins
                read[-1].append(f"{name}.shortcut.weight")
                written.append([f"{name}.shortcut.weight"])
                read.append([])
            written[-1].append(f"{name}.second.weight")
        written[-1] += normalization("normalization")
        read[-1].append("output.weight")
        return (*inside, *(Units(tuple(w), tuple(r)) for w, r in zip(written, read, strict=True)))
