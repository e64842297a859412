import json

import pytest
import vl_convert

from lib.charts.few_levels import error_at_few_levels
from lib.charts.theme import VEGALITE_VERSION
from lib.errors import InputError
from tests.charts import made_up, made_up_noise


def test_a_slider_keeps_every_nth_level():
    tables = [made_up_noise.table(), made_up_noise.table("laptop", origin="this machine")]
    specification = error_at_few_levels(tables, "weight_rewinding").to_dict()
    slider = next(p for p in specification["params"] if p["name"] == "every_nth")
    assert (slider["value"], slider["bind"]["input"], slider["bind"]["min"]) == (1, "range", 1)
    assert "datum.level % every_nth == 0" in json.dumps(specification)
    assert {row["level"] for row in made_up.rows_of(specification, "replicates")} == set(range(8))
    assert "A slider leaves out levels" in specification["description"]
    assert "NaN" not in vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)


def test_a_table_without_the_algorithm_is_left_out():
    one, other = made_up_noise.table(), made_up_noise.table("laptop", names=["weight_rewinding_random"])
    specification = error_at_few_levels([one, other], "weight_rewinding").to_dict()
    assert {row["table"] for row in made_up.rows_of(specification, "replicates")} == {one.label}
    with pytest.raises(InputError, match="fine_tuning"):
        error_at_few_levels([one, other], "fine_tuning")
