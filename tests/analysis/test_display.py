"""A mean and a standard deviation as a table has them."""

from math import nan

import pytest

from lib.analysis.display import plus_minus


@pytest.mark.parametrize(("given", "written"), [
    ((9.956, 0.62), "9.96 ± 0.62"),
    ((9.956, nan), "9.96"),
    ((nan, 0.62), "–"),
    ((-0.5, 0.25, 1), "−0.5 ± 0.2"),
    ((0.5, 0.0, 1, True), "+0.5 ± 0.0"),
])  # fmt: skip
def test_a_mean_and_its_deviation_are_written_in_digits(given, written):
    assert plus_minus(*given) == written
