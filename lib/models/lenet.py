"""LeNet-300-100: 784 → 300 → 100 → 10 with ReLU (LeCun et al. 1998; TR App. B, facts A.1).

266,610 parameters, of which 265,200 are prunable: the output layer is left whole.
"""

from torch import Tensor, nn


class LeNet(nn.Module):
    """A multilayer perceptron on flattened images.

    Args:
        classes: number of outputs.
        hidden: widths of the hidden layers.
        inputs: values in one image, 784 for 28 × 28 grey pixels.
    """

    def __init__(self, classes: int = 10, hidden: tuple[int, ...] = (300, 100), inputs: int = 784):
        super().__init__()
        widths = (inputs, *hidden)
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:], strict=False))
        self.output = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images [batch, ...] to logits [batch, classes]."""
        activations = images.flatten(1)
        for layer in self.hidden:
            activations = layer(activations).relu()
        return self.output(activations)
