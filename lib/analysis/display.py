"""Texts that a notebook displays as such, without IPython, which a machine that only measures need not have; and numbers of
tables."""

import math
from dataclasses import dataclass

NOTHING = "–"
"""What stands where there is no number."""


@dataclass(frozen=True)
class Markdown:
    """Text that a notebook displays as Markdown."""

    data: str

    def _repr_markdown_(self) -> str:
        return self.data


@dataclass(frozen=True)
class HTML:
    """Text that a notebook displays as HTML."""

    data: str

    def _repr_html_(self) -> str:
        return self.data


def plus_minus(mean: float, std: float = math.nan, digits: int = 2, signed: bool = False) -> str:
    """Write a mean and a standard deviation for a table: "9.96 ± 0.62", "9.96" if `std` is NaN, `NOTHING` if `mean` is."""
    if math.isnan(mean):
        return NOTHING
    spread = "" if math.isnan(std) else f" ± {std:.{digits}f}"
    return f"{mean:{'+' * signed}.{digits}f}".replace("-", "−") + spread
