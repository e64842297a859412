"""Snow, frost and fog.

    snow    mix x + (1 - mix) max(x, 1.5 gray(x) + 0.5) + flakes + flakes turned by 180 degrees
    frost   a x + b texture
    fog     (x + a m) M / (M + a)          m: a random landscape in [0, 1], M: the image's largest value

Flakes are noise, enlarged, cut off below a threshold and streaked by the wind. The landscape is made by midpoint
displacement on a torus. The authors' five photographs of frost cannot be shipped: the textures here are synthesized, with
the mean and deviation of each photograph's colours. Results under frost still differ from those on the published files.
"""

import functools
import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from lib.data.corruption_blur import levels, streak, zoom
from lib.data.corruption_noise import Draws
from lib.seeds import generator

LUMA = (0.299, 0.587, 0.114)  # gray of red, green and blue
PHOTOGRAPHS = (
    ((0.30, 0.58, 0.65), (0.11, 0.06, 0.06)),
    ((0.79, 0.81, 0.84), (0.08, 0.09, 0.09)),
    ((0.79, 0.81, 0.84), (0.08, 0.09, 0.09)),
    ((0.54, 0.60, 0.65), (0.11, 0.11, 0.12)),
    ((0.44, 0.48, 0.53), (0.17, 0.17, 0.16)),
)
"""Mean and deviation of red, green and blue in the authors' photographs of frost; the second and third are one picture."""

TEXTURE_SIDE = 512


def snow(
    x: Tensor, draws: Draws, mean: float, deviation: float, enlarged: float, threshold: float,
    radius: int, wind: float, mix: float,
) -> Tensor:  # fmt: skip
    """Whiten the image and let it snow.

    Args:
        x: [N, 3, H, W].
        draws: of noise, then of the wind's direction.
        mean, deviation: of the noise.
        enlarged: factor.
        threshold: below which noise is no flake.
        radius, wind: of the streaks, see `lib.data.corruption_blur.streak`.
        mix: weight of the image against its whitened copy.
    """
    noise = zoom(draws.normal(mean, deviation, *x.shape[-2:]), enlarged)
    flakes = levels(torch.where(noise < threshold, 0, noise)).unsqueeze(1) / 255
    flakes = streak(flakes, draws.uniform(-135, -45), radius, wind)
    gray = (x * torch.tensor(LUMA).to(x).view(3, 1, 1)).sum(1, keepdim=True)
    return mix * x + (1 - mix) * torch.maximum(x, 1.5 * gray + 0.5) + flakes + flakes.flip(2, 3)


def frost(x: Tensor, draws: Draws, kept: float, added: float, scale: float) -> Tensor:
    """Look through a frozen window: a random crop of one of five synthesized textures.

    Args:
        x: [N, 3, H, W].
        draws: of the texture, then of the crop's corner.
        kept, added: weights of image and texture.
        scale: by which the texture is made smaller first.
    """
    textures = frost_textures(scale).to(x)
    which = draws.integers(0, len(PHOTOGRAPHS)).view(-1, 1, 1)
    corner = draws.integers(0, textures.shape[-1], 2)  # the textures have no edge
    rows, columns = (
        (corner[:, axis, None] + torch.arange(side, device=x.device)) % textures.shape[-1]
        for axis, side in enumerate(x.shape[-2:])
    )
    crops = textures.permute(0, 2, 3, 1)[which, rows.unsqueeze(2), columns.unsqueeze(1)]
    return kept * x + added * crops.permute(0, 3, 1, 2)


@functools.lru_cache(maxsize=2)
def frost_textures(scale: float = 1) -> Tensor:
    """Return the five textures, float32 [5, 3, S, S] in [0, 1], S = 512 x scale; the same in every run.

    Needles of ice are the ridges of noise that is long in one direction. Each texture has three such directions, 60 degrees
    apart as in ice; smooth noise decides where which of them grows, and where the glass is clear.
    """
    textures = torch.stack([_texture(number) for number in range(len(PHOTOGRAPHS))])
    if scale == 1:
        return textures
    side = round(TEXTURE_SIDE * scale)
    return interpolate(textures, size=(side, side), mode="bilinear", antialias=True)


def _texture(number: int) -> Tensor:
    draw = generator(0, "frost texture", number)
    down = torch.fft.fftfreq(TEXTURE_SIDE).unsqueeze(1)
    right = torch.fft.rfftfreq(TEXTURE_SIDE)

    def noise(long: float, short: float, angle: float = 0.0) -> Tensor:
        """Return normal noise [S, S] of deviation 1, smoothed by `long` pixels along an angle and `short` across it."""
        along = down * math.sin(angle) + right * math.cos(angle)
        across = right * math.sin(angle) - down * math.cos(angle)
        passed = torch.exp(-2 * (math.pi * long * along) ** 2 - 2 * (math.pi * short * across) ** 2)
        white = torch.fft.rfft2(torch.randn(TEXTURE_SIDE, TEXTURE_SIDE, generator=draw))
        smoothed = torch.fft.irfft2(white * passed, s=(TEXTURE_SIDE, TEXTURE_SIDE))
        return (smoothed - smoothed.mean()) / smoothed.std()

    turned, long = torch.rand(1, generator=draw).item() * math.pi, 20 + 8 * number
    angles = [turned + third * math.pi / 3 for third in range(3)]
    needles = torch.stack([torch.exp(-1.5 * noise(long, 3, angle).abs()) for angle in angles])
    patches = torch.stack([noise(24, 24) for _ in range(3)])
    ice = (needles * torch.softmax(4 * patches, 0)).sum(0)
    cover = torch.sigmoid(0.5 + 2 * noise(20, 20))
    light = 0.3 * cover + 0.8 * cover * ice + 0.04 * noise(1, 1)
    mean, deviation = torch.tensor(PHOTOGRAPHS[number]).view(2, 3, 1, 1)
    return (mean + deviation * (light - light.mean()) / light.std()).clamp(0, 1)


def fog(x: Tensor, draws: Draws, amount: float, decay: float) -> Tensor:
    """Lay a random landscape of fog over the image, whose largest value stays the largest."""
    height, width = x.shape[-2:]
    land = landscape(draws, 2 ** math.ceil(math.log2(max(height, width))), decay)[:, None, :height, :width]
    most = x.amax((1, 2, 3), keepdim=True)
    return (x + amount * land) * most / (most + amount)


def landscape(draws: Draws, side: int, decay: float) -> Tensor:
    """Return random landscapes on a torus, [N, side, side] in [0, 1], side a power of two.

    The corner is 0. At each step the grid becomes twice as fine: first the middle of each square, then the middles of its
    sides become the mean of the four neighbours plus w U(-w, w), where w starts at 100 and is divided by `decay`.

    Args:
        draws: at each step of the squares, then of the sides along a row, then of those along a column.
        side: in pixels.
        decay: the larger, the smoother.
    """
    land = torch.zeros(draws.count, side, side, device=draws.device)
    step, w = side, 100.0
    while step > 1:
        half, count = step // 2, side // step

        def around(*offsets: tuple[int, int]) -> Tensor:
            return torch.stack([land.roll(offset, (1, 2)) for offset in offsets]).mean(0)  # noqa: B023

        rough = w * draws.uniform(-w, w, 3, count, count)
        diagonal = around((half, half), (half, -half), (-half, half), (-half, -half))
        land[:, half::step, half::step] = diagonal[:, half::step, half::step] + rough[:, 0]
        straight = around((half, 0), (-half, 0), (0, half), (0, -half))
        land[:, ::step, half::step] = straight[:, ::step, half::step] + rough[:, 1]
        land[:, half::step, ::step] = straight[:, half::step, ::step] + rough[:, 2]
        step, w = half, w / decay
    least, most = land.amin((1, 2), keepdim=True), land.amax((1, 2), keepdim=True)
    return (land - least) / (most - least)
