"""Blur: linear filters as matrices, and pixels that are moved.

A filter along one axis of an image is a matrix that holds what happens at the edge, so that

    blurred = rows @ x @ columns.T                a separable filter: Gaussian blur
    blurred = sum over k of rows_k @ x @ columns_k.T    any other: defocus (a disk), zoom blur

Motion blur averages along a line, 2r + 1 pixels from each pixel on, with half a Gaussian as weights. Frosted glass copies
neighbours over pixels, one after the other from the lower right on: what is copied may itself be a copy. (The authors meant
to swap; their code copies, and the published files were made so.) The copies are followed all at once, by pointer jumping.
"""

import functools
import math

import torch
from torch import Tensor

from lib.data.corruption_noise import Draws


def levels(x: Tensor) -> Tensor:
    """Return the gray levels of values in [0, 1] as floats 0, ..., 255, clipped and truncated.

    1e-4 of a level is added first: float32 must not make 199.99998 of 200, and that 199.
    """
    return (x.clamp(0, 1) * 255 + 1e-4).floor()


def fold(index: Tensor, size: int, edge: str) -> Tensor:
    """Return where an index lies that may be outside 0, ..., size - 1.

    Args:
        edge: "nearest" (a a | a b c), "reflect" (b a | a b c) or "mirror" (c b | a b c).
    """
    if edge == "nearest":
        return index.clamp(0, size - 1)
    last = 2 * size - 1 if edge == "reflect" else 2 * size - 2
    index = index % (last + 1 if edge == "reflect" else last)
    return torch.minimum(index, last - index)


def gaussian(deviation: float, reach: int) -> Tensor:
    """Return Gaussian weights of the offsets -reach, ..., reach, sum 1, float64; a deviation of 0 allows a reach of 0."""
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    weights = torch.exp(-(offsets**2) / (2 * deviation**2)) if reach else torch.ones(1, dtype=torch.float64)
    return weights / weights.sum()


def filter_matrix(weights: Tensor, size: int, edge: str) -> Tensor:
    """Return the matrix [size, size] that correlates an axis with an odd number of weights."""
    offsets = torch.arange(len(weights)) - len(weights) // 2
    source = fold(torch.arange(size).unsqueeze(1) + offsets, size, edge)
    return torch.zeros(size, size, dtype=weights.dtype).scatter_add_(1, source, weights.expand(size, -1))


def smooth(x: Tensor, deviation: float, edge: str = "nearest", truncate: float = 4) -> Tensor:
    """Blur the last two axes with a Gaussian that ends after `truncate` deviations, rounded to pixels."""
    rows, columns = (_gaussian_matrix(deviation, truncate, size, edge).to(x) for size in x.shape[-2:])
    return rows @ x @ columns.T


@functools.lru_cache(maxsize=32)
def _gaussian_matrix(deviation: float, truncate: float, size: int, edge: str) -> Tensor:
    return filter_matrix(gaussian(deviation, int(truncate * deviation + 0.5)), size, edge)


def gaussian_blur(x: Tensor, draws: Draws, deviation: float) -> Tensor:
    """Blur with a Gaussian."""
    return smooth(x, deviation)


def disk(radius: float, alias: float) -> Tensor:
    """Return a disk of odd side, without empty borders, its rim smoothed with a Gaussian of deviation `alias`.

    Its sum is 1, but for ImageNet's severities 4 and 5, where it is 1.013 and 1.011: disks of radius 8 and 10 touch the
    border of their square, and smoothing mirrors them there. The published files are brighter for that.
    """
    reach, window = (8, 1) if radius <= 8 else (math.ceil(radius), 2)
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    flat = (offsets.unsqueeze(1) ** 2 + offsets**2 <= radius**2).double()
    rim = filter_matrix(gaussian(alias, window), len(offsets), "mirror")
    smoothed = rim @ (flat / flat.sum()) @ rim.T
    empty = int((smoothed.sum(1) > 0).int().argmax())
    return smoothed[empty : len(offsets) - empty, empty : len(offsets) - empty]


def defocus_blur(x: Tensor, draws: Draws, radius: float, alias: float) -> Tensor:
    """Spread each pixel over a disk, as a lens out of focus does."""
    height, width = x.shape[-2:]
    weights, blurred = disk(radius, alias), torch.zeros_like(x)
    for number, row in enumerate(weights):
        down = torch.arange(height) + number - len(weights) // 2
        lines = x.index_select(-2, fold(down, height, "mirror").to(x.device))
        blurred += lines @ filter_matrix(row, width, "mirror").to(x).T
    return blurred


@functools.lru_cache(maxsize=64)
def zoom_matrix(size: int, factor: float) -> Tensor:
    """Return the matrix [size, size] that enlarges the middle of an axis, linear between pixels."""
    kept = math.ceil(size / factor)
    made = round(kept * factor)
    places = (torch.arange(size, dtype=torch.float64) + (made - size) // 2) * ((kept - 1) / max(made - 1, 1))
    low = places.long().clamp(max=max(kept - 2, 0))
    part, start = (places - low).unsqueeze(1), (size - kept) // 2
    ends = torch.stack([low, (low + 1).clamp(max=kept - 1)], 1) + start
    return torch.zeros(size, size, dtype=part.dtype).scatter_add_(1, ends, torch.cat([1 - part, part], 1))


def zoom(x: Tensor, factor: float) -> Tensor:
    """Enlarge the middle of the last two axes."""
    rows, columns = (zoom_matrix(size, factor).to(x) for size in x.shape[-2:])
    return rows @ x @ columns.T


def zoom_blur(x: Tensor, draws: Draws, step: float, count: int) -> Tensor:
    """Average an image and its enlargements by 1, 1 + step, ..., 1 + (count - 1) step."""
    return (x + sum(zoom(x, 1 + number * step) for number in range(count))) / (count + 1)


def streak(x: Tensor, degrees: Tensor, radius: int, deviation: float) -> Tensor:
    """Average each pixel with those from it on in a direction of its image, weighted by half a Gaussian.

    Args:
        x: [N, C, H, W].
        degrees: [N], 0 to the right, 90 down.
        radius: 2 radius + 1 pixels are averaged.
        deviation: of the Gaussian, in pixels.
    """
    count, channels, height, width = x.shape
    steps, angle = torch.arange(2 * radius + 1, dtype=torch.float64), torch.deg2rad(degrees.cpu().double()).unsqueeze(1)
    weights = torch.exp(-(steps**2) / (2 * deviation**2))
    down, right = (
        (steps * part - 0.5).ceil().long().unsqueeze(2) for part in (angle.sin(), angle.cos())
    )  # [N, steps, 1]
    rows = fold(torch.arange(height) + down, height, "nearest").to(x.device)
    columns = fold(torch.arange(width) + right, width, "nearest").to(x.device)
    streaked, values = x.clone(), x.flatten(2)  # adding differences keeps flat colours to the bit
    for step, weight in enumerate((weights / weights.sum()).tolist()):
        source = rows[:, step].unsqueeze(2) * width + columns[:, step].unsqueeze(1)
        there = values.gather(2, source.view(count, 1, -1).expand(-1, channels, -1))
        streaked += weight * (there - values).view(x.shape)
    return streaked


def motion_blur(x: Tensor, draws: Draws, radius: int, deviation: float) -> Tensor:
    """Move the camera along a line of its own for each image."""
    return streak(x, draws.uniform(-45, 45), radius, deviation)


def glass_blur(x: Tensor, draws: Draws, deviation: float, reach: int, rounds: int) -> Tensor:
    """Blur, copy over each pixel one of its neighbours, several times, and blur again."""
    pixels = levels(smooth(x, deviation)).flatten(2)
    for _ in range(rounds):
        source = copied_from(
            draws.integers(-reach, reach, 2, *(side - 2 * reach for side in x.shape[-2:])), x.shape[-1]
        )
        pixels = pixels.gather(2, source.unsqueeze(1).expand_as(pixels))
    return smooth(pixels.view(x.shape) / 255, deviation)


def copied_from(offsets: Tensor, width: int) -> Tensor:
    """Return where each pixel's value comes from after copies one by one, last row first, last column first.

    Each pixel in turn gets the value which the one at its offset has then. A node is a pixel before or after its own turn:
    after its turn it points to its neighbour, after that one's turn if it came earlier, before it else; before its turn
    it is its own end. Doubling the pointers leads all to their ends in log2(H W) steps.

    Args:
        offsets: int64 [N, 2, H - 2 reach, W - 2 reach], down and right, of the pixels from reach + 1 on.
        width: W.

    Returns:
        Int64 [N, H W], the number of a pixel for each pixel.
    """
    count, _, tall, wide = offsets.shape
    reach = (width - wide) // 2
    height = tall + 2 * reach
    pixels = height * width
    row = torch.arange(reach + 1, reach + 1 + tall, device=offsets.device).unsqueeze(1)
    column = torch.arange(reach + 1, reach + 1 + wide, device=offsets.device)
    down, right = row + offsets[:, 0], column + offsets[:, 1]
    here, there = row * width + column, down * width + right
    had_its_turn = (there > here) & (down <= height - reach) & (reach < right) & (right <= width - reach)
    pointers = torch.arange(2 * pixels, device=offsets.device).repeat(count, 1)
    pointers[:, :pixels] += pixels
    pointers[:, here.flatten()] = (there + pixels * ~had_its_turn).flatten(1)
    for _ in range(math.ceil(math.log2(pixels))):
        pointers = pointers.gather(1, pointers)
    return pointers[:, :pixels] - pixels
