"""What GS says of its figures on stability and accuracy: chosen by the numbers, against the paper where they are."""

import pytest

from lib.analysis.display import Markdown
from lib.widgets.page import open_page
from papers.generalization_stability import figures, observations
from papers.generalization_stability.experiments import PAGES
from papers.generalization_stability.names import FIGURE_2, NONE, RATES, STABLE, TARGETS, UNSTABLE, pruned
from tests.papers import generalization_stability_cases as cases
from tests.papers.test_generalization_stability_figures import FIGURES, made_up

LEARNED = [name for name in vars(observations) if name.startswith("learned_")]
BETTER = cases.configurations(FIGURE_2, [100, 99.9, 99.5, 97.7], [85.0, 85.2, 85.4, 86.0])
WORSE = cases.configurations(FIGURE_2, [100, 99.9, 99.5, 97.7], [86.0, 85.4, 85.2, 85.0])


def said(name: str, *tables) -> str:
    found = getattr(observations, name)(tables)
    assert isinstance(found, Markdown)
    return str(found.data)


@pytest.mark.parametrize("name", [*FIGURES, *LEARNED])
def test_every_figure_has_words_and_never_a_number_that_is_none(name):
    for runs in (1, 3):
        words = said(name, made_up(runs))
        assert words.startswith("**What we") and "nan" not in words and "Not measured" not in words


@pytest.mark.parametrize("name", [*FIGURES, *LEARNED])
def test_what_a_table_lacks_is_said(name):
    for tables in ([], [cases.table({NONE: {"test loss (nats)": 1.0}})]):
        assert "yet" in said(name, *tables)


def test_a_correlation_is_called_as_the_paper_has_it_or_against_it():
    for cells, told in ((BETTER, "end better, as the paper has it"), (WORSE, "end worse, against the paper")):
        words = said("accuracy_against_stability", cases.table(cells))
        assert told in words and "18 pruned runs of 3 configurations" in words
        assert "no relation can be told from chance" in words, "runs of one configuration scatter at random"


def test_few_seeds_decide_nothing():
    words = said("accuracy_against_stability", cases.table(BETTER, runs=2))
    assert "With so few seeds" in words and "as the paper has it" not in words


def test_means_stand_in_the_order_of_stability_beside_unpruned_networks():
    words = said("accuracy_against_stability", cases.table(BETTER, spread=0.0))
    assert words.index("85.2") < words.index("85.4") < words.index("86.0")
    assert "without pruning it is 85.0" in words and "above it: the smallest filters every 4 epochs" in words


def test_choosing_the_best_epoch_may_change_the_order():
    cells = {name: dict(own) for name, own in BETTER.items()}
    assert "have the same order" in said("best_and_last", cases.table(cells))
    cells[UNSTABLE]["last test accuracy (%)"] = 80.0
    words = said("best_and_last", cases.table(cells, spread=0.0))
    assert "have another order" in words and "6.00 ± 0.00 points (the largest filters" in words


def test_a_peak_between_the_ends_of_the_rates_is_seen():
    def cells(peak: int):
        found = cases.configurations([NONE], [100.0], [85.0])
        for target in TARGETS:
            names = [pruned(target, every) for every in RATES]
            stabilities = [99.9 - i for i in range(len(RATES))]
            accuracies = [86.0 - 0.3 * abs(i - peak) for i in range(len(RATES))]
            found |= cases.configurations(names, stabilities, accuracies)
        return cases.table(found, spread=0.001)

    assert "between the ends, as the paper has it" in said("accuracy_by_rate", cells(3))
    assert "between the ends for no target, against the paper" in said("accuracy_by_rate", cells(0))
    assert "12.9 % for the smallest filters" in said("learned_rate_and_target", cells(2))


def test_a_single_configuration_is_no_crash():
    words = said("accuracy_against_stability", cases.table({STABLE: BETTER[STABLE]}))
    assert "1 configuration," in words and "without pruning" not in words


def test_committed_tables_have_words():
    page = open_page(PAGES["less_stable_better"], {"benchmark": "cifar10-vgg11", "scale": "laptop"})
    committed = [one for one in page.tables if one.origin == "committed"]
    for name in ("accuracy_over_training", "accuracy_against_stability", "stability_on_two_sets", "best_and_last"):
        assert said(name, *committed).startswith("**What we see** (") and hasattr(figures, name)
