"""The papers' printed numbers, and measured ones set beside them; neither is ever adjusted to the other."""

from collections.abc import Iterable
from pathlib import Path

import pandas

from lib.analysis.files import REPOSITORY
from lib.errors import unknown

PLACE = ["benchmark", "noise_percent", "quantity"]
"""The columns that say which printed and which measured number belong together."""


def printed(paper: str, table: str, repository_root: Path | str = REPOSITORY) -> pandas.DataFrame:
    """Read one printed table.

    Args:
        paper: folder name in `papers/`.
        table: file name without ending, such as "table_06_sparse_vs_dense".
        repository_root: where `papers/` lies.

    Returns:
        One row per printed value. `mean` and `std` are numbers, NaN where the paper prints none; `raw_cell`
        is the cell as printed; every other column is text, empty where the record has nothing.

    Raises:
        InputError: names the papers or the tables that there are.
    """
    papers = Path(repository_root) / "papers"
    allowed = [folder.parent.name for folder in papers.glob("*/printed")]
    if paper not in allowed:
        raise unknown("paper", paper, allowed)
    files = {file.stem: file for file in (papers / paper / "printed").glob("*.csv")}
    if table not in files:
        raise unknown("printed table", table, files)
    frame = pandas.read_csv(files[table], dtype=str, keep_default_na=False)
    for name in ("mean", "std"):
        if name in frame.columns:
            frame[name] = [float(cell or "nan") for cell in frame[name]]
    return frame


def beside(printed_frame: pandas.DataFrame, measured_frame: pandas.DataFrame) -> pandas.DataFrame:
    """Set measured numbers beside printed ones.

    Args:
        printed_frame: columns benchmark, noise_percent, quantity, printed_mean, printed_std.
        measured_frame: columns benchmark, noise_percent, quantity, measured_mean, measured_std, replicates.

    Returns:
        Every number of both, in printed order first, with `difference` = measured - printed mean in the
        quantity's unit. NaN and 0 replicates where nothing was measured, NaN where nothing is printed.
    """
    left = printed_frame.set_index(PLACE)
    right = measured_frame.set_index(PLACE)
    places = left.index.append(right.index.difference(left.index, sort=False))
    both = left.reindex(places).join(right.reindex(places)).reset_index()
    both["replicates"] = both["replicates"].fillna(0).astype("int64")
    return both.assign(difference=both["measured_mean"] - both["printed_mean"])


def every_scale(frames: Iterable[pandas.DataFrame]) -> pandas.DataFrame:
    """Put the comparisons of several tables below each other.

    Args:
        frames: at least one, of the same printed numbers, each as `beside` returns it.

    Returns:
        All rows that were measured, by noise level; then, once, the printed ones that no table measures.
    """
    rows = pandas.concat(list(frames), ignore_index=True)
    rows = rows.assign(alone=rows["replicates"] == 0)
    rows = rows.sort_values(["alone", "noise_percent"], kind="stable", ignore_index=True)
    return rows.loc[~(rows["alone"] & rows.duplicated(PLACE))].drop(columns="alone")
