"""The papers' printed numbers, and the measured ones of the same cases; neither is ever adjusted to the other."""

from collections.abc import Sequence
from pathlib import Path

import pandas

from lib.analysis.files import REPOSITORY
from lib.errors import unknown


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


def compare(
    printed_frame: pandas.DataFrame, measured: pandas.DataFrame, on: Sequence[str]
) -> pandas.DataFrame:
    """Join printed and measured numbers.

    Args:
        printed_frame: columns `on`, printed_mean, printed_std.
        measured: columns `on`, measured_mean, measured_std, replicates, and maybe scale and table; a case may be measured at
            several scales.
        on: the columns that name a case: benchmark, the paper's dimensions, quantity.

    Returns:
        A row for each case and measured table, in printed order, then the cases that are printed nowhere; with `difference`,
        measured − printed mean in the quantity's unit. NaN and 0 replicates where nothing was measured, NaN where nothing is
        printed.
    """
    both = printed_frame.merge(measured, how="outer", on=list(on), sort=False)
    order = printed_frame.reset_index(names="place")[[*on, "place"]]
    both = both.merge(order, how="left", on=list(on)).sort_values("place", kind="stable", ignore_index=True)
    both["replicates"] = both["replicates"].fillna(0).astype("int64")
    return both.drop(columns="place").assign(difference=both["measured_mean"] - both["printed_mean"])
