"""Prune filters of a trained network on a live kernel, and see at once by how much its accuracy drops (GS).

    stability = 100 · accuracy after / accuracy before    in percent, of this one event

The network is the page's unpruned one, as the store keeps it; nothing is trained, and each choice prunes it anew. A removed
filter loses weights, bias, scale and shift, and what a shortcut would add to its map (`lib.models.filters`).
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas
import torch
from torch import Tensor, nn
from torch.func import functional_call

from lib import data
from lib.charts import bars
from lib.charts.theme import MIME, specification
from lib.errors import InputError, unknown
from lib.models.filters import Filters, find_filters
from lib.pruning.filter_scores import FILTER_SCORES, FilterTensors, find_filter_score
from lib.pruning.selection import by_target
from lib.seeds import generator
from lib.stages import Store, stage_keys
from lib.stages.filter_events import TARGETS
from lib.training import network_of, prepare
from lib.training.device import arithmetic, find_device
from lib.widgets.live import menu, without_widgets
from lib.widgets.page import OpenPage

IMAGES = 500  # test images on which accuracy is measured
TOGETHER = 250  # images in one forward pass
KEPT, REMOVED = "kept", "removed"


@dataclass(frozen=True)
class Trained:
    """A trained network, and images to measure it on.

    Attributes:
        module: with its trained weights, in evaluation mode.
        layers: its convolutions whose filters can be removed, by the name of their weights; not those of shortcuts.
        inputs, labels: test images as the network reads them, [N, channels, height, width], and int64 [N].
        seen: training images, of which "activation" takes the mean |z|, float32 like `inputs`.
    """

    module: nn.Module
    layers: dict[str, Filters]
    inputs: Tensor
    labels: Tensor
    seen: Tensor


def find_unpruned(page: OpenPage, images: int = IMAGES) -> Trained:
    """Read the unpruned network of a page's first seed from the store.

    Args:
        page: one of its chains prunes nothing.
        images: so many test images, and as many training images, at most.

    Raises:
        InputError: no chain prunes nothing, or the store does not hold its network; the message says what makes it.
    """
    plan = page.plan
    chain = next((one for one in page.chains if not any(s.filters or s.prune for s in one.stages)), None)
    if chain is None:
        raise InputError(f"the page {page.page.name} trains no network without pruning; take another page")
    replicate = plan.replicates()[0]
    entry = Store(page.store or None).find(stage_keys(chain, replicate, plan.precision)[-1])
    if entry is None:
        asked = f"{page.page.paper} {page.page.name} {page.benchmark} {page.scale}"
        own = f" --store {page.store}" if page.store else ""
        raise InputError(
            "the unpruned network is not in the store; this command trains it: python -m lib.analysis.measure "
            f'{asked} --algorithms "{chain.algorithm}" --seeds {replicate.seed}{own}'
        )
    recipe, device = chain.recipe, find_device(page.parameters.device)
    examples = prepare(recipe.data, [replicate], device)
    module = network_of(recipe, examples.classes).module.to(device).eval()
    module.load_state_dict(entry.tensors("weights"))
    constants = data.normalization(examples.normalization)
    test, seen = (data.normalize(own[:images], constants) for own in (examples.test_images, examples.train_images))
    layers = {
        name: own for name, own in find_filters(module).items()
        if ".shortcut." not in name and (own.gate or ".second." not in name)
    }  # fmt: skip
    return Trained(module, layers, test, examples.test_labels[:images], seen)


@torch.no_grad()
def filter_scores(network: Trained, layer: str, score: str) -> Tensor:
    """Return the score of each filter of a layer, float32 [F]; see `lib.pruning.filter_scores`.

    Raises:
        InputError: the layer or the score is unknown.
    """
    if layer not in network.layers:
        raise unknown("layer", layer, network.layers)
    own, find = network.layers[layer], find_filter_score(score)
    weight, scale, shift = (network.module.get_parameter(name).detach() for name in (own.weight, own.scale, own.shift))
    activation = _activation(network, own) if score == "activation" else None
    return find(FilterTensors(weight, scale, shift, activation)).float().cpu()


def _activation(network: Trained, own: Filters) -> Tensor:
    """Return the mean |z| of each filter over the training images, [F]."""
    found: list[Tensor] = []

    def record(_: nn.Module, given: Any, maps: Tensor) -> None:
        found.append(maps.abs().mean((2, 3)))

    handle = network.module.get_submodule(own.maps).register_forward_hook(record)
    try:
        for images in network.seen.split(TOGETHER):
            network.module(images)
    finally:
        handle.remove()
    return torch.cat(found).mean(0)


def choose_filters(scores: Tensor, target: str, count: int) -> Tensor:
    """Return which filters an event removes, bool [F].

    Args:
        scores: of the filters, [F].
        target: "smallest", "largest", or "random", which is the same draw every time.
        count: how many; from 1 to F.

    Raises:
        InputError: the target is unknown, or there are not so many filters.
    """
    if target not in TARGETS:
        raise unknown("target", target, TARGETS)
    if not 1 <= count <= len(scores):
        raise InputError(f"count={count} of {len(scores)} filters; allowed: 1 to {len(scores)}")
    if target == "random":
        scores = torch.rand(len(scores), generator=generator(0, "filters"))
    every = torch.ones(len(scores), dtype=torch.bool)
    return by_target(scores, every, target, count)


@torch.no_grad()
def accuracy_without(network: Trained, layer: str, removed: Tensor) -> float:
    """Return the test accuracy in percent without some filters of a layer, bool [F]; the network stays as it is."""
    own = network.layers[layer]
    tensors = dict(network.module.named_parameters()) | dict(network.module.named_buffers())
    changed = {}
    for name in own.tensors:
        tensor = tensors[name].detach()
        changed[name] = tensor.masked_fill(removed.to(tensor.device).view(-1, *[1] * (tensor.dim() - 1)), 0)
    with arithmetic(network.inputs.device, "float32"):
        right = [
            (functional_call(network.module, changed, (images,)).argmax(-1) == labels).double()
            for images, labels in zip(network.inputs.split(TOGETHER), network.labels.split(TOGETHER), strict=True)
        ]
    return 100 * float(torch.cat(right).mean())


def dip_sentence(layer: str, removed: Tensor, before: float, after: float, images: int) -> str:
    """Say what an event did to accuracy, as HTML; accuracies are in percent."""
    ratio = f"<b>stability {100 * after / before:.1f} %</b>" if before else "no stability, which divides by the first"
    return (
        f"<p>Without {int(removed.sum())} of the {len(removed)} filters of {html.escape(layer)}: accuracy <b>{before:.1f} → "
        f"{after:.1f} %</b> on {images} test images, {ratio}.</p>"
    )


def filter_dips(page: OpenPage, images: int = IMAGES) -> Any:
    """Build the widget: choose layer, score, target and number of filters; see the drop and which filters went.

    Args:
        page: as `lib.widgets.page.open_page` returns it.
        images: on how many test images accuracy is measured.

    Returns:
        A widget to display. Without ipywidgets a text that says what to do, also displayable.

    Raises:
        InputError: the store does not hold the page's unpruned network; the message says what makes it.
    """
    try:
        import ipywidgets
    except ImportError:
        return without_widgets("Pruning filters by hand")
    network, events = find_unpruned(page, images), page.plan.filters
    names = _named(network)
    last = events.layers[-1] if events else ""
    layer_menu: Any = menu(ipywidgets, "layer", {label: name for name, label in names.items()}, last)
    scores = {name: name for name in FILTER_SCORES} | ({events.score: events.score} if events else {})
    score_menu: Any = menu(ipywidgets, "score", scores, events.score if events else None)
    target_menu: Any = menu(ipywidgets, "target", {target: target for target in TARGETS}, "largest")
    size = len(network.module.get_parameter(layer_menu.value))
    count: Any = ipywidgets.IntSlider(value=max(1, size // 8), min=1, max=size, description="filters")
    sentence, figure = ipywidgets.HTML(), ipywidgets.Output()
    nobody = torch.zeros(size, dtype=torch.bool)
    before = accuracy_without(network, layer_menu.value, nobody)
    known: dict[tuple[str, str], Tensor] = {}  # the score "activation" takes a forward pass

    def draw(_: Any = None) -> None:
        layer, score = layer_menu.value, score_menu.value
        if (layer, score) not in known:
            known[layer, score] = filter_scores(network, layer, score)
        own = known[layer, score]
        if count.max != len(own):
            count.unobserve(draw, "value")
            count.max = len(own)
            count.observe(draw, "value")
        removed = choose_filters(own, target_menu.value, count.value)
        after = accuracy_without(network, layer, removed)
        sentence.value = dip_sentence(names[layer], removed, before, after, len(network.labels))
        figure.outputs = _scores_drawn(own, removed, score, names[layer])

    for control in (layer_menu, score_menu, target_menu, count):
        control.observe(draw, "value")
    draw()
    return ipywidgets.VBox([layer_menu, score_menu, target_menu, count, sentence, figure])


def _named(network: Trained) -> dict[str, str]:
    """Return what a menu calls each layer: "convolution 8 of 8", counted from the input."""
    return {name: f"convolution {i} of {len(network.layers)}" for i, name in enumerate(network.layers, 1)}


def _scores_drawn(scores: Tensor, removed: Tensor, score: str, layer: str) -> tuple[dict[str, Any]]:
    """Return the bars of the filters in order of their scores, as an output of a notebook."""
    order = scores.argsort(stable=True)
    state: Sequence[str] = [REMOVED if gone else KEPT for gone in removed[order].tolist()]
    rows = pandas.DataFrame({"rank": range(len(order)), "value": scores[order].tolist(), "filter": state})
    chart = bars(
        rows.assign(to=rows["rank"] + 1), x="rank", to="to", colour="filter", domain=[KEPT, REMOVED], height=160,
        y=f"score {score}", x_title="filters, from the smallest score to the largest", title=f"Filters of {layer}",
    )  # fmt: skip
    drawn = specification(chart)
    shown = {MIME: drawn, "text/plain": drawn.get("description", "A chart.")}
    return ({"output_type": "display_data", "data": shown, "metadata": {}},)
