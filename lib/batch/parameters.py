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
import math
import re
from collections.abc import Container
from pathlib import Path
from typing import NamedTuple

from lib.batch.plan import SCALES
from lib.errors import InputError, unknown

_CELL = re.compile(r"^# %%")
_TAGGED = re.compile(r"""^# %%.*\btags\s*=\s*\[[^\]]*["']parameters["']""")
_SCALARS = {"bool": bool, "int": int, "float": float, "str": str}


class Parameter(NamedTuple):
    """One line of a parameters cell.

    Attributes:
        type: "bool", "int", "float", "str", "list[...]" of one of them, or "Literal".
        default: the value that the page has when nobody sets it.
        allowed: the values of a `Literal`, else empty.
    """

    type: str
    default: object
    allowed: tuple[object, ...] = ()

    @property
    def described(self) -> str:
        """The type in words for an error message."""
        return " or ".join(map(repr, self.allowed)) if self.type == "Literal" else self.type


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
    found: dict[str, Parameter] = {}
    for statement in ast.parse(_tagged_cell(page.read_text(encoding="utf-8"))).body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring
        if not (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and statement.value
        ):
            # What is computed here would not follow when what it is computed from is set from outside.
            raise InputError(
                f"{page}, parameters cell: {ast.unparse(statement)!r}. Allowed: only lines "
                "`name: type = value`, where the value is written out."
            )
        name = statement.target.id
        try:
            default = ast.literal_eval(statement.value)
        except ValueError:
            text = ast.unparse(statement)
            raise InputError(f"{page}, parameters cell: {text!r} computes its value; write it out.") from None
        found[name] = _parameter(page, name, statement.annotation, default)
    return found


def _tagged_cell(text: str) -> str:
    """Return the lines of the cell tagged `parameters`, "" if there is none."""
    lines = iter(text.splitlines())
    kept: list[str] = []
    for line in lines:
        if _TAGGED.match(line):
            for inner in lines:
                if _CELL.match(inner):
                    return "\n".join(kept)
                kept.append(inner)
    return "\n".join(kept)


def _parameter(page: Path, name: str, annotation: ast.expr, default: object) -> Parameter:
    """Understand one annotation and check that the default keeps to it."""
    written = ast.unparse(annotation)
    if written.startswith(("Literal[", "typing.Literal[")) and isinstance(annotation, ast.Subscript):
        choices = ast.literal_eval(annotation.slice)
        parameter = Parameter("Literal", default, choices if isinstance(choices, tuple) else (choices,))
    elif written in _SCALARS or written in {f"list[{inner}]" for inner in _SCALARS}:
        parameter = Parameter(written, default)
    else:
        raise InputError(
            f"{page}, parameters cell: {name} has the type {written}. Allowed: bool, int, float, str, "
            "a list of one of them such as list[int], or Literal[...]."
        )
    _value(name, parameter, default, from_text=False)
    return parameter


def _wrong(name: str, parameter: Parameter, given: object) -> InputError:
    return InputError(f"parameter {name} was given {given!r}. Allowed: {parameter.described}.")


def _value(name: str, parameter: Parameter, given: object, from_text: bool = True) -> object:
    """Return the given value with the parameter's type, or raise the error that says what is allowed."""
    kind = parameter.type
    if kind == "Literal":
        for choice in parameter.allowed:
            if (type(given), given) == (type(choice), choice) or (from_text and given == str(choice)):
                return choice
        if all(isinstance(choice, str) for choice in parameter.allowed):
            raise unknown(f"value of parameter {name}", given, map(str, parameter.allowed))
        raise _wrong(name, parameter, given)
    if kind.startswith("list["):
        if from_text and isinstance(given, str):
            inside = given.strip().removeprefix("[").removesuffix("]")
            given = [part.strip().strip("'\"") for part in inside.split(",")] if inside.strip() else []
        if not isinstance(given, list | tuple):
            raise _wrong(name, parameter, given)
        inner = Parameter(kind[len("list[") : -1], None)
        try:
            return [_scalar(inner.type, item, from_text) for item in given]
        except ValueError:
            raise _wrong(name, parameter, given) from None
    try:
        return _scalar(kind, given, from_text)
    except ValueError:
        raise _wrong(name, parameter, given) from None


def _scalar(kind: str, given: object, from_text: bool) -> bool | int | float | str:
    """Return one value of a plain type, read from a text where that may be; raise ValueError otherwise."""
    if kind == "str" and isinstance(given, str):
        return given
    if kind != "str" and isinstance(given, str) and from_text:
        if kind == "bool":
            given = {"true": True, "false": False}.get(given.strip().lower(), given)
        else:
            given = (int if kind == "int" else float)(given)
    if kind == "float" and type(given) is int:  # not bool, which is an int as well
        given = float(given)
    if type(given) is not _SCALARS[kind] or (isinstance(given, float) and not math.isfinite(given)):
        raise ValueError
    return given  # pyright: ignore[reportReturnType]


def vocabularies(page: Path | str, names: Container[str]) -> dict[str, tuple[str, ...]]:
    """Return the words that some parameters of a page may have, beyond their type.

    `benchmark` is one of `papers.<paper>.recipes.BENCHMARKS` (no rule where that cannot be imported: a toy
    page, say), `scale` one of `lib.batch.plan.SCALES`.

    Args:
        page: the page, at `papers/<paper>/pages/<name>.py`.
        names: the parameters asked about; nothing is imported for others.

    Returns:
        The allowed words by parameter.
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
