"""What a camera's settings and a computer do: brightness, contrast, saturation, elastic, large pixels, JPEG.

With V the largest and m the smallest channel of a pixel, and S = (V - m) / V, colours in HSV keep their hue when

    value changes        x V' / V
    saturation changes   V - (V - x) S' / S         gray has S = 0, and by convention the hue of red

Elastic moves three points of the image at random and all others with them (an affine map), then each pixel by smoothed
noise. JPEG and large pixels are Pillow's, one image after the other.
"""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from lib.data.corruption_blur import smooth
from lib.data.corruption_noise import Draws


def brightness(x: Tensor, draws: Draws, added: float) -> Tensor:
    """Add to the value of each pixel."""
    value = x.amax(1, keepdim=True)
    brighter = (value + added).clamp(0, 1)
    return torch.where(value > 0, x * (brighter / value), brighter)


def contrast(x: Tensor, draws: Draws, factor: float) -> Tensor:
    """Shrink each channel towards its mean over the image."""
    mean = x.mean((2, 3), keepdim=True)
    return (x - mean) * factor + mean


def saturate(x: Tensor, draws: Draws, factor: float, added: float) -> Tensor:
    """Scale and shift the saturation of each pixel."""
    value, least = x.amax(1, keepdim=True), x.amin(1, keepdim=True)
    saturation = torch.where(value > 0, (value - least) / value, 0)
    new = (saturation * factor + added).clamp(0, 1)
    red = torch.cat([value, value * (1 - new), value * (1 - new)], 1)
    return torch.where(saturation > 0, value - (value - x) * (new / saturation), red)


def elastic_transform(x: Tensor, draws: Draws, amount: float, deviation: float, jitter: float) -> Tensor:
    """Move the image by an affine map, then each pixel by smoothed noise.

    Args:
        x: [N, 3, H, W].
        draws: of three points' shifts, then of the noise down and to the right.
        amount: by which noise in [-1, 1] is scaled after smoothing, in pixels.
        deviation: of the Gaussian that smooths it, in pixels.
        jitter: largest shift of a point along each axis, in pixels.
    """
    height, width = x.shape[-2:]
    centre, arm = torch.tensor([width // 2, height // 2], dtype=torch.float64), min(height, width) // 3
    points = centre + arm * torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]], dtype=torch.float64)
    moved = points + draws.uniform(-jitter, jitter, 3, 2).cpu().double()
    back = torch.linalg.solve(torch.cat([moved, torch.ones(len(x), 3, 1)], 2), points.expand(len(x), 3, 2)).to(x)
    down, right = torch.meshgrid(*(torch.arange(side).to(x) for side in (height, width)), indexing="ij")
    places = torch.stack([right, down, torch.ones_like(right)], 2) @ back.unsqueeze(1)  # [N, H, W, 2], column and row
    x = sample(x, places, "mirror")
    shift_down, shift_right = (
        amount * smooth(draws.uniform(-1, 1, height, width), deviation, "reflect", truncate=3) for _ in range(2)
    )
    return sample(x, torch.stack([right + shift_right, down + shift_down], 3), "reflect")


def sample(x: Tensor, places: Tensor, edge: str) -> Tensor:
    """Return values between pixels, bilinear.

    Args:
        x: [N, C, H, W].
        places: [N, H, W, 2], column and row, in pixels.
        edge: "mirror" (c b | a b c) or "reflect" (b a | a b c).
    """
    size = torch.tensor([x.shape[-1], x.shape[-2]]).to(x)
    aligned = edge == "mirror"  # -1 and 1 are the centres of the outer pixels, else their outer edges
    scaled = 2 * places / (size - 1) - 1 if aligned else (2 * places + 1) / size - 1
    return grid_sample(x, scaled, padding_mode="reflection", align_corners=aligned)


def pixelate(x: Tensor, draws: Draws, share: float) -> Tensor:
    """Make the image smaller and large again, with box filters."""
    from PIL.Image import Resampling

    height, width = x.shape[-2:]
    small = int(width * share), int(height * share)
    return with_pillow(x, lambda image: image.resize(small, Resampling.BOX).resize((width, height), Resampling.BOX))


def jpeg_compression(x: Tensor, draws: Draws, quality: int) -> Tensor:
    """Write the image as JPEG, and read it."""
    from PIL import Image

    def written_and_read(image: Any) -> Any:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(file)

    return with_pillow(x, written_and_read)


def with_pillow(x: Tensor, change: Callable[[Any], Any]) -> Tensor:
    """Change each image, [N, 3, H, W] in [0, 1], as a Pillow image of that size."""
    from PIL import Image

    pixels = (x * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    changed = np.stack([np.asarray(change(Image.fromarray(one))) for one in pixels])
    return torch.from_numpy(changed).permute(0, 3, 1, 2).to(x) / 255
