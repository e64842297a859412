"""Each corruption against its formula in plain NumPy and SciPy, a picture at a time, with the same random numbers."""

import colorsys
import io
import math
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor

from lib.data import corruption_weather
from lib.data.corruption_blur import copied_from, disk, levels
from lib.data.corruption_noise import Draws, shot_noise
from lib.data.corruptions import (
    BENCHMARK_CORRUPTIONS,
    CORRUPTIONS,
    EXTRA_CORRUPTIONS,
    SEVERITIES,
    corrupt,
    corruption_seed,
)
from lib.data.generated import generate
from lib.errors import InputError
from lib.seeds import generator

WITHOUT_CHANCE = {
    "defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg_compression", "gaussian_blur", "saturate",
}  # fmt: skip
GROWING = sorted(
    WITHOUT_CHANCE - {"saturate"} | {"gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise", "fog"}
)


def small(count: int = 4) -> Tensor:
    """Uint8 [count, 32, 32, 3]."""
    return generate("generated-objects", train=10, test=count)["test_images"]


def large() -> Tensor:
    """Uint8 [2, 48, 64, 3]: smooth colours, a black square and a white one."""
    down, right = torch.meshgrid(torch.arange(48), torch.arange(64), indexing="ij")
    picture = torch.stack([4 * right, 5 * down, 2 * (down + right)], 2).to(torch.uint8)
    picture[8:20, 8:20], picture[30:40, 40:60] = 0, 255
    return torch.stack([picture, picture.flip(1)])


@dataclass(frozen=True)
class Recorded(Draws):
    given: list[np.ndarray] = field(default_factory=list)

    def _moved(self, drawn: Tensor) -> Tensor:
        self.given.append(drawn[: self.count].numpy().copy())
        return super()._moved(drawn)


# The formulas: x [H, W, 3] in [0, 1], this picture's random numbers in the order of drawing, constants.


def gaussian(x, sigma, mode="nearest", truncate=4.0):
    return ndimage.gaussian_filter(x, (sigma, sigma, 0)[: x.ndim], mode=mode, truncate=truncate) if sigma else x


def quantized(x):
    return np.floor(np.clip(x, 0, 1) * 255 + 1e-4)


def enlarged(x, factor):
    kept = [math.ceil(side / factor) for side in x.shape[:2]]
    top, left = ((side - own) // 2 for side, own in zip(x.shape[:2], kept, strict=True))
    inner = x[top : top + kept[0], left : left + kept[1]]
    made = ndimage.zoom(inner, (factor, factor, 1)[: x.ndim], order=1, mode="nearest")
    top, left = ((own - side) // 2 for own, side in zip(made.shape[:2], x.shape[:2], strict=True))
    return made[top : top + x.shape[0], left : left + x.shape[1]]


def streaked(x, degrees, radius, sigma):
    weights = np.exp(-(np.arange(2 * radius + 1) ** 2) / (2 * sigma**2))
    angle, out = math.radians(degrees), np.zeros_like(x)
    for i, weight in enumerate(weights / weights.sum()):
        down, right = math.ceil(i * math.sin(angle) - 0.5), math.ceil(i * math.cos(angle) - 0.5)
        rows = np.clip(np.arange(x.shape[0]) + down, 0, x.shape[0] - 1)
        columns = np.clip(np.arange(x.shape[1]) + right, 0, x.shape[1] - 1)
        out += weight * x[np.ix_(rows, columns)]
    return out


def defocus(x, _, radius, alias):
    reach, window = (8, 1) if radius <= 8 else (int(radius), 2)
    y, z = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = (y**2 + z**2 <= radius**2) / (y**2 + z**2 <= radius**2).sum()
    bell = np.exp(-(np.arange(-window, window + 1) ** 2) / (2 * alias**2))
    kernel = ndimage.correlate(kernel, np.outer(bell, bell) / bell.sum() ** 2, mode="mirror")
    return ndimage.correlate(x, kernel[..., None], mode="mirror")


def glass(x, drawn, sigma, reach, rounds):
    height, width = x.shape[:2]
    x = quantized(gaussian(x, sigma))
    for offsets in drawn[:rounds]:
        for row in range(height - reach, reach, -1):
            for column in range(width - reach, reach, -1):
                down, right = offsets[:, row - reach - 1, column - reach - 1]
                x[row, column] = x[row + down, column + right]
    return gaussian(x / 255, sigma)


def zoomed(x, _, step, count):
    return (x + sum(enlarged(x, 1 + number * step) for number in range(count))) / (count + 1)


def snowed(x, drawn, mean, deviation, factor, threshold, radius, wind, mix):
    noise = enlarged(drawn[0].astype(np.float64), factor)
    flakes = streaked(quantized(noise * (noise >= threshold)) / 255, drawn[1], radius, wind)[..., None]
    gray = (x @ np.array([0.299, 0.587, 0.114]))[..., None]
    return mix * x + (1 - mix) * np.maximum(x, 1.5 * gray + 0.5) + flakes + np.rot90(flakes, 2)


def frosted(x, drawn, kept, added, scale):
    texture = corruption_weather.frost_textures(scale)[int(drawn[0])].permute(1, 2, 0).numpy()
    shifted = np.roll(np.tile(texture, (2, 2, 1)), -drawn[1], (0, 1))
    return kept * x + added * shifted[: x.shape[0], : x.shape[1]]


def foggy(x, drawn, amount, decay):
    size = 1 << (max(x.shape[:2]) - 1).bit_length()
    m, step, w = np.zeros((size, size)), size, 100.0
    for rough in drawn:
        half, rough, wrap = step // 2, w * rough, lambda i: i % size
        places = [(i, j) for i in range(0, size, step) for j in range(0, size, step)]
        for i, j in places:
            corners = m[i, j] + m[i, wrap(j + step)] + m[wrap(i + step), j] + m[wrap(i + step), wrap(j + step)]
            m[i + half, j + half] = corners / 4 + rough[0, i // step, j // step]
        for i, j in places:
            up, here, left = m[i - half, j + half], m[i + half, j + half], m[i + half, j - half]
            m[i, j + half] = (m[i, j] + m[i, wrap(j + step)] + here + up) / 4 + rough[1, i // step, j // step]
            m[i + half, j] = (m[i, j] + m[wrap(i + step), j] + here + left) / 4 + rough[2, i // step, j // step]
        step, w = half, w / decay
    m = (m - m.min()) / (m.max() - m.min())
    return (x + amount * m[: x.shape[0], : x.shape[1], None]) * x.max() / (x.max() + amount)


def in_hsv(x, change):
    flat = [colorsys.hsv_to_rgb(*change(*colorsys.rgb_to_hsv(*pixel))) for pixel in x.reshape(-1, 3)]
    return np.array(flat).reshape(x.shape)


def clipped(value):
    return min(max(value, 0), 1)


def elastic(x, drawn, alpha, sigma, _):
    (height, width), arm = x.shape[:2], min(x.shape[:2]) // 3
    points = np.array([[width // 2 + arm, height // 2 + arm], [width // 2 + arm, height // 2 - arm],
                       [width // 2 - arm, height // 2 - arm]], float)  # fmt: skip
    to = points + drawn[0]
    # Each pixel in coordinates of the moved triangle has the same coordinates in the original one.
    rows, columns = np.mgrid[:height, :width].astype(float)
    offset = np.stack([columns, rows], -1) - to[2]
    parts = offset @ np.linalg.inv(np.stack([to[0] - to[2], to[1] - to[2]]))
    source = points[2] + parts @ np.stack([points[0] - points[2], points[1] - points[2]])
    x = [
        ndimage.map_coordinates(c, [source[..., 1], source[..., 0]], order=1, mode="mirror")
        for c in np.moveaxis(x, 2, 0)
    ]
    down, right = (alpha * gaussian(noise.astype(float), sigma, "reflect", 3) for noise in drawn[1:])
    return np.stack([ndimage.map_coordinates(c, [rows + down, columns + right], order=1, mode="reflect") for c in x], 2)


def with_pillow(x, change):
    return np.asarray(change(Image.fromarray((x * 255).round().astype(np.uint8)))) / 255


def jpeg(x, _, quality):
    file = io.BytesIO()
    Image.fromarray((x * 255).round().astype(np.uint8)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)) / 255


def boxed(x, _, share):
    """Averages over cells of a coarse grid, rounded as Pillow does after each pass; each place then takes its cell."""

    def to(side, made):  # [made, side]: pixels whose centre lies within half a support of the cell's centre
        support = max(side / made, 1) / 2
        centres = (np.arange(made) + 0.5) * side / made
        inside = np.zeros((made, side))
        for cell, centre in enumerate(centres):
            first, last = int(max(centre - support + 0.5, 0)), int(min(centre + support + 0.5, side))
            inside[cell, first:last] = 1
        return inside / inside.sum(1, keepdims=True)

    for height, width in (tuple(int(side * share) for side in x.shape[:2]), x.shape[:2]):
        x = np.floor(np.einsum("vw,hwc->hvc", to(x.shape[1], width), x * 255) + 0.5) / 255
        x = np.floor(np.einsum("vh,hwc->vwc", to(x.shape[0], height), x * 255) + 0.5) / 255
    return x


def canny(layer, low, high):
    right, down = (ndimage.sobel(layer, axis, mode="nearest") for axis in (1, 0))
    slope = np.abs(right) + np.abs(down)
    wide, ridge = np.pad(slope, 1), np.zeros(slope.shape, bool)
    for (i, j), here in np.ndenumerate(slope):
        angle = math.degrees(math.atan2(abs(down[i, j]), abs(right[i, j])))
        around = wide[i : i + 3, j : j + 3]
        if angle < 22.5:
            first = here > around[1, 0] and here >= around[1, 2]
        elif angle > 67.5:
            first = here > around[0, 1] and here >= around[2, 1]
        elif right[i, j] * down[i, j] < 0:
            first = here > around[0, 2] and here > around[2, 0]
        else:
            first = here > around[0, 0] and here > around[2, 2]
        ridge[i, j] = first and here > low
    groups, _ = ndimage.label(ridge, np.ones((3, 3)))  # pyright: ignore[reportGeneralTypeIssues]
    return np.isin(groups, np.unique(groups[ridge & (slope > high)]))


def borgefors(found):
    rows, columns = (np.abs(axis[:, None] - edge) for axis, edge in zip(np.indices(found.shape).reshape(2, -1),
                                                                        np.nonzero(found), strict=True))  # fmt: skip
    short, long = np.minimum(rows, columns), np.maximum(rows, columns)
    steep = np.where(
        2 * short <= long, 2.1969 * short + long - 2 * short, 2.1969 * (long - short) + 1.4 * (2 * short - long)
    )
    return np.min(steep, axis=1, initial=20).reshape(found.shape)


def spattered(x, drawn, mean, deviation, sigma, threshold, strength, mud):
    layer = gaussian(drawn[0].astype(float), sigma)
    if mud:
        m = gaussian((layer > threshold).astype(float), strength)[..., None]
        m[m < 0.8] = 0
        return x * (1 - m) + m * np.array([63, 42, 20]) / 255
    layer = quantized(layer * (layer >= threshold))
    far = np.floor(ndimage.uniform_filter(borgefors(canny(layer, 50, 150)), 3, mode="mirror") + 1e-9)
    numbers, counts = np.unique(far, return_counts=True)
    if len(numbers) > 1:
        table = np.round((counts.cumsum() - counts[0]) * 255 / (counts.sum() - counts[0]))
        far = table[np.searchsorted(numbers, far)]
    far = np.clip(ndimage.correlate(far, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], float), mode="mirror"), 0, 255)
    m = layer * np.round(ndimage.uniform_filter(far, 3, mode="mirror"))
    return x + (m / max(m.max(), 1e-9))[..., None] * strength * np.array([175, 238, 238]) / 255


FORMULAS = {
    "gaussian_noise": lambda x, drawn, _: x + np.moveaxis(drawn[0], 0, 2),
    "impulse_noise": lambda x, drawn, c: np.moveaxis(
        np.where(drawn[0] < c, np.where(drawn[0] < c / 2, 1, 0), np.moveaxis(x, 2, 0)), 0, 2
    ),
    "speckle_noise": lambda x, drawn, _: x + x * np.moveaxis(drawn[0], 0, 2),
    "gaussian_blur": lambda x, _, sigma: gaussian(x, sigma),
    "defocus_blur": defocus,
    "glass_blur": glass,
    "motion_blur": lambda x, drawn, radius, sigma: streaked(x, drawn[0], radius, sigma),
    "zoom_blur": zoomed,
    "snow": snowed,
    "frost": frosted,
    "fog": foggy,
    "brightness": lambda x, _, c: in_hsv(x, lambda h, s, v: (h, s, clipped(v + c))),
    "saturate": lambda x, _, a, b: in_hsv(x, lambda h, s, v: (h, clipped(s * a + b), v)),
    "contrast": lambda x, _, c: (x - x.mean((0, 1))) * c + x.mean((0, 1)),
    "elastic_transform": elastic,
    "pixelate": boxed,
    "jpeg_compression": jpeg,
    "spatter": spattered,
}


@pytest.mark.parametrize("constants", ["cifar", "imagenet"])
@pytest.mark.parametrize("name", FORMULAS)
def test_each_corruption_is_its_formula(name: str, constants: str) -> None:
    images = small(3) if constants == "cifar" else large()
    corruption = CORRUPTIONS[name]
    for severity in SEVERITIES:
        values = getattr(corruption, constants)[severity - 1]
        block = 2**17 // (images.shape[1] * images.shape[2])
        draw = torch.Generator().manual_seed(corruption_seed(name, severity))
        drawn = Recorded(draw, len(images), block, images.device)
        corruption.function(images.permute(0, 3, 1, 2) / 255, drawn, *values)
        result = corrupt(images, name, severity, constants=constants).numpy().astype(int)
        for number, image in enumerate(images.numpy()):
            own = [given[number] for given in drawn.given]
            wrong = np.abs(result[number] - quantized(FORMULAS[name](image / 255, own, *values)))
            # Truncation makes a whole level of a rounding error, at a few values.
            assert wrong.max() <= 1 and (wrong > 0).mean() < 0.01, f"severity {severity}, picture {number}"


def test_shot_noise_counts_photons() -> None:
    gray = torch.full((8, 3, 32, 32), 0.4)
    for photons in (500, 100, 50, 12, 3):
        draws = Draws(generator(0, "test photons"), 8, 8, gray.device)
        counts = (shot_noise(gray, draws, photons) * photons).double()
        assert torch.allclose(counts, counts.round(), atol=1e-3)
        assert counts.mean() == pytest.approx(0.4 * photons, rel=0.02)
        assert counts.var() == pytest.approx(0.4 * photons, rel=0.05)


@pytest.mark.parametrize("constants", ["cifar", "imagenet"])
def test_noise_has_its_mean_and_deviation(constants: str) -> None:
    gray = torch.full((8, 32, 32, 3), 127, dtype=torch.uint8)

    def change(name: str, severity: int) -> Tensor:
        return corrupt(gray, name, severity, constants=constants).double() + 0.5 - 127

    for severity in (1, 2, 3):  # beyond, ImageNet's is cut off at black and white
        for name, value in (("gaussian_noise", 255), ("speckle_noise", 127)):
            deviation = value * getattr(CORRUPTIONS[name], constants)[severity - 1][0]
            noise = change(name, severity)
            assert noise.mean() == pytest.approx(0, abs=0.03 * deviation)
            assert noise.std() == pytest.approx(deviation, rel=0.03)
    for severity in SEVERITIES:
        share = getattr(CORRUPTIONS["impulse_noise"], constants)[severity - 1][0]
        after = corrupt(gray, "impulse_noise", severity, constants=constants)
        for extreme in (0, 255):
            assert (after == extreme).double().mean() == pytest.approx(share / 2, abs=0.005)
        assert set(after.unique().tolist()) == {0, 127, 255}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corrupting_is_determined_by_seed_and_place(name: str) -> None:
    images = small(132)  # more than a block
    before = images.clone()
    first = corrupt(images, name, 3)
    assert torch.equal(images, before), "the given images are not changed"
    assert first.shape == images.shape and first.dtype == torch.uint8 and first.is_contiguous()
    assert not torch.equal(first, images)
    assert torch.equal(first[:130], corrupt(images[:130], name, 3)), "others that follow change nothing"
    assert torch.equal(first[:3], corrupt(images[:3], name, 3))
    assert torch.equal(first, corrupt(images, name, 3, seed=1)) == (name in WITHOUT_CHANCE)
    same = images[:1].expand(2, -1, -1, -1)
    one, other = corrupt(same, name, 3)
    assert torch.equal(one, other) == (name in WITHOUT_CHANCE), "each picture has random numbers of its own"


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_black_white_and_gray_pictures_can_be_corrupted(name: str) -> None:
    flat = torch.tensor([0, 128, 255], dtype=torch.uint8).view(3, 1, 1, 1).expand(-1, 20, 16, 3)
    for severity in SEVERITIES:
        for constants in ("cifar", "imagenet"):
            after = corrupt(flat, name, severity, constants=constants)
            brightened = name == "defocus_blur" and severity > 3 and constants == "imagenet"  # its disks sum to 1.01
            if ("blur" in name and not brightened) or name in ("contrast", "pixelate", "elastic_transform"):
                assert torch.equal(after, flat), "what only moves or mixes pixels keeps a flat colour"
    assert corrupt(flat[:0], name, 1).shape == (0, 20, 16, 3)


@pytest.mark.parametrize("name", GROWING)
def test_damage_grows_with_severity(name: str) -> None:
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(32, 32, 32, 3)), (0, 2, 2, 0))
    images = torch.from_numpy(np.clip(smooth * 800 + 128, 0, 255).astype(np.uint8))
    for constants in ("cifar",) if name == "fog" else ("cifar", "imagenet"):  # ImageNet's fog at 3 and 4 is as dense
        after = [corrupt(images, name, severity, constants=constants).double() for severity in SEVERITIES]
        damage = [float((one - images).square().mean()) for one in after]
        assert damage == sorted(damage)


def test_constants_follow_the_size() -> None:
    for side, expected in ((32, "cifar"), (64, "cifar"), (65, "imagenet")):
        images = torch.arange(side * side * 3).view(1, side, side, 3).to(torch.uint8)
        assert torch.equal(corrupt(images, "contrast", 1), corrupt(images, "contrast", 1, constants=expected))


def test_nineteen_corruptions_are_in_two_groups() -> None:
    assert (len(BENCHMARK_CORRUPTIONS), len(EXTRA_CORRUPTIONS), len(CORRUPTIONS)) == (15, 4, 19)
    assert (*BENCHMARK_CORRUPTIONS, *EXTRA_CORRUPTIONS) == tuple(CORRUPTIONS)
    assert all(len(one.cifar) == len(one.imagenet) == 5 for one in CORRUPTIONS.values())


def test_each_corruption_and_severity_has_its_seed() -> None:
    seeds = {
        corruption_seed(name, severity, seed) for name in CORRUPTIONS for severity in SEVERITIES for seed in (0, 1)
    }
    assert len(seeds) == 19 * 5 * 2
    assert corruption_seed("fog", 3) == generator(0, "corruption fog", 3).initial_seed()


def test_levels_are_truncated_and_whole_ones_kept() -> None:
    whole = torch.arange(256)
    assert torch.equal(levels(whole.float() / 255), whole.float())
    assert levels(torch.tensor([-1.0, 0.5, 199.99 / 255, 2.0])).tolist() == [0, 127, 199, 255]


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_glass_copies_what_may_be_a_copy(reach: int) -> None:
    offsets = torch.randint(-reach, reach, (2, 2, 14, 11), generator=generator(0, "test glass"))
    height, width = 14 + 2 * reach, 11 + 2 * reach
    found = copied_from(offsets, width)
    for own, result in zip(offsets.tolist(), found.tolist(), strict=True):
        pixels = np.arange(height * width).reshape(height, width)
        for row in range(height - reach, reach, -1):
            for column in range(width - reach, reach, -1):
                down, right = (axis[row - reach - 1][column - reach - 1] for axis in own)
                pixels[row, column] = pixels[row + down, column + right]
        assert result == pixels.flatten().tolist()
        assert len(set(result)) < height * width, "a swap would keep all pixels"


def test_a_disk_is_symmetric_and_sums_to_one_as_in_the_authors_program() -> None:
    for radius, alias in (*CORRUPTIONS["defocus_blur"].cifar, *CORRUPTIONS["defocus_blur"].imagenet):
        weights = disk(radius, alias)
        # Disks of radius 8 and 10 touch the border of their square, where smoothing mirrors them.
        assert weights.sum() == pytest.approx({8.0: 1.0130, 10.0: 1.0108}.get(float(radius), 1), abs=5e-5)
        assert torch.allclose(weights, weights.T)
        assert torch.allclose(weights, weights.flip(0)) and len(weights) % 2 == 1
    assert disk(0.3, 0.4).shape == (3, 3) and disk(10, 0.5).shape == (21, 21)


def test_frost_has_five_textures_without_seams() -> None:
    textures = corruption_weather.frost_textures()
    again = corruption_weather.frost_textures.__wrapped__()
    assert textures.shape == (5, 3, 512, 512) and torch.equal(textures, again)
    assert float(textures.min()) >= 0 and float(textures.max()) <= 1
    for texture, (mean, deviation) in zip(textures, corruption_weather.PHOTOGRAPHS, strict=True):
        assert texture.mean((1, 2)).tolist() == pytest.approx(mean, abs=0.01)
        assert texture.std((1, 2)).tolist() == pytest.approx(deviation, abs=0.01)
    steps = (textures - textures.roll(1, 2)).abs().mean((0, 1, 3))
    assert float(steps[0]) < 1.5 * float(steps.median()), "the last row continues in the first"


def test_what_cannot_be_corrupted_is_refused() -> None:
    images = small(1)
    for wrong, says in (
        (lambda: corrupt(images, "gausian_noise", 1), "Did you mean 'gaussian_noise'"),
        (lambda: corrupt(images, "fog", 6), "unknown severity 6.*Allowed: 1, 2, 3, 4, 5"),
        (lambda: corrupt(images, "fog", 0), "unknown severity 0"),
        (lambda: corrupt(images, "fog", 1.5), "unknown severity 1.5"),  # pyright: ignore[reportArgumentType]
        (lambda: corrupt(images, "fog", 1, constants="cifar10"), "Did you mean 'cifar'"),
        (lambda: corrupt(images.float(), "fog", 1), "torch.float32"),
        (lambda: corrupt(images.permute(0, 3, 1, 2), "fog", 1), r"\[1, 3, 32, 32\]; allowed: uint8 \[N, H, W, 3\]"),
        (lambda: corrupt(images[:, :8], "fog", 1), "at least 16 pixels"),
    ):
        with pytest.raises(InputError, match=says):
            wrong()
