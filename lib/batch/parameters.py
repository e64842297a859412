"""Check a page's parameters, names and types, before anything runs.

papermill injects whatever it is given: `epochs=ten` starts, and fails an hour later. A page says what it
takes in its cell tagged `parameters`, which holds nothing but annotated names with a plain default:

    # %% tags=["parameters"]
    benchmark: str = "mnist-lenet"
    levels: list[int] = [0, 5]
    order: Literal["global", "layer"] = "global"
"""

import ast
import contextlib
import importlib
import re
from collections.abc import Container
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import FiniteFloat, TypeAdapter, ValidationError

from lib.errors import InputError, unknown
from lib.scales import SCALES

_CELL = re.compile(r"""^# %%.*\btags\s*=\s*\[[^\]]*["']parameters["'].*\n((?:(?!# %%).*\n?)*)""", re.M)
_TYPES = {"bool": bool, "int": int, "float": FiniteFloat, "str": str, "list": list, "Literal": Literal}


class Parameter(NamedTuple):
    """One line of a parameters cell.

    Attributes:
        type: of the value: a type, a list of one, or a `Literal`.
        default: the value that the page has when nobody sets it.
        written: the type as the page has it.
    """

    type: Any
    default: object
    written: str


def read(page: Path | str) -> dict[str, Parameter]:
    """Read the parameters of a page.

    Args:
        page: a py:percent file.

    Returns:
        The parameters by name, in the page's order; empty if the page has no cell tagged `parameters`.

    Raises:
        InputError: the page does not exist, or its cell holds something else than `name: type = value`.
    """
    page = Path(page)
    if not page.is_file():
        raise InputError(f"there is no page {page}.")
    cell = _CELL.search(page.read_text(encoding="utf-8"))
    found: dict[str, Parameter] = {}
    for line in ast.parse(cell[1] if cell else "").body:
        text = ast.unparse(line)
        if not (isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value):
            raise InputError(
                f"{page}, parameters cell: {text!r}. Allowed: only lines `name: type = value`, where the "
                "value is written out."
            )
        name, written = line.target.id, ast.unparse(line.annotation)
        try:
            default = ast.literal_eval(line.value)
        except ValueError:
            # It would not follow when what it is computed from is set from outside.
            raise InputError(f"{page}, parameters cell: {text!r} computes its value; write it out.") from None
        try:
            kind = eval(written, {"__builtins__": {}}, dict(_TYPES))
        except (NameError, TypeError):
            raise InputError(
                f"{page}, parameters cell: {name} has the type {written}. Allowed: bool, int, float, str, "
                "a list of one of them such as list[int], or Literal[...]."
            ) from None
        found[name] = Parameter(kind, default, written)
        _value(name, found[name], default, from_text=False)
    return found


def _value(name: str, parameter: Parameter, given: object, from_text: bool = True) -> object:
    """Return the given value with the parameter's type, or raise the error that says what is allowed."""
    kind, written = parameter.type, parameter.written
    if get_origin(kind) is Literal:
        choices = {str(choice): choice for choice in get_args(kind)}
        if from_text and isinstance(given, str) and given not in choices:
            raise unknown(f"value of parameter {name}", given, choices)
        given, written = choices.get(given, given) if isinstance(given, str) else given, " or ".join(choices)
    try:
        if not (from_text and isinstance(given, str)) or get_origin(kind) is Literal:
            return TypeAdapter(kind).validate_python(given, strict=True)
        if get_origin(kind) is not list:
            return TypeAdapter(kind).validate_strings(given)
        inside = given.strip().removeprefix("[").removesuffix("]").strip()
        items = [item.strip(" '\"") for item in inside.split(",")] if inside else []
        return [TypeAdapter(get_args(kind)[0]).validate_strings(item) for item in items]
    except ValidationError:
        raise InputError(f"parameter {name} was given {given!r}. Allowed: {written}.") from None


def vocabularies(page: Path | str, names: Container[str]) -> dict[str, tuple[str, ...]]:
    """Return the words that some parameters of a page may have, beyond their type.

    Args:
        page: the page, at `papers/<paper>/pages/<name>.py`.
        names: the parameters asked about; nothing is imported for others.

    Returns:
        The allowed words by parameter: of `scale` those of `lib.scales`, of `benchmark` those of the paper's
        `recipes.BENCHMARKS` (no rule where that cannot be imported).
    """
    found: dict[str, tuple[str, ...]] = {"scale": SCALES} if "scale" in names else {}
    if "benchmark" in names:
        paper = Path(page).resolve().parent.parent.name
        with contextlib.suppress(ImportError):
            found["benchmark"] = tuple(importlib.import_module(f"papers.{paper}.recipes").BENCHMARKS)
    return found


def check(page: Path | str, given: dict[str, object], words: bool = True) -> dict[str, object]:
    """Check what a user set on a page, and read texts as the types that the page declares.

    Args:
        page: a py:percent file.
        given: values by parameter; a text stands for the value it spells ("0.5", "true", "1,2,3").
        words: also check the vocabularies of `scale` and `benchmark`, which imports the paper's recipes.

    Returns:
        The given values, typed. Parameters that were not given keep their defaults and are not in it.

    Raises:
        InputError: an unknown name (with the nearest one), a value of another type, a word that is not
            allowed.
    """
    declared = read(page)
    values = {}
    for name, value in given.items():
        if name not in declared:
            raise unknown(f"parameter of {Path(page).name}", name, declared)
        values[name] = _value(name, declared[name], value)
    for name, allowed in (vocabularies(page, values) if words else {}).items():
        if values[name] not in allowed:
            raise unknown(name, values[name], allowed)
    return values
