"""How large a measurement is: fewer images or draws at smaller scales, and only today's own numbers make a result stale.

settings, sizes = by_scale("flatness", {"images": 512}, {"laptop": {"images": 128}})     as a measurement is made
context, numbers = at_scale(context, sizes)                                              as it measures
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib.analysis.experiments import Context
from lib.errors import InputError, unknown
from lib.scales import SCALES, check_scale

Numbers = Mapping[str, Any]


def by_scale(
    what: str, numbers: Numbers, scales: Mapping[str, Numbers], least: Mapping[str, int] | None = None
) -> tuple[dict[str, int | float | str], dict[str, dict[str, Any]]]:
    """Return the settings of a measurement that has other numbers at some scales, and the numbers of each scale.

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
    settings: dict[str, Any] = dict(numbers)
    for scale, own in scales.items():
        settings |= {f"{scale} {name}": value for name, value in own.items()}
    return {name: _spelled(value) for name, value in settings.items()}, sizes


def _spelled(value: Any) -> int | float | str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else "all" if value is None else value


def at_scale(context: Context, sizes: Mapping[str, Numbers]) -> tuple[Context, Numbers]:
    """Return the numbers of the table's scale, and a context for which those of other scales do not make anything stale."""
    numbers = sizes[context.table.scale]
    settings = {name: _spelled(value) for name, value in numbers.items()}
    own = context.measurement and replace(context.measurement, settings=settings)
    return replace(context, measurement=own), numbers
