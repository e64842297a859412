"""Noise on each value of an image, and the random numbers of all corruptions.

    gaussian   x + c n             n ~ N(0, 1)
    shot       Poisson(c x) / c    c photons for a white pixel
    impulse    0 or 1, each with probability c/2, else x
    speckle    x + c x n

Dan Hendrycks and Thomas Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations",
ICLR 2019. Here and in the modules beside this one, a corruption takes images x, float32 [N, 3, H, W] in [0, 1], their
random numbers and its constants, and returns float32 of that shape, which `lib.data.corruptions` clips and truncates.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Draws:
    """Random numbers for `count` images, of which `block` are always drawn: how many follow an image changes nothing.

    They are drawn on the CPU and moved to `device`; each method returns [count, *shape].
    """

    generator: torch.Generator
    count: int
    block: int
    device: torch.device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Draw from the interval from `low` to `high`."""
        return self._moved(low + (high - low) * torch.rand(self.block, *shape, generator=self.generator))

    def normal(self, mean: float, deviation: float, *shape: int) -> Tensor:
        """Draw from the normal distribution."""
        return self._moved(mean + deviation * torch.randn(self.block, *shape, generator=self.generator))

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """Draw from low, ..., high - 1."""
        return self._moved(torch.randint(low, high, (self.block, *shape), generator=self.generator))

    def poisson(self, rates: Tensor) -> Tensor:
        """Draw a count for each rate, [count, ...]; no other draw of a block may follow, since rates of images differ."""
        return torch.poisson(rates.cpu(), generator=self.generator).to(self.device)

    def _moved(self, drawn: Tensor) -> Tensor:
        return drawn[: self.count].to(self.device)


def gaussian_noise(x: Tensor, draws: Draws, deviation: float) -> Tensor:
    """Add normal noise."""
    return x + draws.normal(0, deviation, *x.shape[1:])


def shot_noise(x: Tensor, draws: Draws, photons: float) -> Tensor:
    """Count photons: the fewer a white pixel has, the noisier."""
    return draws.poisson(x * photons) / photons


def impulse_noise(x: Tensor, draws: Draws, share: float) -> Tensor:
    """Turn a share of the values into 0 or 1, half of it each."""
    drawn = draws.uniform(0, 1, *x.shape[1:])
    return torch.where(drawn < share, (drawn < share / 2).to(x), x)


def speckle_noise(x: Tensor, draws: Draws, deviation: float) -> Tensor:
    """Add normal noise in proportion to the value."""
    return x + x * draws.normal(0, deviation, *x.shape[1:])
