"""The columns of the tidy table, the record of where a table comes from, and the checks of both.

One row is one replicate at one level on one subset of the data. Subsets without examples have no row. The
training subsets are measured without augmentation, in evaluation mode, against the labels that were trained
on.
"""

import datetime
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import numpy
import pandas
import pydantic

from lib.errors import InputError, unknown

COLUMNS: Mapping[str, str] = {
    "benchmark": "str",
    "scale": "str",
    "algorithm": "str",
    "noise_percent": "float64",
    "seed": "int64",
    "level": "int64",
    "weights_remaining_percent": "float64",
    "epochs_trained": "int64",
    "subset": "str",
    "examples": "int64",
    "error_percent": "float64",
    "cross_entropy_nats": "float64",
    "diverged": "bool",
    "stage_key": "str",
}
"""Every column in file order with its type; units are in the names, level 0 is dense."""

QUANTITIES: Mapping[str, str] = {
    "algorithm": "str",
    "noise_percent": "float64",
    "seed": "int64",
    "level": "int64",
    "quantity": "str",
    "position": "float64",
    "value": "float64",
    "stage_key": "str",
}
"""Columns of what a page measures besides error and loss: a row is one number of one network. `quantity` has its unit in the
name; `position` orders a series of them, such as the number of a group of examples, and is 0 for a single one."""

QUANTITY_KEY = ("algorithm", "noise_percent", "seed", "level", "quantity", "position")

KEY = ("benchmark", "scale", "algorithm", "noise_percent", "seed", "level", "subset")
"""The columns that name a row; no two rows of a table share them."""

SCALES = ("paper", "short", "laptop", "smoke")
SCORED = SCALES[:-1]
"""Scales that count; `smoke` only shows that the code runs."""
SUBSETS = ("test", "validation", "train", "train_noisy", "train_original", "train_restored")
ALGORITHMS = (
    "learning_rate_rewinding",
    "weight_rewinding",
    "weight_rewinding_gradient",
    "weight_rewinding_random",
    "redense_training",
    "extended_dense_training",
    "fine_tuning",
    "one_shot",
    "width_downscaling",
    "longer_width_downscaling",
    "from_scratch",
    "random_pruning",
    "snip_pruning",
    "synflow_pruning",
    "correct_examples_only",
    "without_improved_examples",
    "without_random_examples",
    "without_improved_examples_10_percent",
    "without_random_examples_10_percent",
    "with_worsened_examples",
    "with_random_examples",
    "early_training",
)
ALLOWED: Mapping[str, tuple[str, ...]] = {"scale": SCALES, "algorithm": ALGORITHMS, "subset": SUBSETS}

Name = Annotated[str, pydantic.Field(min_length=1)]


class Provenance(pydantic.BaseModel):
    """Where a table comes from: machine, precision, versions, seeds, date and the recipe that it was measured
    with."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    benchmark: Name
    scale: Literal["paper", "short", "laptop", "smoke"]
    page: Name
    seeds: tuple[int, ...]
    device: Name
    precision: Name
    deterministic: bool = True
    stacking: Literal["stacked", "sequential"]
    date: datetime.date
    wall_clock_seconds: Annotated[float, pydantic.Field(ge=0)]
    versions: dict[str, str]
    numerics_version: int
    recipe_hash: Annotated[str, pydantic.Field(pattern="^[0-9a-f]+$")]
    store_keys: Annotated[int, pydantic.Field(ge=0)]


def tidy(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str] = COLUMNS) -> pandas.DataFrame:
    """Make a tidy frame from measurements.

    Args:
        rows: one mapping per row, with every column.
        columns: those of `COLUMNS` or of `QUANTITIES`, with their types.

    Returns:
        The frame with these columns and types, in the order given.

    Raises:
        InputError: a column is missing or unknown, or a value does not fit its type.
    """
    frame = pandas.DataFrame(list(rows), columns=None if columns is COLUMNS else list(columns))
    check_columns(frame, "rows", columns)
    try:
        return pandas.DataFrame({name: frame[name].astype(kind) for name, kind in columns.items()})
    except (TypeError, ValueError) as error:
        raise InputError(f"rows do not fit the tidy table: {error}") from error


def typed(column: pandas.Series, kind: str, where: str) -> pandas.Series:
    """Turn a column of text into its type.

    Args:
        column: text cells as read from a file.
        kind: a type of `COLUMNS`.
        where: what to call the table in an error.

    Raises:
        InputError: names the first cell that does not fit.
    """
    patterns = {"int64": (r"-?\d+", "a whole number"), "bool": ("True|False", "True or False")}
    if kind == "float64":
        wanted = "a number"
        wrong = numpy.array([not _is_number(cell) for cell in column], dtype=bool)
    else:
        pattern, wanted = patterns.get(kind, (".+", "a name"))
        wrong = ~column.str.fullmatch(pattern).to_numpy(dtype=bool)
    if wrong.any():
        row = int(numpy.flatnonzero(wrong)[0])
        raise InputError(
            f"{where}, row {row + 1}, column {column.name!r}: {column.iloc[row]!r} is not {wanted}."
        )
    if kind == "bool":
        return column == "True"
    # Python's own float, because pandas' fast parser may be off by one in the last bit.
    return column.map(float).astype(kind) if kind == "float64" else column.astype(kind)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def check_columns(frame: pandas.DataFrame, where: str, columns: Mapping[str, str] = COLUMNS) -> None:
    """Raise `InputError` unless the frame has exactly these columns, in any order."""
    for name in frame.columns:
        if name not in columns:
            raise InputError(f"{where}: {unknown('column', name, columns)}")
    if missing := [name for name in columns if name not in frame.columns]:
        raise InputError(f"{where}: missing columns {', '.join(missing)}.")


def check_quantities(frame: pandas.DataFrame, provenance: Provenance, where: str) -> None:
    """Check types, names and double rows of the quantities beside a table, as `check` does for the table.

    Raises:
        InputError: names the column and, where there is one, the first offending row.
    """
    check_columns(frame, where, QUANTITIES)
    for value in frame["algorithm"].unique():
        if value not in ALGORITHMS:
            raise InputError(f"{where}: {unknown('algorithm', value, ALGORITHMS)}")
    if others := set(frame["seed"]) - set(provenance.seeds):
        raise InputError(
            f"{where}: seed {min(others)} is not one of its provenance's {list(provenance.seeds)}."
        )
    twice = frame.duplicated(list(QUANTITY_KEY))
    if twice.any():
        row = int(numpy.flatnonzero(twice.to_numpy())[0])
        raise InputError(
            f"{where}, row {row + 1}: these were already given: {dict(frame.iloc[row][list(QUANTITY_KEY)])}."
        )


def check(frame: pandas.DataFrame, provenance: Provenance, where: str) -> None:
    """Check types, names, ranges and double rows of a frame, and that it fits its provenance.

    Args:
        frame: the rows.
        provenance: what lies beside them.
        where: what to call the table in an error.

    Raises:
        InputError: names the column and, where there is one, the first offending row.
    """
    check_columns(frame, where)
    for name, kind in COLUMNS.items():
        given = "str" if pandas.api.types.is_string_dtype(frame[name].dtype) else str(frame[name].dtype)
        if given != kind:
            raise InputError(f"{where}: column {name!r} has type {given}, it must be {kind}.")
    for name, allowed in ALLOWED.items():
        for value in frame[name].unique():
            if value not in allowed:
                raise InputError(f"{where}: {unknown(name, value, allowed)}")
    for name in ("benchmark", "scale"):
        if others := set(frame[name]) - {getattr(provenance, name)}:
            told = getattr(provenance, name)
            raise InputError(
                f"{where}: {name} {min(others)!r} does not fit its provenance, which says {told!r}."
            )
    if others := set(frame["seed"]) - set(provenance.seeds):
        raise InputError(
            f"{where}: seed {min(others)} is not one of its provenance's {list(provenance.seeds)}."
        )
    for name, low, high in (
        ("noise_percent", 0, 100),
        ("weights_remaining_percent", 0, 100),
        ("error_percent", 0, 100),
        ("level", 0, numpy.inf),
        ("examples", 1, numpy.inf),
        ("epochs_trained", 0, numpy.inf),
    ):
        values = frame[name].to_numpy()
        outside = (values < low) | (values > high)
        if outside.any():
            row = int(numpy.flatnonzero(outside)[0])
            raise InputError(
                f"{where}, row {row + 1}: {name} {frame[name].iloc[row]} is outside {low} to {high}."
            )
    twice = frame.duplicated(list(KEY))
    if twice.any():
        row = int(numpy.flatnonzero(twice.to_numpy())[0])
        raise InputError(
            f"{where}, row {row + 1}: these were already given: {dict(frame.iloc[row][list(KEY)])}."
        )
