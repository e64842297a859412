"""Scores of filters by hand, and the expected activation against sampling."""

import pytest
import torch
from scipy import stats

from lib.errors import InputError
from lib.pruning.filter_scores import (
    FILTER_SCORES,
    FilterTensors,
    activation,
    expected,
    find_filter_score,
    l1,
    l2,
    signed_expected,
)


def filters(scale, shift, weight=None, mean=None):
    weight = torch.zeros(len(scale), 1, 1, 1) if weight is None else weight
    return FilterTensors(weight, torch.tensor(scale), torch.tensor(shift), mean)


def test_norms_are_over_all_weights_of_a_filter():
    weight = torch.tensor([[[[3.0, -4.0]]], [[[0.0, 1.0]]]])
    given = filters([1.0, 1.0], [0.0, 0.0], weight)
    assert l1(given).tolist() == [7.0, 1.0] and l2(given).tolist() == [5.0, 1.0]


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.5, -1.0), (-2.0, 0.7), (0.01, 3.0)])
def test_the_expected_activation_is_the_mean_after_the_relu(scale, shift):
    drawn = torch.from_numpy(stats.norm.ppf((torch.arange(200_000) + 0.5).numpy() / 200_000)) * abs(scale) + shift
    assert float(expected(filters([scale], [shift]))) == pytest.approx(float(drawn.relu().mean()), abs=1e-4)


def test_the_sign_of_gamma_matters_only_to_the_signed_score():
    one, other = filters([0.8], [0.3]), filters([-0.8], [0.3])
    assert torch.equal(expected(one), expected(other))
    assert not torch.allclose(signed_expected(one), signed_expected(other))
    assert torch.equal(signed_expected(one), expected(one))


def test_a_filter_without_map_is_expected_to_be_zero():
    assert expected(filters([0.0, 0.0], [0.0, 2.0])).tolist() == [0.0, 2.0]
    assert not signed_expected(filters([0.0], [0.0])).any()


def test_activations_must_have_been_recorded():
    assert torch.equal(activation(filters([1.0], [0.0], mean=torch.tensor([0.4]))), torch.tensor([0.4]))
    with pytest.raises(InputError, match="recorded while a network trains"):
        activation(filters([1.0], [0.0]))


def test_a_score_is_found_by_its_name():
    assert all(find_filter_score(name) is score for name, score in FILTER_SCORES.items())
    with pytest.raises(InputError, match="'l2'"):
        find_filter_score("l22")
