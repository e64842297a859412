"""VGG for 32 × 32 images (Simonyan and Zisserman 2015): 3 × 3 convolutions with bias, batch normalization and ReLU.

Segments have W, 2W, 4W, 8W and 8W filters; after each the map is halved, and one linear layer follows. The output layer is
left whole. VGG-16 (configuration D; facts A.1) has thirteen convolutions and halves the last map by averages: with the
standard width W = 64 and ten classes 14,728,266 parameters, 14,710,464 of them prunable. VGG-11 (configuration A; facts D.1)
has eight and halves all maps by maxima: 9,231,114 parameters. LIP's VGG-16 halves all maps by maxima too, and its output
layer is pruned (facts C.2).
"""

from torch import Tensor, nn

from lib.models.layers import Convolution, Linear, Normalization, apart, scaled, side_by_side
from lib.models.units import Units, normalized

FACTORS = (1, 2, 4, 8, 8)  # filters of the segments, in units of the width
CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 16: (2, 2, 3, 3, 3)}  # in each, by depth


class VGG(nn.Module):
    """A plain convolutional network of depth 11 or 16; other arguments as for `lib.models.build`."""

    stackable = True

    def __init__(
        self, classes: int = 10, width: int = 64, scale: float = 1.0, depth: int = 16, averaged: bool = True,
        unpruned: tuple[str, ...] = ("output",),
    ):  # fmt: skip
        super().__init__()
        self.unpruned = unpruned  # facts J13
        layers: list[nn.Module] = []
        inputs = 3
        for factor, convolutions in zip(FACTORS, CONVOLUTIONS[depth], strict=True):
            outputs = scaled(factor * width, scale)
            for _ in range(convolutions):
                convolution = Convolution(inputs, outputs, 3, padding=1)
                layers.append(nn.Sequential(convolution, Normalization(outputs), nn.ReLU(inplace=True)))
                inputs = outputs
            layers.append(nn.MaxPool2d(2))
        if depth == 16 and averaged:
            layers[-1] = nn.AvgPool2d(2)
        self.layers = nn.Sequential(*layers)
        self.output = Linear(inputs, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images [batch, 3, 32, 32] or [R, batch, 3, 32, 32] to logits [batch, classes] or [R, batch, classes]."""
        first: Tensor = self.layers[0][0].weight  # pyright: ignore
        maps = self.layers(side_by_side(images, first))
        return self.output(apart(maps.flatten(1), first))

    def units(self) -> tuple[Units, ...]:
        """Return the filters of each convolution and what reads them."""
        names = [f"layers.{i}" for i, layer in enumerate(self.layers) if isinstance(layer, nn.Sequential)]
        readers = [f"{name}.0.weight" for name in names[1:]] + ["output.weight"]
        pairs = zip(names, readers, strict=True)
        return tuple(Units(normalized(name, bias=True), (reader,)) for name, reader in pairs)
