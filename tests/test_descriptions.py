"""Descriptions: what cannot be used is refused when it is written, and when it is changed (A8)."""

import subprocess
import sys

import pytest

from lib.errors import InputError
from lib.stages import Prune


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"epohcs": 99}, "'epohcs'. Did you mean 'epochs'"),
        ({"epochs": "many"}, "epochs: .*valid integer, given 'many'"),
        ({"epochs": 0}, "greater than 0"),
        ({"rewind_epoch": 99}, "before the end"),
        ({"data": {"trian": 5}}, "'trian'. Did you mean 'train'"),
        ({"data": {"train": "all"}}, "train: .*given 'all'"),
        ({"data": 5}, "data: .*given 5"),
    ],
)
def test_a_change_is_checked_as_if_it_were_written_anew(recipe, changes, says):
    with pytest.raises(InputError, match=says):
        recipe.but(**changes)


def test_a_change_makes_another_description_and_leaves_the_rest(recipe):
    other = recipe.but(epochs=99, data={"train": 10, "test": None})
    assert (other.epochs, other.data.train, other.data.image_set) == (99, 10, recipe.data.image_set)
    assert recipe.epochs == 3 and recipe.data.train == 300
    assert other.but(epochs=3, data=recipe.data) == recipe == recipe.but()
    assert Prune().but(keep=0.1) == Prune(keep=0.1), "a default that was not written does not stand in the way"


def test_descriptions_and_scales_load_no_torch():
    check = "import sys, lib.descriptions, lib.scales; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
