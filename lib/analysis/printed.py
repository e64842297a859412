"""The numbers that the papers print, as records; they are never adjusted."""

from pathlib import Path

import pandas

from lib.analysis.files import REPOSITORY
from lib.errors import unknown


def printed(paper: str, table: str, repository_root: Path | str = REPOSITORY) -> pandas.DataFrame:
    """Read one printed table of a paper, such as "table_06_sparse_vs_dense".

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
