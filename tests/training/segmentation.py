"""A small network for segmentation with an auxiliary head, as torchvision's answer."""

import torch
from torch import nn


class Pixels(nn.Module):
    """Two convolutions, and a classifier on each of them."""

    def __init__(self, classes: int):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.Dropout(0.1))
        self.out, self.aux = nn.Conv2d(8, classes, 1), nn.Conv2d(8, classes, 1)

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        first = self.first(images)
        return {"out": self.out(self.second(first)), "aux": self.aux(first)}


def network(classes: int) -> nn.Module:
    return Pixels(classes)
