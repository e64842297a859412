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
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import FiniteFloat, TypeAdapter, ValidationError

from lib.errors import InputError, unknown
from lib.scales import SCALES

_CELL = re.compile(r"""^# %%.*\btags\s*=\s*\[[^\]]*["']parameters["'].*\n((?:(?!# %%).*\n?)*)""", re.M)
_TYPES = {"bool": bool, "int": int, "float": FiniteFloat, "str": str, "list": list, "Literal": Literal}


class Parameter(NamedTuple):
    """One line of a parameters cell: the value's type, the page's default, and the type as the page has it."""

    type: Any
    default: object
    written: str


def read(page: Path | str) -> dict[str, Parameter]:
    """Read the parameters of a page, a py:percent file, by name; none if no cell is tagged `parameters`.

    Raises:
        InputError: the page does not exist, or its cell holds something else than `name: type = value`.
    """
    page = Path(page)
    if not page.is_file():
        raise InputError(f"there is no page {page}.")
    cell = _CELL.search(page.read_text(encoding="utf-8"))
    where = f"{page}, parameters cell"
    found: dict[str, Parameter] = {}
    try:
        lines = ast.parse(cell[1] if cell else "").body
    except SyntaxError as error:
        raise InputError(f"{where}: its line {error.lineno} is no Python ({error.msg}).") from None
    for line in lines:
        text = ast.unparse(line)
        if not (isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value):
            allowed = "only lines `name: type = value`, where the value is written out"
            raise InputError(f"{where}: {text!r}. Allowed: {allowed}.")
        name, written = line.target.id, ast.unparse(line.annotation)
        try:
            default = ast.literal_eval(line.value)
        except ValueError:
            # It would not follow when what it is computed from is set from outside.
            raise InputError(f"{where}: {text!r} computes its value; write it out.") from None
        try:
            kind = eval(written, {"__builtins__": {}}, dict(_TYPES))
        except (NameError, TypeError):
            allowed = "bool, int, float, str, a list of one of them such as list[int], or Literal[...]"
            raise InputError(f"{where}: {name} has the type {written}. Allowed: {allowed}.") from None
        found[name] = Parameter(kind, default, written)
        _value(name, found[name], default, from_text=False)
    return found


def _value(name: str, parameter: Parameter, given: object, from_text: bool = True) -> object:
    """Return the given value with the parameter's type, or raise the error that says what is allowed."""
    kind, written = parameter.type, parameter.written
    from_text = from_text and isinstance(given, str)
    if get_origin(kind) is Literal and isinstance(given, str):
        choices = {str(choice): choice for choice in get_args(kind)}
        if given not in choices:
            raise unknown(f"value of parameter {name}", given, choices)
        given, from_text = choices[given], False
    try:
        if not from_text:
            return TypeAdapter(kind).validate_python(given, strict=True)
        if get_origin(kind) is not list:
            return TypeAdapter(kind).validate_strings(given)
        inside = str(given).strip().removeprefix("[").removesuffix("]").strip()
        items = [item.strip(" '\"") for item in inside.split(",")] if inside else []
        return [TypeAdapter(get_args(kind)[0]).validate_strings(item) for item in items]
    except ValidationError:
        raise InputError(f"parameter {name} was given {given!r}. Allowed: {written}.") from None


def check(page: Path | str, given: dict[str, object], words: bool = True) -> dict[str, object]:
    """Check what a user set on a page, and read texts as the types that the page declares.

    Args:
        page: a py:percent file, at `papers/<paper>/pages/<name>.py`.
        given: values by parameter; a text stands for the value it spells ("0.5", "true", "1,2,3").
        words: also check that `scale` is one of `lib.scales` and `benchmark` one of the paper's
            `recipes.BENCHMARKS`, which imports the recipes (no rule where they cannot be imported).

    Returns:
        The given values, typed. Parameters that were not given keep their defaults and are not in it.

    Raises:
        InputError: an unknown name (with the nearest one), a value of another type, a word that is not allowed.
    """
    declared = read(page)
    values = {}
    for name, value in given.items():
        if name not in declared:
            raise unknown(f"parameter of {Path(page).name}", name, declared)
        values[name] = _value(name, declared[name], value)
    if not words:
        return values
    allowed = {"scale": SCALES}
    if "benchmark" in values:
        paper = Path(page).resolve().parent.parent.name
        with contextlib.suppress(ImportError):
            allowed["benchmark"] = tuple(importlib.import_module(f"papers.{paper}.recipes").BENCHMARKS)
    for name in allowed.keys() & values.keys():
        if values[name] not in allowed[name]:
            raise unknown(name, values[name], allowed[name])
    return values
