"""What a user writes down is a description: frozen, checked when it is made, and changed only by making another one.

An unknown name, a wrong type or a value out of range is an error before any work:

    recipe.but(epochs=30, data={"train": 2_000})    # a recipe with 30 epochs on 2,000 images; the given one stays
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from lib.errors import InputError, unknown


class Description(BaseModel):
    """A frozen, checked description."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def __init__(self, **values: object):
        for name in values:
            if name not in type(self).model_fields:
                raise unknown(f"setting of {type(self).__name__}", name, type(self).model_fields)
        try:
            super().__init__(**values)
        except ValidationError as error:
            kind, problems = type(self).__name__, []
            for problem in error.errors():
                place = ".".join(map(str, problem["loc"])) or kind
                problems.append(f"{place}: {problem['msg']}, given {problem['input']!r}")
            raise InputError(f"{kind} cannot be used: {'; '.join(problems)}") from None

    def but(self, **changes: Any) -> Self:
        """Return this description with other settings, checked as if it were written anew.

        Args:
            changes: setting → value; for a setting that is itself a description also a mapping of changes to that.

        Raises:
            InputError: for a setting that there is not, with the nearest name, or a value that it cannot have.
        """
        values = {name: getattr(self, name) for name in self.model_fields_set}
        for name, value in changes.items():
            inner = getattr(self, name, None)
            if isinstance(inner, Description) and isinstance(value, Mapping):
                value = inner.but(**value)
            values[name] = value
        return type(self)(**values)
