"""How large a measurement is: fewer images or draws at smaller scales.

sizes = by_scale("flatness", {"images": 512}, {"laptop": {"images": 128}})     for `Measurement.sizes`
context.numbers["images"]                                                      as it measures, at the table's scale
"""

from collections.abc import Mapping
from typing import Any

from lib.errors import InputError, unknown
from lib.scales import SCALES, check_scale

Numbers = Mapping[str, Any]


def by_scale(
    what: str, numbers: Numbers, scales: Mapping[str, Numbers], least: Mapping[str, int] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the numbers of every scale for a measurement that has other ones at some.

    Args:
        what: is measured, for messages.
        numbers: name → number, levels of noise, and other settings.
        scales: scale → what it has other numbers of.
        least: of what at least how many are needed; of all else it is one.

    Raises:
        InputError: an unknown scale or name, a number of things below the least, or a negative level of noise.
    """
    for scale, own in scales.items():
        check_scale(scale)
        for name in own:
            if name not in numbers:
                raise unknown(f"number of {what}", name, numbers)
    sizes = {scale: {**numbers, **scales.get(scale, {})} for scale in SCALES}
    for own in (numbers, *sizes.values()):
        for name, value in own.items():
            if isinstance(value, int) and value < (fewest := (least or {}).get(name, 1)):
                raise InputError(f"{what} with {name}={value}: allowed is {fewest} or more")
        if not all(level >= 0 for level in own.get("epsilons", ())):
            raise InputError(f"{what} with epsilons={own['epsilons']}: allowed are levels of noise from 0")
    return sizes
