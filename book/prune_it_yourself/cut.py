"""The cut that the page is about, in plain PyTorch; the page shows it beside the JavaScript that runs there."""

import torch
from torch import Tensor


def cut(weights: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """Keep a share of all weights, those of largest magnitude; set the others to zero.

    Args:
        weights: name → tensor of any shape.
        share: of the weights that remain, inside (0, 1).

    Returns:
        The same names with new tensors.
    """
    magnitudes = torch.cat([weight.abs().flatten() for weight in weights.values()])
    count = round((1 - share) * len(magnitudes))
    threshold = magnitudes.sort().values[count]  # one threshold for all layers
    return {name: weight * (weight.abs() >= threshold) for name, weight in weights.items()}
