"""Recipes and schedules."""

import pytest

from lib.errors import InputError
from lib.training import Recipe, Replicate, learning_rate
from papers.training_regularization.recipes import CIFAR10_RESNET20, plan


def test_learning_rate_drops_where_table_1_says():
    rates = [learning_rate(CIFAR10_RESNET20, epoch * 375, 375) for epoch in (0, 79, 80, 119, 120, 159)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_warmup_rises_from_zero(recipe):
    warm = recipe.but(warmup_epochs=2)
    assert [learning_rate(warm, step, 10) / warm.learning_rate for step in (0, 5, 10, 20, 25)] == [
        0,
        0.25,
        0.5,
        1,
        1,
    ]


def test_polynomial_decay_reaches_its_last_step_and_stays_there(recipe):
    """0.02 (1 - step / 30)^0.9 over three epochs of ten steps (facts C.1)."""
    segmentation = recipe.but(learning_rate=0.02, decay_power=0.9)
    rates = [learning_rate(segmentation, step, 10) for step in (0, 15, 29, 30, 300)]
    assert rates == pytest.approx([0.02, 0.02 * 0.5**0.9, *[0.02 * (1 / 30) ** 0.9] * 3])


def test_past_its_end_no_schedule_goes_on(recipe):
    """A drop at its end is for a longer schedule; networks that train on, as re-dense ones do, do not take it."""
    longer = recipe.but(epochs=2, drop_epochs=(1, 2))
    assert learning_rate(longer, 19, 10) == learning_rate(longer, 20, 10) == learning_rate(longer, 40, 10)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"learning_rat": 0.1}, "Did you mean 'learning_rate'"),
        ({"learning_rate": "fast"}, "learning_rate: .* given 'fast'"),
        ({"learning_rate": -1.0}, "greater than 0"),
        ({"epochs": 2.5}, "epochs"),
        ({"optimizer": "adamw"}, "'adam' or 'sgd'"),
        ({"rewind_epoch": 3}, "must come before the end"),
        ({"nesterov": True, "momentum": 0.9}, "needs optimizer='sgd' .* not optimizer='adam'"),
        ({"nesterov": True, "optimizer": "sgd"}, "momentum above 0, not .*momentum=0.0"),
        ({"decay_power": -0.9}, "decay_power"),
    ],
)
def test_bad_recipes_are_refused(recipe, change, says):
    with pytest.raises(InputError, match=says):
        Recipe(**{**dict(recipe), **change})


def test_bad_names_of_a_plan_are_refused():
    with pytest.raises(InputError, match="Did you mean 'mnist-lenet'"):
        plan("mnist-lenett", "laptop")
    with pytest.raises(InputError, match="Did you mean 'laptop'"):
        plan("mnist-lenet", "laptob")
    with pytest.raises(InputError, match="less than or equal to 100"):
        Replicate(seed=0, noise_percent=120.0)
