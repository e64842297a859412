"""A page opens on the committed tables, trains nothing, and gives charts their rows and readers their verdicts."""

import pytest

from lib.analysis import measure
from lib.analysis.table import SIZE
from lib.errors import InputError
from lib.widgets.page import open_page, show_source
from papers.label_noise.experiments import PAGES


def test_a_page_opens_without_training(monkeypatch):
    monkeypatch.setattr(measure, "run", lambda *a, **k: pytest.fail("trained"))
    page = open_page(PAGES["dynamics"], {"benchmark": "mnist-lenet", "scale": "laptop", "seeds": [], "other": 3})
    assert page.table is page.tables[0] and page.table.scale == page.scale == "laptop" and page.plan.levels > 0
    rows = page.rows(["test error (%)", "best test error (%)"], noise_percent=20.0)
    assert {"table", "seed", SIZE, "overfitting", "value"} <= set(rows.columns)
    assert [chain.algorithm for chain in page.chains] == ["weight rewinding"]
    assert "laptop" in str(page.note.data)
    shown = page.verdicts().to_html()
    assert all(claim in shown for claim in PAGES["dynamics"].claims)
    chips = page.chips().data
    assert all(chips.count(claim) == 1 for claim in PAGES["dynamics"].claims) and 'title="' in chips
    assert page.explore(lambda given, count: (given, count), count=3) == (page, 3)


def test_source_is_shown_as_it_is_run():
    shown = show_source(open_page, test_source_is_shown_as_it_is_run).data
    assert shown.startswith("```python\ndef open_page(") and shown.count("\ndef ") == 2


def test_a_scale_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="laptop"):
        open_page(PAGES["dynamics"], {"benchmark": "mnist-lenet", "scale": "laptopp"})
