"""Spatter on the lens: drops of water, or mud.

A layer of smoothed noise is wet where it exceeds a threshold. Mud covers the image there. Water adds its colour, more so
away from the rims of drops: the distance to the rims, embossed to look round, times the layer. Rims are edges after
J. Canny, "A Computational Approach to Edge Detection", IEEE TPAMI 1986; the distance is that of G. Borgefors, "Distance
Transformations in Digital Images", 1986: the shortest way in steps of 1, 1.4 (diagonal) and 2.1969 (a knight's move).
The rounding of OpenCV's 8-bit images, on which the published files rest, is kept.
"""

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

from lib.data.corruption_blur import levels, smooth
from lib.data.corruption_noise import Draws

WATER, MUD = (175, 238, 238), (63, 42, 20)  # red, green, blue
LOW, HIGH = 50, 150  # an edge is stronger than HIGH somewhere, and than LOW all along
FARTHEST = 20  # pixels
KNIGHT = 2.1969
EMBOSS = ((-2, -1, 0), (-1, 1, 1), (0, 1, 2))
FLAT = ((1, 1, 1),) * 3
ACROSS = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))  # Sobel's derivative to the right
TANGENTS = (13573 / 2**15, 2 + 13573 / 2**15)  # of 22.5 and 67.5 degrees


def spatter(
    x: Tensor, draws: Draws, mean: float, deviation: float, smoothed: float, threshold: float, strength: float, mud: int
) -> Tensor:
    """Spatter water or mud on the image.

    Args:
        x: [N, 3, H, W].
        draws: of the noise.
        mean, deviation, smoothed: of the noise, and of the Gaussian that smooths it, in pixels.
        threshold: where it is wet.
        strength: of the water, or the deviation in pixels of the Gaussian that smooths the mud.
        mud: 1, or 0 for water.
    """
    layer = smooth(draws.normal(mean, deviation, *x.shape[-2:]), smoothed)
    colour = torch.tensor(MUD if mud else WATER).to(x).view(3, 1, 1) / 255
    if mud:
        cover = smooth((layer > threshold).to(x), strength).unsqueeze(1)
        cover = torch.where(cover < 0.8, 0, cover)
        return x * (1 - cover) + cover * colour
    layer = levels(torch.where(layer < threshold, 0, layer))
    wet = (layer * depth(layer)).unsqueeze(1)
    most = wet.amax((2, 3), keepdim=True)
    return x + torch.where(most > 0, wet / most, 0) * strength * colour


def depth(layer: Tensor) -> Tensor:
    """Return how deep the water looks, whole numbers [N, H, W] from 0 to 255, of a layer of such numbers."""
    rounded = equalized((correlated(distance(edges(layer)), FLAT, "reflect") / 9).floor())
    embossed = correlated(rounded, EMBOSS, "reflect").clamp(0, 255)
    return (correlated(embossed, FLAT, "reflect") / 9).round()


def neighbours(x: Tensor, reach: int, mode: str, value: float = 0.0) -> dict[tuple[int, int], Tensor]:
    """Return for each offset (down, right) the values [N, H, W] that lie there from each pixel."""
    height, width = x.shape[-2:]
    padded = pad(x.unsqueeze(1), (reach,) * 4, mode, value if mode == "constant" else None).squeeze(1)
    span = range(-reach, reach + 1)
    return {
        (down, right): padded[:, reach + down :, reach + right :][:, :height, :width] for down in span for right in span
    }


def correlated(x: Tensor, weights: tuple[tuple[int, ...], ...], mode: str) -> Tensor:
    """Correlate [N, H, W] with 3 x 3 weights."""
    near = neighbours(x, 1, mode)
    return sum(weights[down + 1][right + 1] * near[down, right] for down, right in near)  # pyright: ignore[reportReturnType]


def edges(layer: Tensor) -> Tensor:
    """Return where edges are, bool [N, H, W]: ridges of the slope, followed from where it is steep."""
    right = correlated(layer, ACROSS, "replicate")
    down = correlated(layer, tuple(zip(*ACROSS, strict=True)), "replicate")
    slope = right.abs() + down.abs()
    near = neighbours(slope, 1, "constant")
    # Of two equal slopes side by side, the first is the ridge; of two along a diagonal, none is.
    flat, upright = down.abs() < TANGENTS[0] * right.abs(), down.abs() > TANGENTS[1] * right.abs()
    along_row = (slope > near[0, -1]) & (slope >= near[0, 1])
    along_column = (slope > near[-1, 0]) & (slope >= near[1, 0])
    falling = (slope > near[-1, -1]) & (slope > near[1, 1])
    rising = (slope > near[-1, 1]) & (slope > near[1, -1])
    diagonal = torch.where((right < 0) ^ (down < 0), rising, falling)
    ridge = torch.where(flat, along_row, torch.where(upright, along_column, diagonal)) & (slope > LOW)
    found = ridge & (slope > HIGH)
    while True:
        more = ridge & (max_pool2d(found.to(layer).unsqueeze(1), 3, stride=1, padding=1).squeeze(1) > 0)
        if torch.equal(more, found):
            return found
        found = more


def distance(found: Tensor) -> Tensor:
    """Return the distance to the nearest edge in pixels, at most 20, float32 [N, H, W], for bool [N, H, W]."""
    costs = _step_costs()
    away = torch.where(found, 0.0, float(FARTHEST))
    while True:
        near = neighbours(away, 2, "constant", FARTHEST)
        nearer = torch.stack([away, *(near[offset] + cost for offset, cost in costs.items())]).amin(0)
        if torch.equal(nearer, away):
            return away
        away = nearer


def _step_costs() -> dict[tuple[int, int], float]:
    lengths = {(0, 1): 1.0, (1, 1): 1.4, (1, 2): KNIGHT}
    span = range(-2, 3)
    sizes = {(down, right): tuple(sorted((abs(down), abs(right)))) for down in span for right in span}
    return {offset: lengths[size] for offset, size in sizes.items() if size in lengths}  # pyright: ignore


def equalized(values: Tensor) -> Tensor:
    """Spread whole numbers [N, H, W] from 0 to 255 so that their distribution is as even as it can be.

    The least number becomes 0, each other one 255 times the share of the pixels above the least that are not larger.
    """
    flat = values.long().flatten(1)
    counts = torch.zeros(len(flat), 256).to(values).scatter_add_(1, flat, torch.ones_like(flat).to(values))
    first = (counts > 0).int().argmax(1, keepdim=True)
    least = counts.gather(1, first)
    others = flat.shape[1] - least
    table = ((counts.cumsum(1) - least).clamp(min=0) * (255 / others.clamp(min=1))).round()
    return torch.where(others > 0, table, first.to(table)).gather(1, flat).view(values.shape)
