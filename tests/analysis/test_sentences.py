"""Sentences say what the numbers say: which word, which digits, and what is missing."""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportArgumentType=false, reportOperatorIssue=false, reportOptionalMemberAccess=false

import dataclasses

import pandas
import pytest

from lib.analysis import sentences
from lib.analysis.table import Table
from lib.errors import InputError

LOW, HIGH = pandas.Series([8.9, 9.0, 9.1]), pandas.Series([12.8, 13.1, 12.9])


def test_few_replicates_are_compared_by_their_means():
    assert sentences.differs(LOW, HIGH) == sentences.differs(LOW[:1], HIGH[:1]) == "lower"
    assert sentences.differs(HIGH[:2], LOW[:2]) == "higher"
    assert sentences.differs(LOW, pandas.Series([9.1, 9.0, 8.9])) == "match"
    assert sentences.differs(LOW[:1], LOW[:1]) == sentences.differs(LOW[:1], HIGH[1:2]) == "undecided"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (12.91, "12.9"),
        (8.934, "8.93"),
        (0.4812, "0.48"),
        (-0.0041, "−0.0041"),
        (3.2e-7, "3·10⁻⁷"),
        (9.7e-5, "1·10⁻⁴"),
        (0, "0.00"),
    ],
)
def test_a_number_has_as_many_digits_as_it_bears(value, words):
    assert sentences.number(value) == words


def test_spread_has_the_digits_of_the_mean_and_one_seed_has_none():
    assert sentences.mean_std(HIGH) == "12.9 ± 0.2 %"
    assert sentences.mean_std(HIGH[:1]) == "12.8 %"


def test_a_spread_that_would_read_zero_brings_digits_of_its_own():
    assert sentences.mean_std(pandas.Series([98.36, 98.38, 98.37])) == "98.37 ± 0.01 %"
    assert sentences.mean_std(pandas.Series([40.0, 40.0, 40.0 + 1e-12])) == "40.0 ± 0.0 %", (
        "noise of float64 is no spread"
    )


def test_two_results_are_compared_over_the_seeds_that_both_have():
    assert sentences.from_to(pandas.Series({0: 1.0, 1: 9.0}), pandas.Series({0: 2.0})) == "rises from 1.00 to 2.00 %"
    assert sentences.against(pandas.Series({0: 1.0, 1: 9.0}), pandas.Series({0: 2.0})).startswith(
        "1.00 % against 2.00 %"
    )
    with pytest.raises(InputError, match="no seed in common: 0 and 1, and 2"):
        sentences.from_to(pandas.Series({0: 1.0, 1: 9.0}), pandas.Series({2: 2.0}))


def test_the_rule_of_claims_chooses_the_word():
    assert sentences.from_to(HIGH, LOW) == "falls from 12.9 ± 0.2 to 9.00 ± 0.10 %"
    assert sentences.from_to(LOW, HIGH).startswith("rises from 9.00")
    assert "within the spread" in sentences.from_to(HIGH, pandas.Series([13.1, 12.9, 12.8]))
    assert "same network" in sentences.from_to(HIGH, HIGH)
    assert sentences.against(LOW, HIGH).endswith("points lower")


def test_a_curve_turns_where_seeds_agree_and_not_at_a_wiggle():
    means = [12.9, 15.0, 20.9, 20.7, 9.0, 11.0]
    course = pandas.DataFrame([[mean + shift for mean in means] for shift in (-0.2, 0.1, 0.2)])
    assert sentences.turning_points(course) == [0, 2, 4, 5]
    assert sentences.turning_points(course[[0, 1]]) == [0, 1]
    wiggle = pandas.DataFrame([[1.0, 1.2, 1.1], [1.0, 0.8, 1.0], [1.0, 1.1, 0.9]])
    assert sentences.turning_points(wiggle) == [0, 2]


def a_table(scale: str) -> Table:
    return Table(
        "training_regularization", "mnist-lenet", scale, ("noise_percent",), pandas.DataFrame({"seed": [0, 1]}), {}
    )


def test_the_first_table_that_can_show_it_speaks():
    @sentences.observed
    def seen(table):
        if table.scale == "paper":
            raise InputError("no narrow network was measured")
        return "It falls."

    tables = [a_table("paper"), a_table("laptop")]
    assert seen(tables).data == f"**What we see** (laptop scale, 2 seeds). It falls. {sentences.FEW_SEEDS}"
    assert seen(tables[:1]).data == "*Nothing to see yet: no narrow network was measured.*"
    assert "no table" in seen([]).data


def test_each_line_learned_says_at_which_scale():
    def wide(table):
        if table.scale == "paper":
            raise InputError("no narrow network")
        return "Narrow falls."

    def narrow(table):
        raise InputError("no score")

    text = sentences.learned(lambda table: "It falls.", wide, narrow)([a_table("paper"), a_table("laptop")]).data
    assert text.splitlines()[2:] == [
        "* It falls. (paper scale, 2 seeds)",
        "* Narrow falls. (laptop scale, 2 seeds)",
        "* *Not measured yet: no score.*",
    ]


def test_counts_in_words():
    assert [sentences.times(n, 4, "case") for n in (0, 3, 4)] == [
        "in none of the 4 cases",
        "in 3 of 4 cases",
        "in all 4 cases",
    ]
    assert [sentences.times(n, 1, "case") for n in (0, 1)] == ["in no case", "in the one case"]
    assert sentences.times(0, 0, "case") == "in no case"
    assert sentences.listed(["a", "b", "c"]) == "a, b and c"


def test_two_errors_of_zero_are_not_said_to_be_of_one_network():
    zero, some = pandas.Series([0.0, 0.0, 0.0]), pandas.Series([1.0, 2.0, 3.0])
    assert sentences.from_to(zero, zero).startswith("stays at 0") and "same network" in sentences.from_to(some, some)
    assert "same network" not in sentences.against(zero, zero) and "same network" in sentences.against(some, some)


def test_a_table_of_the_readers_own_is_called_so():
    table = dataclasses.replace(a_table("laptop"), origin="this machine")
    assert sentences.whose(table) == "yours, laptop scale, 2 seeds"
