"""The examples that a network fits worst, where the levels of an algorithm are chains of their own."""

import pytest

from lib.analysis.drawn import training_examples
from lib.analysis.measure import measure
from lib.analysis.pages import Page
from lib.errors import InputError
from lib.stages.algorithms import learning_rate_rewinding, width_downscaling
from lib.stages.experiment_plan import Plan


def test_every_level_of_a_family_has_examples(recipe, tmp_path):
    plan = Plan(recipe=recipe, levels=2, width_factor=0.4, seeds=(0,), noise_percents=(20.0,))

    def chains(plan):
        return [
            learning_rate_rewinding(plan.recipe, 0, plan.prune),
            *width_downscaling(plan.recipe, plan.levels, plan.width_factor),
        ]

    page, store = Page("paper", "page", lambda *_: plan, chains), str(tmp_path / "store")
    measure(page, "digits", "laptop", store, "cpu", None, tmp_path)

    def losses(level, algorithm=""):
        return training_examples(page, "digits", "laptop", 20.0, level, store, 5, algorithm)[3].tolist()

    by_level = [losses(level, "width_downscaling") for level in (0, 1, 2)]
    assert len({tuple(one) for one in by_level}) == 3
    assert by_level[0] == losses(0), "level 0 is the dense network of every algorithm"
    with pytest.raises(InputError, match="level of width_downscaling"):
        losses(3, "width_downscaling")
    with pytest.raises(InputError, match="unknown algorithm of this page 'width"):
        losses(0, "width_downscalin")
