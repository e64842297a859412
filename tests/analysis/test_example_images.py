"""Single examples come from the store and are those that they claim to be; nothing is trained for them."""

import dataclasses

import pytest

from lib.analysis.example_groups import GROUP_SCORE, GROUPS, example_groups
from lib.analysis.example_images import named_worst, of_category, of_group, worst_fitted, worst_fitted_examples
from lib.analysis.measure import How, measure
from lib.analysis.ranked_examples import ranked_examples
from lib.analysis.table import values
from lib.errors import InputError
from tests.analysis.made import table_of

LRR, EDT = "learning-rate rewinding", "extended dense training"
ASKED = ("digits", "laptop", 20.0)


@pytest.fixture
def measured(page, paper, tmp_path):
    """A page with groups and ranked examples, its table, and the store that it was measured from."""
    looked_at = (example_groups(LRR), ranked_examples(LRR), worst_fitted_examples(LRR))
    whole = paper(dataclasses.replace(page, measurements=looked_at), seeds=(0,), noise_percents=(20.0,))
    store = str(tmp_path / "store")
    for ask in (lambda: worst_fitted(whole, *ASKED, 1, store), lambda: of_group(whole, *ASKED, 20, store)):
        with pytest.raises(InputError, match="recompute=True"):
            ask()
    return whole, measure(whole, "digits", "laptop", How(store, "cpu", root=tmp_path)), store


def test_examples_of_the_store_and_of_a_table(measured):
    page, table, store = measured
    worst = worst_fitted(page, *ASKED, 1, store, count=10)
    assert worst.images.shape == (10, 28, 28, 1) and worst.numbers == sorted(worst.numbers, reverse=True)
    assert sum(worst.noisy) > 5, "wrong labels are fitted worst"
    assert worst.captions[worst.noisy.index(True)].count("(was ") == 1 and set(worst.labels) <= set("0123456789")
    assert worst_fitted(page, *ASKED, 1, store, LRR, 10).numbers == worst.numbers
    assert worst_fitted(page, *ASKED, 1, store, EDT, 10).numbers != worst.numbers
    named = named_worst(page, [table_of({}), table], 20.0, 1, count=10)
    assert named is not None and named[0].labels == worst.labels and named[1:] == (table, 1)
    assert named[0].numbers == pytest.approx(worst.numbers, rel=1e-3) and named[0].images.equal(worst.images)
    last = named_worst(page, [table], 20.0)
    assert last is not None and last[2] == 1 and len(last[0].labels) == 18, "the sparsest one that is named"
    assert named_worst(page, [table], 20.0, 1, EDT) is None, "of networks that were not looked at nothing is known"
    hardest = of_group(page, *ASKED, 20, store, count=500)
    mean = values(table, GROUP_SCORE, "position", algorithm=LRR, level=0, noise_percent=20.0).loc[0, 20.0]
    assert len(hardest.images) == 300 // GROUPS and hardest.numbers == sorted(hardest.numbers)
    assert sum(hardest.numbers) / len(hardest.numbers) == pytest.approx(mean, rel=1e-3)
    assert max(of_group(page, *ASKED, 1, store, 5).numbers) < mean
    for wrong, words in (
        (lambda: worst_fitted(page, *ASKED, 1, store, "weight rewinding"), "algorithm"),
        (lambda: worst_fitted(page, *ASKED, 7, store), "level"),
        (lambda: worst_fitted(page, "digits", "laptop", 30.0, 1, store), "label noise"),
        (lambda: of_group(page, *ASKED, 0, store), "between 1"),
    ):
        with pytest.raises(InputError, match=words):
            wrong()
    plan, case = page.plans("", ""), {"algorithm": LRR, "noise_percent": 20.0}
    found = of_category(plan, table, "least affected", **case)
    if found is not None:  # such a level exists in this run
        assert len(found.images) == len(found.labels) == len(found.predictions) == 20
    assert of_category(plan, table_of({}), "most worsened", **case) is None
