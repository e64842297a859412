"""Explorers of a page's networks on a live kernel, each made for what its page asks.

    explore_noise      one algorithm at a time: its curve, and the examples that a network fits worst
    explore_two        two algorithms side by side, and by how much they differ at one level
    explore_path       the straight line from a sparse to a re-dense network, and the images that flip on it
    explore_examples   all training examples by what pruning does to their loss

`explore` takes the one that fits what a page measures. Only a live notebook can ask for examples, since their losses lie in
the store and not in the page; the published page has charts with menus that need no kernel, and drops this widget. Data are
read when a choice asks for them first, and nothing is trained.
"""

import functools
import html
from collections.abc import Callable
from typing import Any, cast

import pandas
import torch
from torch import Tensor

from lib import data
from lib.analysis.display import plus_minus
from lib.analysis.example_images import class_names, find_stage, first_replicate
from lib.analysis.loss_path import TRAIN_LOSS, interpolate
from lib.analysis.statistics import difference
from lib.analysis.table import SIZE, comparing_first, rows
from lib.charts import lines
from lib.charts.data import checked, heading, named
from lib.charts.notes import counted
from lib.errors import InputError
from lib.stages import stage_keys
from lib.training import Examples, forward, network_of, prepare
from lib.widgets.live import chart_told, menu, picture_grid, without_widgets
from lib.widgets.page import OpenPage, find_worst_fitted

SHARES = 51  # points of a path
IMAGES = 500  # test images that are watched on it
ALONG, ORDERS = "α", ("most worsened", "most improved", "highest loss")
WIDEST = 18  # pictures of a grid


def explore(page: OpenPage, **settings: Any) -> Any:
    """Build the explorer that fits what a page measures; see the module. The settings are those of the explorer."""
    measured = {measurement.name for measurement in page.page.measurements}
    algorithms = {chain.algorithm for chain in page.chains}
    if "loss path" in measured:
        return explore_path(page, **settings)
    if "example stories" in measured:
        return explore_examples(page, **settings)
    of_scores = "loss change" in measured  # the algorithms of such a page differ in the score alone
    return (explore_two if len(algorithms) > 1 and not of_scores else explore_noise)(page, **settings)


def explore_noise(page: OpenPage, quantity: str = "test error (%)", count: int = 18) -> Any:
    """Build an explorer of one algorithm: a curve with a level ringed, its numbers, and what this network fits worst.

    Args:
        page: as `lib.widgets.page.open_page` returns it.
        quantity: what is drawn; InputError if no table has it.
        count: how many examples are shown.

    Returns:
        A widget to display. Without ipywidgets a text that says what to do, also displayable.
    """
    found = _rows(page, quantity)
    try:
        import ipywidgets
    except ImportError:
        return without_widgets("The explorer")
    controls, dimensions = _controls(ipywidgets, page, found, ["algorithm"])
    title = f"{quantity}, level by level"
    chart = lines(found, x=SIZE, menus=["algorithm", *dimensions], slider="level", rings=["level"], reference="dense",
                  title=title)  # fmt: skip
    curve, sentence, pictures = chart_told(chart), ipywidgets.HTML(), ipywidgets.HTML()
    figure = ipywidgets.Output()
    worst = functools.cache(functools.partial(_worst, page))

    def draw(level: int, **case: Any) -> None:
        sentence.value = point(found, level, **case)
        figure.outputs = curve(level=level, **{column: named(column, value) for column, value in case.items()})
        asked = (case.get("noise_percent", 0.0), level, case["algorithm"])
        pictures.value = worst(*asked, count)

    return _together(ipywidgets, controls, draw, sentence, figure, pictures)


def explore_two(page: OpenPage, quantity: str = "test error (%)") -> Any:
    """Build an explorer of two algorithms side by side: both curves with a level ringed, and their paired difference there.

    Args and returns as in `explore_noise`.
    """
    found = _rows(page, quantity)
    try:
        import ipywidgets
    except ImportError:
        return without_widgets("The explorer")
    controls, dimensions = _controls(ipywidgets, page, found, [])
    names = list(found["algorithm"].unique())
    for label, name in (("first", names[0]), ("second", names[min(1, len(names) - 1)])):
        controls[label] = menu(ipywidgets, label, {one: one for one in names}, name)
    title = f"{quantity} of two algorithms"
    chart = lines(found, x=SIZE, colour="algorithm", domain=names, menus=dimensions, slider="level", rings=["level"],
                  reference="dense, shared", title=title)  # fmt: skip
    curves, sentence, figure = chart_told(chart), ipywidgets.HTML(), ipywidgets.Output()

    def draw(level: int, first: str, second: str, **case: Any) -> None:
        sentence.value = compared(found, level, first, second, **case)
        chosen = {column: named(column, value) for column, value in case.items()}
        figure.outputs = curves(only=("algorithm", (first, second)), level=level, **chosen)

    return _together(ipywidgets, controls, draw, sentence, figure)


def explore_path(page: OpenPage) -> Any:
    """Build an explorer of paths: slide α from a sparse to a re-dense network, see the loss there, and which images flip.

    The images are test images of the first replicate; InputError where the page has no such path. Returns as in
    `explore_noise`.
    """
    redense = next((chain.algorithm for chain in page.chains if chain.stages[-1].lift_masks), "")
    found = _rows(page, TRAIN_LOSS, algorithm=redense).rename(columns={"position": ALONG})
    try:
        import ipywidgets
    except ImportError:
        return without_widgets("The explorer")
    found["network"] = [f"{size:.3g} % of the weights remained" for size in found[SIZE]]
    controls, dimensions = _controls(ipywidgets, page, found, [], at=None)
    levels = {name: own["level"].iloc[0] for name, own in found.groupby("network", sort=False)}
    controls["network"] = menu(ipywidgets, "network", {name: name for name in levels})
    shares = torch.linspace(0, 1, SHARES, dtype=torch.float64)
    controls["alpha"] = ipywidgets.FloatSlider(value=0.0, min=0.0, max=1.0, step=1 / (SHARES - 1), description=ALONG)
    chart = lines(found, x=ALONG, menus=[*dimensions, "network"], slider=ALONG, rings=[ALONG], y_scale="linear",
                  title="Training loss from the sparse (0) to the re-dense network (1)")  # fmt: skip
    curve, sentence, pictures = chart_told(chart), ipywidgets.HTML(), ipywidgets.HTML()
    figure = ipywidgets.Output()

    def draw(alpha: float, network: str, **case: Any) -> None:
        place = {column: named(column, value) for column, value in case.items()}
        figure.outputs = curve(**{ALONG: round(alpha, 2), "network": network}, **place)
        try:
            images, labels, names, found = flips(page, redense, levels[network], case.get("noise_percent", 0.0))
        except InputError as missing:
            sentence.value, pictures.value = f"<p>{html.escape(str(missing))}</p>", ""
            return
        here, before = found[int(shares.sub(alpha).abs().argmin())], found[0]
        wrong, was = here != labels, before != labels
        mended, broken = int((was & ~wrong).sum()), int((wrong & ~was).sum())
        flipped = (here != before).nonzero()[:, 0]
        sentence.value = (
            f"<p>{page.scale} scale, first replicate: <b>{int(wrong.sum())}</b> of {len(labels)} test images are wrong at "
            f"α = {alpha:.2f}, {int(was.sum())} in the sparse network; on the way {mended} became right, {broken} wrong.</p>"
        )
        some = flipped[:WIDEST].tolist()
        texts = [f"{names[labels[i]]}: {names[before[i]]} → {names[here[i]]}" for i in some]
        pictures.value = picture_grid([images[i].numpy() for i in some], texts, [bool(wrong[i]) for i in some])

    return _together(ipywidgets, controls, draw, sentence, figure, pictures)


def explore_examples(page: OpenPage) -> Any:
    """Build a browser of training examples: by how pruning to a level changes their loss, in the first replicate.

    Returns as in `explore_noise`.
    """
    try:
        import ipywidgets
    except ImportError:
        return without_widgets("The explorer")
    plan, chain = page.plan, page.chains[0]
    noises = {named("noise_percent", noise): noise for noise in plan.noise_percents}
    levels = [stage.level for stage in chain.stages if stage.level]
    controls = {
        "noise_percent": menu(ipywidgets, "label noise", noises, max(plan.noise_percents)),
        "order": menu(ipywidgets, "order", {name: name for name in ORDERS}),
        "level": ipywidgets.SelectionSlider(options=levels, description="level"),
        "start": ipywidgets.IntSlider(value=0, min=0, max=20 * WIDEST, step=WIDEST, description="from rank"),
    }
    sentence, pictures = ipywidgets.HTML(), ipywidgets.HTML()

    def draw(noise_percent: float, order: str, level: int, start: int) -> None:
        try:
            shown = ranked_by_change(page, noise_percent, level, order)
        except InputError as missing:
            sentence.value, pictures.value = f"<p>{html.escape(str(missing))}</p>", ""
            return
        examples, names, before, after, ranks = shown
        some = ranks[start : start + WIDEST].tolist()
        labels, original = examples.train_labels[0], examples.original_labels
        noisy = [bool(labels[i] != original[i]) for i in some]
        texts = [
            f"{names[labels[i]]}{f' (was {names[original[i]]})' if other else ''}\n{before[i]:.3g} → {after[i]:.3g}"
            for i, other in zip(some, noisy, strict=True)
        ]
        wrong = f" {sum(noisy)} of these {len(some)} have a wrong label." if noise_percent else ""
        sentence.value = (
            f"<p>Ranks {start + 1} to {start + len(some)} of {len(ranks)} by <b>{order}</b> at level {level}; below "
            f"each image the label and the loss in nats, dense → level {level}.{wrong}</p>"
        )
        pictures.value = picture_grid([examples.train_images[i].numpy() for i in some], texts, noisy)

    return _together(ipywidgets, controls, draw, sentence, pictures)


# what explorers show


def point(found: pandas.DataFrame, level: int, **case: Any) -> str:
    """Return the number of one point in a sentence, as HTML; in its place, that it was not measured.

    Args:
        found: rows of one quantity.
        level: of the point.
        **case: column → value.
    """
    own = _chosen(found, **case)
    here = own[(own["level"] == level) & own["value"].notna()]
    said = ", ".join(f"{heading(column)} {named(column, value)}" for column, value in case.items())
    if here.empty:
        return f"<p>Level {level} was not measured with {said}.</p>"
    mean = plus_minus(here["value"].mean(), here["value"].std())
    return (
        f"<p><b>{mean}</b> {here['quantity'].iloc[0]}, {here[SIZE].mean():.3g} % of the weights "
        f"remain; {counted(len(here), len(here))}.</p>"
    )


def compared(found: pandas.DataFrame, level: int, first: str, second: str, **case: Any) -> str:
    """Return what two algorithms differ by at one level, paired by seed, in a sentence as HTML."""
    own = _chosen(found, **case, level=level)
    sides = [own[own["algorithm"] == name].set_index("seed")["value"] for name in (first, second)]
    here = [name for name, one in zip((first, second), sides, strict=True) if one.dropna().empty]
    if here:
        return f"<p>Level {level} was not measured of {' and '.join(dict.fromkeys(here))}.</p>"
    if first == second:
        return f"<p>{point(found, level, algorithm=first, **case)} Choose another algorithm beside it.</p>"
    gap, quantity = difference(*sides), str(own["quantity"].iloc[0])
    apart = plus_minus(gap.mean, gap.std, signed=True)
    sizes = [f"{own.loc[own['algorithm'] == name, SIZE].mean():.3g} %" for name in (first, second)]
    return (
        f"<p><b>{sides[0].mean():.2f}</b> with {first} ({sizes[0]} of the weights), <b>{sides[1].mean():.2f}</b> with "
        f"{second} ({sizes[1]}): {quantity}. First minus second: <b>{apart}</b>, paired over "
        f"{counted(gap.n, gap.n)}.</p>"
    )


def flips(page: OpenPage, redense: str, level: int, noise_percent: float) -> tuple[Tensor, Tensor, list[str], Tensor]:
    """Return test images [n, height, width, channels], labels [n], names of classes, and predictions on the path [S, n].

    Raises:
        InputError: the store does not hold the two networks.
    """
    plan: Any = page.plan
    chains = [chain for chain in page.chains if chain.algorithm == redense]
    chain: Any = next((one for one in chains if one.stages[-1].level == level), None)
    if chain is None:
        raise InputError(f"{redense} has no level {level} in this plan; choose another network.")
    return _flips(plan, chain, noise_percent, page.store, _keys(plan, chain, noise_percent))


def _keys(plan: Any, chain: Any, noise_percent: float) -> tuple[str, ...]:
    """Return the keys of a chain's stages, which change with the source of a reader's own score, as its name does not."""
    return tuple(stage_keys(chain, first_replicate(plan, noise_percent), plan.precision))


@functools.lru_cache(maxsize=16)
@torch.no_grad()
def _flips(
    plan: Any, chain: Any, noise_percent: float, store: str, keys: tuple[str, ...]
) -> tuple[Tensor, Tensor, list[str], Tensor]:  # fmt: skip
    """Return what `flips` does; the keys say of which networks it is kept."""
    replicate = first_replicate(plan, noise_percent)
    first, last = (find_stage(store, plan, chain, place, replicate).tensors("weights") for place in (-2, -1))
    examples, names = _examples(plan, noise_percent)
    recipe = chain.recipe
    images, labels = examples.test_images[:IMAGES], examples.test_labels[:IMAGES].cpu()
    module = network_of(recipe, examples.classes).module.eval()
    inputs = data.normalize(images, data.normalization(recipe.data.normalization))
    found = [
        forward(module, interpolate(first, last, share[None]), inputs)[0].argmax(-1)
        for share in torch.linspace(0, 1, SHARES, dtype=torch.float64).float()
    ]
    return images, labels, names, torch.stack(found)


def ranked_by_change(
    page: OpenPage, noise_percent: float, level: int, order: str
) -> tuple[Examples, list[str], Tensor, Tensor, Tensor]:  # fmt: skip
    """Return examples, names of classes, losses [N] of the dense network and at a level, and the ranking of the examples.

    Raises:
        InputError: the store does not hold one of the two networks.
    """
    plan, chain = cast(Any, (page.plan, page.chains[0]))  # frozen, which a type checker does not know
    return _ranked(plan, chain, noise_percent, level, order, page.store, _keys(plan, chain, noise_percent))


@functools.lru_cache(maxsize=64)
def _ranked(
    plan: Any, chain: Any, noise_percent: float, level: int, order: str, store: str, keys: tuple[str, ...]
) -> Any:  # fmt: skip
    """Return what `ranked_by_change` does; the keys say of which networks it is kept."""
    places = {stage.level: i for i, stage in enumerate(chain.stages)}
    before, after = (_losses(plan, chain, places[one], noise_percent, store, keys[places[one]]) for one in (0, level))
    by = {ORDERS[0]: after - before, ORDERS[1]: before - after, ORDERS[2]: after}[order]
    return *_examples(plan, noise_percent), before, after, by.argsort(descending=True, stable=True)


@functools.lru_cache(maxsize=64)
def _losses(plan: Any, chain: Any, place: int, noise_percent: float, store: str, key: str) -> Tensor:
    """Return the losses of a stage; its key says of which networks they are kept."""
    entry = find_stage(store, plan, chain, place, first_replicate(plan, noise_percent))
    return entry.tensors("examples")["train_losses"].float()


@functools.lru_cache(maxsize=4)
def _examples(plan: Any, noise_percent: float) -> tuple[Examples, list[str]]:
    recipe = plan.recipe.data
    examples = prepare(recipe, [first_replicate(plan, noise_percent)], torch.device("cpu"))
    return examples, class_names(recipe.image_set)


# how explorers are put together


def _rows(page: OpenPage, quantity: str, **where: Any) -> Any:
    tables = comparing_first(page.tables, [chain.algorithm for chain in page.chains])
    return checked(rows(tables, quantity, **where), [])


def _chosen(found: Any, **case: Any) -> Any:
    for column, value in case.items():
        found = found[found[column] == value]
    return found


def _controls(
    widgets: Any, page: OpenPage, found: Any, columns: list[str], at: str | None = "level"
) -> tuple[dict[str, Any], list[str]]:  # fmt: skip
    """Return a menu for the tables, for some columns and for each dimension, a slider of levels, and the dimensions."""
    dimensions = list(dict.fromkeys(name for table in page.tables for name in table.dimensions))
    controls: dict[str, Any] = {}
    for column in ("table", *columns, *dimensions):
        every = list(found[column].unique())
        if column in dimensions:
            every.sort()
        own = list(found.loc[found["table"] == found["table"].iloc[0], column].unique())
        first = max(own) if column == "noise_percent" else page.chains[0].algorithm if column == "algorithm" else own[0]
        controls[column] = menu(widgets, heading(column), {named(column, one): one for one in every}, first)
    if at:
        levels = [int(level) for level in sorted(found[at].unique())]
        controls[at] = widgets.SelectionSlider(options=levels, description=at)
    return controls, dimensions


def _together(widgets: Any, controls: dict[str, Any], draw: Callable[..., None], *below: Any) -> Any:
    """Return controls above what they choose; those with one option are left out. It is drawn at once and at each change."""

    def changed(_: Any = None) -> None:
        draw(**{name: control.value for name, control in controls.items()})

    for control in controls.values():
        control.observe(changed, "value")
    changed()
    shown = [control for control in controls.values() if len(getattr(control, "options", (1, 2))) > 1]
    return widgets.VBox([*shown, *below])


def _worst(page: OpenPage, noise_percent: float, level: int, algorithm: str, count: int) -> str:
    """Return the examples that a network fits worst as HTML, or what is missing for them."""
    try:
        shown, _, _ = find_worst_fitted(page, noise_percent, level, algorithm, count)
    except InputError as missing:
        return f"<p>{html.escape(str(missing))}</p>"
    texts = [f"{text}\n{loss:.3g} nats" for text, loss in zip(shown.captions, shown.numbers, strict=True)]
    grid = picture_grid(list(shown.images.numpy()), texts, shown.noisy)
    return (
        f"<p>What this network fits worst: the label trained on, and the original one where it was replaced.</p>{grid}"
    )
