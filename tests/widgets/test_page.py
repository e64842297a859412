"""A page opens on the committed tables, trains nothing, and gives charts their rows and readers their verdicts."""

import pytest

from lib.analysis import measure
from lib.analysis.statistics import FEWEST_REPLICATES
from lib.analysis.table import SIZE
from lib.errors import InputError
from lib.scales import SCALES
from lib.widgets.page import open_page, show_source
from papers.label_noise.experiments import PAGES


def test_a_page_opens_without_training(monkeypatch):
    monkeypatch.setattr(measure, "run", lambda *a, **k: pytest.fail("trained"))
    page = open_page(PAGES["dynamics"], {"benchmark": "mnist-lenet", "scale": "laptop", "seeds": [], "other": 3})
    assert page.table is page.tables[0] and page.scale == "laptop" and page.plan.levels > 0
    lacks = [not {"weight rewinding"} <= {*one.frame["algorithm"]} for one in page.tables]
    few = [len(one.seeds) < FEWEST_REPLICATES for one in page.tables]
    order = [*zip(few, lacks, [-SCALES.index(one.scale) for one in page.tables], strict=True)]
    assert order == sorted(order), (
        "the largest scale leads, among those that can decide a claim and have all that is compared"
    )
    rows = page.rows(["test error (%)", "best test error (%)"], noise_percent=20.0)
    assert {"table", "seed", SIZE, "overfitting", "value"} <= set(rows.columns)
    assert [chain.algorithm for chain in page.chains] == ["weight rewinding"] and page.own is page.page
    assert "laptop" in str(page.note.data)
    shown = page.verdicts().to_html()
    assert all(claim in shown for claim in PAGES["dynamics"].claims)
    assert "stages are in the store" in str(page.cost.data)
    chips = str(page.chips().data)
    assert all(chips.count(claim) == 1 for claim in PAGES["dynamics"].claims) and 'title="' in chips
    assert page.explore(lambda given, count: (given, count), count=3) == (page, 3)
    assert "no table has nothing" in str(page.explore(lambda given: given.rows("nothing")).data)


def test_a_page_of_which_nothing_is_measured_says_how_to_measure_it(monkeypatch):
    monkeypatch.setattr(measure, "read_table", lambda *given: None)
    page = open_page(PAGES["dynamics"], {"benchmark": "mnist-lenet", "scale": "laptop"})
    told = str(page.note.data)
    assert "recompute = True" in told and "lib.analysis.measure label_noise dynamics mnist-lenet laptop" in told
    assert "not run" in page.verdicts().to_html() and "not run" in str(page.chips().data)
    assert "no table" in str(page.explore(lambda given: given.rows("test error (%)")).data)
    with pytest.raises(InputError, match="recompute = True"):
        _ = page.table


def test_what_a_reader_changes_is_the_plan_of_the_page(monkeypatch):
    monkeypatch.setattr(measure, "run", lambda *a, **k: pytest.fail("trained"))
    asked = {"benchmark": "mnist-lenet", "scale": "laptop", "noise_percents": [60], "score": local_score}
    page = open_page(PAGES["dynamics"], asked)
    assert page.plan.noise_percents == (60.0,) and page.plan.prune.score == f"{__name__}:local_score"
    assert [chain.algorithm for chain in page.chains] == ["weight rewinding"]
    assert "yours: noise 60 %, score local_score" in str(page.note.data) and not any(
        table.changes for table in page.tables
    )


def local_score(module, names, batch):
    return {name: module.get_parameter(name).detach().abs() for name in names}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"noise_percents": [120.0]}, "from 0 to 100"),
        ({"noise_percents": 60}, "noise_percents: .* given 60"),
        ({"seeds": ["a"]}, "seeds"),
        ({"epochs": "3"}, "epochs: .* given '3'"),
        ({"score": "snap"}, "Did you mean 'snip'"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused(given, says):
    with pytest.raises(InputError, match=says):
        open_page(PAGES["dynamics"], {"benchmark": "mnist-lenet", "scale": "laptop"} | given)


def test_source_is_shown_as_it_is_run():
    shown = show_source(open_page, test_source_is_shown_as_it_is_run).data or ""
    assert shown.startswith("```python\ndef open_page(") and shown.count("\ndef ") == 2


def test_a_scale_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="laptop"):
        open_page(PAGES["dynamics"], {"benchmark": "mnist-lenet", "scale": "laptopp"})
