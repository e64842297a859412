"""LeNet-300-100: 784 → 300 → 100 → 10 with ReLU (LeCun et al. 1998; TR App. B, facts A.1).

266,610 parameters, of which 265,200 are prunable: the output layer is left whole.
"""

from itertools import pairwise

from torch import Tensor, nn

from lib.models.layers import Linear, scaled
from lib.models.units import Units


class LeNet(nn.Module):
    """A multilayer perceptron on flattened images; `hidden` are widths, and an image has `inputs` values."""

    stackable = True
    unpruned = ("output",)  # facts J13

    def __init__(self, classes: int = 10, hidden: tuple[int, ...] = (300, 100), inputs: int = 784, scale: float = 1.0):
        super().__init__()
        widths = (inputs, *(scaled(width, scale) for width in hidden))
        self.hidden = nn.ModuleList(Linear(a, b) for a, b in pairwise(widths))
        self.output = Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images [batch, C, H, W] or [R, batch, C, H, W] to logits [batch, classes] or [R, batch, classes]."""
        activations = images.flatten(-3)
        for layer in self.hidden:
            activations = layer(activations).relu()
        return self.output(activations)

    def units(self) -> tuple[Units, ...]:
        """Return the pixels and the neurons of each hidden layer, and what reads them."""
        names = [f"hidden.{i}" for i in range(len(self.hidden))]
        readers = [f"{name}.weight" for name in (*names, "output")]
        written = [(), *((f"{name}.weight", f"{name}.bias") for name in names)]
        return tuple(Units(w, (reader,)) for w, reader in zip(written, readers, strict=True))
