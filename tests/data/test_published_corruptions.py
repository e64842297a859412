"""Corruptions beside those of a published package: imagecorruptions 1.1.2, which has ImageNet-C's constants.

It needs OpenCV and setuptools before version 81. Fog fails with NumPy from version 2, and Gaussian blur and glass with
scikit-image from version 0.20. Elastic differs in its algorithm, and frost in its pictures.
"""

import functools
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from lib.data import CORRUPTIONS, corrupt

published: Any = pytest.importorskip("imagecorruptions")

WITHOUT_CHANCE = {
    "defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg_compression", "gaussian_blur", "saturate",
}  # fmt: skip
ROUNDED = 0.2  # of a gray level: where saturation doubles, half of the levels are whole ones


@functools.cache
def pictures() -> np.ndarray:
    """Uint8 [24, 64, 64, 3]: clouds of two sizes, the larger ones gray."""
    draw = np.random.default_rng(0)
    fine = ndimage.gaussian_filter(draw.normal(size=(24, 64, 64, 3)), (0, 2, 2, 0))
    coarse = ndimage.gaussian_filter(draw.normal(size=(24, 64, 64, 1)), (0, 6, 6, 0))
    clouds = fine / fine.std() + coarse / coarse.std()
    return np.clip(110 + 50 * clouds, 0, 255).astype(np.uint8)


def statistics(after: np.ndarray) -> np.ndarray:
    """Mean, deviation and mean absolute change of each picture, [3, 24]."""
    axes, changed = (1, 2, 3), np.abs(after - pictures())
    return np.stack([after.mean(axes), after.std(axes), changed.mean(axes)])


@pytest.mark.parametrize("severity", [1, 3, 5])
@pytest.mark.parametrize("name", sorted(set(CORRUPTIONS) - {"elastic_transform", "frost"}))
def test_a_corruption_is_the_published_one(name: str, severity: int) -> None:
    np.random.seed(0)  # the package draws from it
    try:
        after = [published.corrupt(one.copy(), severity, name) for one in pictures()]
    except (AttributeError, TypeError) as problem:
        pytest.skip(f"the package does not run with these versions: {problem}")
    expected = np.stack(after).astype(float)
    found = corrupt(torch.from_numpy(pictures()), name, severity, constants="imagenet").numpy().astype(float)
    if name in WITHOUT_CHANCE:
        wrong = np.abs(found - expected)  # truncation makes a whole level of a rounding error
        assert wrong.max() <= 1 and wrong.mean() < ROUNDED
    difference = statistics(found) - statistics(expected)
    noise = difference.std(1, ddof=1) / len(pictures()) ** 0.5
    assert (np.abs(difference.mean(1)) <= 4 * noise + ROUNDED).all(), "gray levels"
