"""A small picture to corrupt where no photograph is at hand: a house by the sea, drawn at four times its size."""

import numpy
import torch
from torch import Tensor

from lib import data

SIDE, FINER = 32, 4
SKY, HORIZON, SEA, GRASS, SUN, WALL, ROOF, DOOR = (
    (70, 130, 210), (200, 220, 240), (30, 90, 140), (80, 140, 60), (250, 220, 90), (235, 225, 205), (170, 60, 45),
    (95, 60, 40),
)  # fmt: skip


def picture(number: int | None = None) -> Tensor:
    """Return the drawn picture, or a test image of CIFAR-10, uint8 [32, 32, 3]."""
    if number is not None:
        return data.load("cifar10").test_images[number]
    y, x = (numpy.mgrid[: SIDE * FINER, : SIDE * FINER] + 0.5) / (SIDE * FINER)
    down = (y / 0.6).clip(0, 1)[..., None]
    drawn = (1 - down) * numpy.array(SKY) + down * numpy.array(HORIZON)
    house = (numpy.abs(x - 0.64) < 0.17) & (y > 0.5) & (y < 0.82)
    shapes = {
        SUN: (x - 0.2) ** 2 + (y - 0.2) ** 2 < 0.01,
        SEA: y > 0.6,
        GRASS: y > 0.95 - 0.5 * x,
        WALL: house,
        ROOF: (y < 0.5) & (y > 0.27 + numpy.abs(x - 0.64)),
        DOOR: house & (numpy.abs(x - 0.72) < 0.045) & (y > 0.62),
    }
    shapes[SKY] = house & (numpy.abs(x - 0.57) < 0.045) & (numpy.abs(y - 0.65) < 0.045)
    for colour, where in shapes.items():
        drawn[where] = colour
    small = drawn.reshape(SIDE, FINER, SIDE, FINER, 3).mean((1, 3))
    return torch.from_numpy(small.round().astype(numpy.uint8))
