"""Curvature and flatness, against closed forms, power iteration, and networks that really lack what is masked."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from lib import data
from lib.analysis import flatness as module_of_flatness
from lib.analysis.curvature import (
    gradient_covariance_trace,
    hessian_eigenvalues,
    hessian_product,
    hutchinson_trace,
    mean_loss,
    sharpest_directions,
)
from lib.analysis.flatness import (
    ALONG,
    COVARIANCE,
    CRITERION,
    CURVE,
    EIGENVALUE,
    EIGENVALUE_SUM,
    TOLERATED,
    TRACE,
    TRACE_ERROR,
    flatness,
    loss_along,
    tolerated_perturbation,
)
from lib.analysis.landscape import Sample
from lib.errors import InputError
from lib.models import build
from lib.stages import run
from lib.stages.algorithms import weight_rewinding
from lib.stages.stage import Prune
from lib.training import Replicate, prepare
from tests.analysis.stages import measured


class Bowl(nn.Module):
    """Two logits whose cross-entropy with label 0 is 1 + ½ (θ − t)ᵀ A (θ − t), whatever the image."""

    def __init__(self, matrix, center):
        super().__init__()
        self.point = nn.Parameter(torch.zeros(len(center), dtype=matrix.dtype))
        self.matrix, self.center = matrix, center

    def forward(self, images):
        step = self.point - self.center
        first = -torch.log(torch.expm1(1 + step @ self.matrix @ step / 2))
        return torch.stack([first, torch.zeros_like(first)]).expand(len(images), 2)


def sample(count=12, side=2, channels=1, classes=3):
    draw = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (count, side, side, channels), generator=draw).to(torch.uint8)
    return Sample(images, torch.arange(count) % classes, "mnist" if channels == 1 else "imagenet")


def around(module, masks=None, **images):
    return mean_loss(module, module.state_dict(), masks or {}, sample(**images))


def bowl(matrix, center=None):
    center = torch.linspace(-0.1, 0.1, len(matrix)).to(matrix) if center is None else center
    return around(Bowl(matrix, center), classes=1)


def softmax_regression():
    """Weights [3, 4] and biases [3], inputs [12, 5] with the constant one, probabilities and labels [12, 3]."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).double()
    some = sample()
    inputs = data.normalize(some.images, data.normalization("mnist")).flatten(1).double()
    with torch.no_grad():
        probabilities = module(inputs).softmax(1)
    constant = torch.cat([inputs, torch.ones(12, 1, dtype=torch.float64)], 1)
    return around(module), constant, probabilities, nn.functional.one_hot(some.labels, 3)


def matrix_of(loss):
    product, like = hessian_product(loss), next(loss.module.parameters())
    return torch.stack([product(row) for row in torch.eye(int(loss.remaining.sum())).to(like)])


def test_the_hessian_of_a_quadratic_is_its_matrix():
    factor = torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    matrix = factor + factor.T
    loss = bowl(matrix)
    assert torch.allclose(matrix_of(loss), matrix)
    exact = torch.linalg.eigvalsh(matrix)
    assert exact.min() < 0 < exact.max()
    values = hessian_eigenvalues(loss, 4, tolerance=0)
    assert torch.allclose(values, exact[exact.abs().argsort(descending=True)][:4])
    values, vectors = sharpest_directions(loss, 3, tolerance=0)
    assert torch.allclose(values, exact.flip(0)[:3])
    assert torch.allclose(vectors @ matrix, values[:, None] * vectors)
    assert torch.allclose(vectors @ vectors.T, torch.eye(3, dtype=torch.float64), atol=1e-8)
    assert (vectors.gather(1, vectors.abs().argmax(1, keepdim=True)) > 0).all()


def test_a_loss_that_hardly_bends_has_eigenvalues_of_full_relative_precision():
    """Or those of a network that fits its training images would be what the iteration began with."""
    matrix = torch.diag(1e-9 * torch.arange(1.0, 61.0))
    center = torch.zeros(60)
    assert torch.allclose(
        hessian_eigenvalues(bowl(matrix, center), 3), 1e-9 * torch.tensor([60.0, 59, 58]).double(), rtol=1e-3
    )


def test_a_loss_that_does_not_bend_has_eigenvalues_of_zero():
    assert hessian_eigenvalues(bowl(torch.zeros(30, 30)), 3).tolist() == [0, 0, 0]


def test_the_hessian_of_softmax_regression_is_exact():
    """H = mean of (diag p − p pᵀ) ⊗ x xᵀ."""
    loss, inputs, probabilities, _ = softmax_regression()
    bends = torch.diag_embed(probabilities) - probabilities[:, :, None] * probabilities[:, None]
    whole = torch.einsum("bij,bk,bl->ikjl", bends, inputs, inputs) / 12
    order = [5 * i + k for i in range(3) for k in range(4)] + [5 * i + 4 for i in range(3)]  # weights, then biases
    assert torch.allclose(matrix_of(loss), whole.reshape(15, 15)[order][:, order])


def test_the_criterion_of_softmax_regression_is_exact():
    """Tr C = mean of ‖p − y‖² ‖x‖², Tr H = mean of (1 − ‖p‖²) ‖x‖², all but its zero eigenvalues being found."""
    loss, inputs, probabilities, truth = softmax_regression()
    lengths = inputs.square().sum(1)
    covariance = ((probabilities - truth).square().sum(1) * lengths).mean()
    trace = ((1 - probabilities.square().sum(1)) * lengths).mean()
    assert gradient_covariance_trace(loss) == pytest.approx(float(covariance))
    found = gradient_covariance_trace(loss) / float(hessian_eigenvalues(loss, 12, tolerance=0).sum())
    assert found == pytest.approx(float(covariance / trace))


def small(filters):
    torch.manual_seed(filters)
    convolution, normalization = nn.Conv2d(1, filters, 3, padding=1), nn.BatchNorm2d(filters)
    module = nn.Sequential(convolution, normalization, nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * filters, 3))
    for parameter in normalization.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5)
    normalization.running_mean.uniform_(-1, 1)  # pyright: ignore
    return module.double()


def double_backward(loss):
    """The plain way to a product."""
    parameters = list(loss.module.parameters())
    inputs = data.normalize(loss.sample.images, data.normalization(loss.sample.normalization)).to(parameters[0].dtype)
    value = nn.functional.cross_entropy(loss.module(inputs), loss.sample.labels)
    gradient = nn.utils.parameters_to_vector(torch.autograd.grad(value, parameters, create_graph=True))

    def product(vector):
        pieces = torch.autograd.grad(gradient @ vector, parameters, retain_graph=True)
        return torch.cat([piece.flatten() for piece in pieces])

    return product


@pytest.mark.parametrize("name", ["cifar-vgg11", "cifar-resnet18-gated", "cifar-resnet20-padded"])
def test_products_are_those_of_double_backward(name):
    torch.manual_seed(0)
    loss = around(build(name, width=3).module, count=4, side=32, channels=3)
    vector = torch.randn(len(loss.remaining))
    exact = double_backward(loss)(vector)
    assert float((hessian_product(loss)(vector) - exact).norm() / exact.norm()) < 1e-4


def test_eigenvalues_are_those_of_power_iteration_with_deflation():
    loss = around(small(4))
    product, found, draw = double_backward(loss), [], torch.Generator().manual_seed(0)
    for _ in range(5):
        vector = torch.randn(len(loss.remaining), dtype=torch.float64, generator=draw)
        for _ in range(1000):
            vector = product(vector / vector.norm())
            vector = vector - sum((vector @ other) * other for _, other in found)
        vector = vector / vector.norm()
        found.append((float(vector @ product(vector)), vector))
    assert hessian_eigenvalues(loss, 5).tolist() == pytest.approx([value for value, _ in found], rel=1e-4)
    values, vectors = sharpest_directions(loss, 2)
    assert values.tolist() == pytest.approx([value for value, _ in found[:2]], rel=1e-4)
    assert [float(abs(own @ other)) for own, (_, other) in zip(vectors, found, strict=False)] == pytest.approx([1, 1])


def test_masked_entries_are_left_out_as_if_the_network_lacked_them():
    """A filter with its bias, scale, shift and readers; what stands in masked places does not matter."""
    whole, kept = small(4), torch.tensor([0, 1, 3])
    state = whole.state_dict()
    readers = torch.arange(16).view(4, 4)[kept].flatten()
    lacking = {
        n: (t[:, readers] if n == "4.weight" else t[kept] if t.dim() and n[0] in "01" else t) for n, t in state.items()
    }
    masks = {n: torch.zeros_like(p, dtype=torch.bool) for n, p in whole.named_parameters() if n != "4.bias"}
    for name, mask in masks.items():
        mask[(slice(None), readers) if name == "4.weight" else kept] = True
    some = sample()
    one, other = mean_loss(whole, state, masks, some), mean_loss(small(3), lacking, {}, some)
    assert torch.allclose(matrix_of(one), matrix_of(other))
    assert torch.allclose(hessian_eigenvalues(one, 5), hessian_eigenvalues(other, 5), rtol=1e-6)
    assert hutchinson_trace(one, 3) == pytest.approx(hutchinson_trace(other, 3))
    assert gradient_covariance_trace(one) == pytest.approx(gradient_covariance_trace(other))
    _, vectors = sharpest_directions(one, 1)
    assert not one.by_name(vectors[0])["0.weight"][2].any()
    assert all(torch.equal(tensor, state[name]) for name, tensor in whole.state_dict().items()), "left as it was"


def test_hutchinsons_estimate_is_the_trace_within_its_error():
    loss, *_ = softmax_regression()
    trace, error = hutchinson_trace(loss, 100)
    assert error > 0 and abs(trace - float(matrix_of(loss).trace())) < 3 * error


def test_hutchinsons_estimate_of_a_diagonal_matrix_has_no_error():
    loss = bowl(torch.diag(torch.tensor([3.0, -1.0, 0.5])).double())
    assert hutchinson_trace(loss, 5) == pytest.approx((2.5, 0))


def test_single_gradients_in_parts_are_those_of_the_whole(monkeypatch):
    loss, *_ = softmax_regression()
    whole = gradient_covariance_trace(loss)
    monkeypatch.setattr("lib.analysis.curvature.GRADIENT_BYTES", 5 * 15 * 8)
    assert gradient_covariance_trace(loss) == pytest.approx(whole)


def test_the_loss_along_an_axis_of_a_parabola_is_the_parabola():
    loss = bowl(torch.diag(torch.tensor([8.0, 2.0])), torch.zeros(2))
    found = loss_along(loss, torch.tensor([0.0, 1.0]), [-0.5, 0.0, 0.25])
    assert found.tolist() == pytest.approx([1 + 0.25, 1, 1 + 0.0625])


@pytest.mark.parametrize(("bend", "tolerated"), [(100.0, 0.05), (10.0, 0.15), (1.0, 0.41)])
def test_a_parabola_tolerates_what_its_bend_says(bend, tolerated):
    """½ λ ε² ≥ 0.1 from ε = √(0.2 / λ) on, the next step of the grid; or never within reach."""
    assert tolerated == 0.41 or math.isclose(tolerated, math.ceil(math.sqrt(0.2 / bend) * 100) / 100)
    loss = bowl(torch.diag(torch.tensor([0.5, bend])), torch.zeros(2))
    assert tolerated_perturbation(loss, torch.eye(2)) == pytest.approx(tolerated)


def test_the_steeper_sign_of_a_direction_counts():
    loss = bowl(torch.diag(torch.tensor([1.0, 1.0])), torch.tensor([1.0, 0.0]))  # ½ (ε − 1)²: steeper for −ε
    assert tolerated_perturbation(loss, torch.eye(2)[:1]) == pytest.approx(0.1)


def test_what_cannot_be_measured_is_refused():
    loss = bowl(torch.eye(4))
    with pytest.raises(InputError, match="1 to 3"):
        hessian_eigenvalues(loss, 4)
    with pytest.raises(InputError, match="not finite"):
        hessian_eigenvalues(bowl(torch.full((4, 4), math.nan)), 2)
    with pytest.raises(InputError, match="two or more"):
        hutchinson_trace(loss, 1)
    with pytest.raises(InputError, match="Did you mean 'point'"):
        around(loss.module, {"points": torch.ones(4, dtype=torch.bool)})
    with pytest.raises(InputError, match=r"\[4\]"):
        around(loss.module, {"point": torch.ones(3, dtype=torch.bool)})
    with pytest.raises(InputError, match="no images"):
        around(loss.module, count=0)
    with pytest.raises(InputError, match="draws=1"):
        flatness(draws=1)
    with pytest.raises(InputError, match="images=0"):
        flatness(laptop={"images": 0})
    with pytest.raises(InputError, match="Did you mean 'images'"):
        flatness(laptop={"image": 5})
    with pytest.raises(InputError, match="Did you mean 'laptop'"):
        flatness(laptops={"images": 5})


def test_counts_of_a_measurement_are_part_of_its_identity():
    def here(one):
        return one.identity("smoke")

    assert here(flatness(images=20)) != here(flatness()) == here(flatness("one algorithm"))
    assert here(flatness(smoke={"images": 20})) != here(flatness()) == here(flatness(laptop={"images": 20}))


def test_what_is_stored_of_a_network_does_not_depend_on_another_scales_numbers(
    recipe, store, shared_store, monkeypatch
):
    recipe = recipe.but(width_scale=0.1)
    results = run(
        weight_rewinding(recipe, 0, Prune(fraction=0.8)), [Replicate(seed=0)], shared_store, "cpu", progress=False
    )
    small: dict[str, Any] = {"images": 5, "eigenvalues": 2, "draws": 2, "evaluated": 5}
    rows = measured(flatness(**small), store, results)
    monkeypatch.setattr(module_of_flatness, "_flatness", lambda *_, **__: pytest.fail("measured again"))
    assert measured(flatness(**small, smoke={"images": 4}), store, results) == rows


def test_each_reported_network_is_measured_on_first_images(recipe, store, shared_store, monkeypatch):
    monkeypatch.setattr(module_of_flatness, "MOST_SPECTRA", 1)
    monkeypatch.setattr(module_of_flatness, "FIRST", 2)
    recipe = recipe.but(width_scale=0.1)
    replicates = [Replicate(seed=seed) for seed in (0, 1, 2)]
    results = run(weight_rewinding(recipe, 1, Prune(fraction=0.8)), replicates, shared_store, "cpu", progress=False)
    laptop = {"images": 20, "eigenvalues": 3, "draws": 2, "evaluated": 30}  # the scale of the tables made by hand
    rows = measured(flatness("weight rewinding", seeds=2, laptop=laptop), store, results)
    assert {(row["seed"], row["level"]) for row in rows} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    values = {(row["seed"], row["level"], row["quantity"], row["position"]): row["value"] for row in rows}
    assert len(values) == len(rows)
    places = [
        (seed, place) for seed, level, quantity, place in values if (level, quantity) == (1, f"training {EIGENVALUE}")
    ]
    assert places == [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2)]
    assert (1, 0, TOLERATED, 0) in values
    assert [key[3] for key in values if key[:3] == (1, 1, ALONG.format(10))] == CURVE

    entry, examples = results.entries[0][-1], prepare(recipe.data, replicates[:1], torch.device("cpu"))
    module, sets = build(recipe.network, width_scale=0.1).module, {"test": (examples.test_images, examples.test_labels)}
    sets["training"] = examples.train_images, examples.train_labels[0]

    def loss_on(name, count):
        images, labels = (tensor[:count] for tensor in sets[name])
        return mean_loss(module, entry.tensors("weights"), entry.masks(), Sample(images, labels, "mnist"))

    for name in sets:
        loss = loss_on(name, 20)
        total, covariance = float(hessian_eigenvalues(loss, 3).sum()), gradient_covariance_trace(loss)
        trace, error = hutchinson_trace(loss, 2)
        expected = {EIGENVALUE_SUM: total, COVARIANCE: covariance, CRITERION: covariance / total, TRACE: trace}
        for quantity, value in {**expected, TRACE_ERROR: error}.items():
            assert values[0, 1, f"{name} {quantity}", 0] == pytest.approx(value, rel=1e-3), quantity
    _, vectors = sharpest_directions(loss_on("test", 20), 2)
    for place, vector in enumerate(vectors, 1):
        found = [values[0, 1, ALONG.format(place), step] for step in (CURVE[0], CURVE[-1])]
        expected = loss_along(loss_on("test", 30), vector, [CURVE[0], CURVE[-1]])
        assert found == pytest.approx(expected.tolist(), rel=1e-3)
