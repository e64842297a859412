"""What holds for every page of every paper."""

import re
from pathlib import Path

import pytest

PAGES = sorted(Path("papers").glob("*/pages/*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parts[1]}/{page.stem}")
def test_a_page_draws_no_figure_before_it_knows_how(page: Path):
    """Opening the page, or `enable`, says that charts are drawn by what the book brings, without a network."""
    code = [cell for cell in re.split(r"^# %%", page.read_text(), flags=re.M) if not cell.startswith(" [markdown]")]
    drawn = next((place for place, cell in enumerate(code) if '"figure":' in cell.partition("\n")[0]), len(code))
    ready = next((place for place, cell in enumerate(code) if re.search(r"\b(open_page|enable)\(", cell)), len(code))
    assert ready <= drawn
