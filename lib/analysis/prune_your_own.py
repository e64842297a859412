"""Prune your own: the book's curves for a network and images of the reader's own.

    table = prune_your_own(network, images, labels, scores=["magnitude", "random"], levels=5)
    lines(rows(table, "test error (%)"), x=SIZE, colour="algorithm", reference="dense, shared")

Everything runs by the book's chains: a dense network for every seed, pruned and trained again at each level by each
score. Initial weights are drawn anew for every seed (`lib.models.initialize`), also where the given network was trained
before; what other layers hold, such as an embedding, is the same for all seeds. The store keeps what is finished under a
key that has the hash of the images, of the network's structure and of the source of its classes: nothing is trained
twice, and nothing old is shown for something new.
"""

import copy
import hashlib
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lib import by_name, data
from lib.analysis.display import Markdown
from lib.analysis.experiments import Page
from lib.analysis.files import REPOSITORY
from lib.analysis.levels import TEST
from lib.analysis.measure import How, measure
from lib.analysis.part import file_name
from lib.analysis.sentences import against, course, size_at
from lib.analysis.table import Table, values
from lib.errors import InputError
from lib.models import Network, build, prunable_weights
from lib.models.layers import WEIGHTED
from lib.pruning import Batch, find_score
from lib.seeds import generator
from lib.stages import Chain, Prune
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.experiment_plan import Plan, check_each_once
from lib.training import DataRecipe, Recipe
from lib.training.stack import draws_numbers

PAPER, SCALE = "yours", "own"  # in the names of tables
SOME = 8  # images that a network is tried on
HELD_OUT = 0.1  # of the training images, for validation

Algorithm = Callable[[Recipe, int, Prune], Chain | list[Chain]]


def prune_your_own(
    network: nn.Module | Callable[..., nn.Module] | str, images: Any, labels: Any = None, *,
    scores: Sequence[Any] = ("magnitude", "random"), levels: int = 5, fraction: float = 0.5, scope: str = "global",
    seeds: Sequence[int] = (0, 1, 2), noise_percents: Sequence[float] = (0.0,), test: Any = 0.2, side: int = 32,
    unpruned: Sequence[str] = (), algorithm: Algorithm = learning_rate_rewinding, name: str = "yours", store: str = "",
    device: str = "auto", root: Path = REPOSITORY, **settings: Any,
) -> Table:  # fmt: skip
    """Train and prune a network of the reader's own; return the table that the book's charts are drawn from.

    Args:
        network: a module; a function that builds one, called with `classes` where it takes that; or a name, as
            `lib.models.build` takes it. It maps images [N, channels, height, width] to logits [N, classes].
        images, labels, test, side: see `lib.data.own_images`.
        scores: names, see `lib.pruning.scores`, or functions of your own, also of a notebook.
        levels, fraction, scope: how often to prune, the share of the remaining weights that each level removes, and
            whether all layers are compared together ("global") or each by itself ("layer").
        seeds: the replicates at each noise level.
        noise_percents: shares of the training labels that are made wrong.
        unpruned: names of layers that stay whole.
        algorithm: a function of `lib.stages.algorithms` that takes recipe, levels and prune.
        name: what tables and charts call it.
        store, device: see `lib.analysis.measure.How`.
        root: the table is kept below it, in runs/tables/yours.
        **settings: of the `Recipe`: epochs, batch_size, optimizer, learning_rate, data={"augmentation": "flip-crop"}, …

    Raises:
        InputError: the network or the images cannot be used; nothing was trained.
    """
    scores = [_name(score) for score in scores]
    plan = own_plan(
        network, images, labels, scores=scores, levels=levels, fraction=fraction, scope=scope, seeds=seeds,
        noise_percents=noise_percents, test=test, side=side, unpruned=unpruned, name=name, **settings,
    )  # fmt: skip
    page = Page(PAPER, "prune_your_own", lambda benchmark, scale: plan, lambda _: own_chains(plan, scores, algorithm))
    return measure(page, file_name(name), SCALE, How(store, device, root=root))


def own_chains(plan: Plan, scores: Sequence[Any], algorithm: Algorithm = learning_rate_rewinding) -> list[Chain]:
    """Return the chains of a plan: one for each score, or what else the algorithm makes of it."""
    made = [algorithm(plan.recipe, plan.levels, plan.prune.but(score=_name(score))) for score in scores]
    return [chain for one in made for chain in (one if isinstance(one, list) else [one])]


def _name(score: Any) -> str:
    return f"{score.__module__}:{score.__qualname__}" if callable(score) else score


def own_plan(
    network: Any, images: Any, labels: Any = None, *, scores: Sequence[Any] = ("magnitude",), levels: int = 5,
    fraction: float = 0.5, scope: str = "global", seeds: Sequence[int] = (0,), noise_percents: Sequence[float] = (0.0,),
    test: Any = 0.2, side: int = 32, unpruned: Sequence[str] = (), name: str = "yours", **settings: Any,
) -> Plan:  # fmt: skip
    """Return what `prune_your_own` runs, all checked; arguments and errors are its own."""
    if not scores or not seeds or not noise_percents:
        raise InputError("scores, seeds and noise_percents need at least one value each.")
    check_each_once("seeds", seeds)
    check_each_once("noise_percents", noise_percents)
    found = data.own_images(images, labels, test, side)
    count = len(found.train_images)
    recipe = Recipe(
        benchmark=name,
        data=DataRecipe(
            image_set=found.name,
            validation=max(1, round(HELD_OUT * count)),
            normalization=data.spelled(data.constants_of(found.train_images)),
        ),
        network=own_network(network, found, unpruned, [_name(score) for score in scores]),
        normalization_scale="one",
        epochs=10,
        batch_size=64,
        optimizer="adam",
        learning_rate=1e-3,
        rewind_epoch=min(1, settings.get("epochs", 10) - 1),
    ).but(**settings)
    trained = recipe.data.train or count - recipe.data.validation
    if trained % recipe.batch_size == 1:  # batch normalization cannot take a last batch of one image
        recipe = recipe.but(data={"train": trained - 1})
    prune = Prune(fraction=fraction, scope=scope)  # pyright: ignore[reportArgumentType]
    noise = tuple(float(percent) for percent in noise_percents)
    # One replicate after the other: what the book's own networks do side by side, vmap cannot do with every module.
    stackable = getattr(build(recipe.network, len(found.class_names)).module, "stackable", False)
    return Plan(
        recipe=recipe, prune=prune, levels=levels, seeds=tuple(seeds), noise_percents=noise,
        largest_stack=None if stackable else 1,
    )  # fmt: skip


def own_network(
    network: Any, images: data.ImageSet, unpruned: Sequence[str] = (), scores: Sequence[str] = ()
) -> str:  # fmt: skip
    """Check a network with some of the images; return the name under which this process builds it anew.

    Args:
        network: as `prune_your_own` takes it.
        images: that it will be trained on.
        unpruned: names of layers that stay whole.
        scores: that must be able to score it.

    Raises:
        InputError: says what in it the book cannot train or prune, and what to do.
    """
    classes = len(images.class_names)
    constants = data.constants_of(images.train_images)
    batch, labels = data.normalize(images.train_images[:SOME], constants), images.train_labels[:SOME].long()
    with torch.random.fork_rng(devices=[]):
        module: Any = _module(network, classes)
        if unpruned:
            module.unpruned = tuple(unpruned)
        _try_out(module, batch, classes)
        random = _check_training(copy.deepcopy(module), batch, labels)
        found = Network(copy.deepcopy(module), _prunable(module))
        for score in scores:
            _try_score(find_score(score), score, found, batch, labels)
    if random and not draws_numbers(module):
        module.draws_numbers = True
    return by_name.keep("network", lambda classes: copy.deepcopy(module), _content(module))


def what_we_see(table: Table) -> Markdown:
    """Say in a few sentences how the test error runs for each algorithm, and where two of them lie furthest apart."""
    noises = sorted(table.frame["noise_percent"].unique())
    said = [f"**What we see** ({len(table.seeds)} seed{'s' * (len(table.seeds) != 1)})."]
    for noise in noises:
        names = table.where(noise_percent=noise).frame["algorithm"].unique().tolist()
        said += [f"With {noise:g} % of the labels wrong:"] if noise or len(noises) > 1 else []
        for name in names:
            said += [f"By *{name}* the test error is {course(table, TEST, name, noise_percent=noise)}."]
        if len(names) > 1:
            found: list[Any] = [values(table, TEST, algorithm=name, noise_percent=noise) for name in names[:2]]
            first, second = found
            level = int((second - first).mean().abs().idxmax())
            size = size_at(table, level, names[0], noise_percent=noise)
            said += [
                f"The first two lie furthest apart at {size} of the weights: {against(first[level], second[level])}."
            ]
    return Markdown(" ".join(said))


def parameters_of(network: Any, classes: int = 10, unpruned: Sequence[str] = ()) -> pandas.DataFrame:
    """List the parameters of a network: layer, kind, shape, how many they are, and whether they are pruned or why not."""
    module = _module(network, classes)
    chosen = unpruned or getattr(module, "unpruned", ())
    prunable, found = prunable_weights(module, tuple(chosen)), []
    layers = dict(module.named_modules())
    for name, tensor in module.named_parameters():
        layer, _, own = name.rpartition(".")
        if name in prunable:
            why = "pruned"
        elif not isinstance(layers[layer], WEIGHTED):
            why = "whole: no convolution or linear layer"
        else:
            why = "whole: a bias" if own == "bias" else "whole: named in unpruned"
        kind, shape = type(layers[layer]).__name__, " × ".join(map(str, tensor.shape))
        found.append({"parameter": name, "layer": kind, "shape": shape, "values": tensor.numel(), "pruning": why})
    return pandas.DataFrame(found)


def _module(network: Any, classes: int) -> nn.Module:
    """Return a module of its own on the CPU: a copy of the given one, or a newly built one."""
    if isinstance(network, nn.Module):
        return _copied(network)
    if isinstance(network, str):
        return build(network, classes).module
    if not callable(network):
        raise InputError(f"network is a {type(network).__name__}; allowed: an nn.Module or a function that builds one.")
    try:
        takes = "classes" in inspect.signature(network).parameters
    except ValueError:  # built in
        takes = False
    built = []
    for _ in range(2):
        torch.manual_seed(0)
        built.append(network(classes=classes) if takes else network())
        if not isinstance(built[-1], nn.Module):
            raise InputError(f"the function that builds the network returns {type(built[-1]).__name__}, no nn.Module.")
    first, second = (_shapes(module) for module in built)
    if first != second or repr(built[0]) != repr(built[1]):
        differing = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
        where = f" (parameter {differing[0]!r} differs)" if differing else ""
        raise InputError(f"the function builds another network each time{where}; replicates must be alike.")
    return _copied(built[0])


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    found = module.named_parameters()
    return {name: () if isinstance(p, nn.UninitializedParameter) else tuple(p.shape) for name, p in found}


def _copied(module: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(module).cpu()
    except (RuntimeError, TypeError) as problem:
        do = "give a function that builds it instead"
        raise InputError(f"the network cannot be copied ({_first_line(problem)}); {do}.") from problem


def _try_out(module: nn.Module, batch: Tensor, classes: int) -> None:
    """Raise InputError unless the module gives logits of all classes in evaluation, the same each time."""
    module.eval()
    outputs = []
    for seed in range(2):
        torch.manual_seed(seed)
        try:
            with torch.no_grad():
                outputs.append(module(batch))
        except Exception as problem:  # whatever a reader's code raises
            shape = " × ".join(map(str, batch.shape[1:]))
            raise InputError(f"the network cannot take images of {shape}: {_first_line(problem)}.") from problem
    first, second = outputs
    if not isinstance(first, Tensor) or first.shape != (len(batch), classes):
        given = list(first.shape) if isinstance(first, Tensor) else type(first).__name__
        wanted = f"[{len(batch)}, {classes}], a logit for each of the {classes} classes"
        raise InputError(f"for {len(batch)} images the network returns {given}; it must return {wanted}.")
    if not torch.equal(first, second):
        why = (
            "in evaluation the network gives other outputs each time; is dropout called without training=self.training?"
        )
        raise InputError(why)
    if bool((first >= 0).all()) and torch.allclose(first.sum(1), torch.ones(len(first)), atol=1e-4):
        raise InputError("the network ends in a softmax; remove it, since the loss applies one itself.")


def _check_training(module: nn.Module, batch: Tensor, labels: Tensor) -> bool:
    """Raise InputError unless all of a module can be trained; return whether it draws random numbers in training."""
    for name, tensor in module.named_parameters():
        if tensor.dtype != torch.float32:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise InputError(f"parameter {name!r} is {kind}; the book trains in float32: network.float().")
        if not tensor.requires_grad:
            raise InputError(f"parameter {name!r} is frozen, but the book trains all; remove it or set requires_grad.")
    start, losses = copy.deepcopy(module.state_dict()), []
    for seed in range(2):
        torch.manual_seed(seed)
        module.load_state_dict(start)
        try:
            losses.append(cross_entropy(module.train()(batch), labels))
        except Exception as problem:
            raise InputError(f"the network fails in training mode: {_first_line(problem)}.") from problem
    names = [name for name, _ in module.named_parameters()]
    gradients = torch.autograd.grad(losses[-1], [*module.parameters()], allow_unused=True)
    if unused := [name for name, found in zip(names, gradients, strict=True) if found is None]:
        raise InputError(f"parameter {unused[0]!r} takes no part in the network's output; remove its layer.")
    return not torch.equal(*losses)


def _prunable(module: nn.Module) -> tuple[str, ...]:
    """Return the names of the weights that may be pruned; raise InputError where they are not parameters of their own."""
    prunable = prunable_weights(module, getattr(module, "unpruned", ()))
    own = dict(module.named_parameters())
    for name in prunable:
        if name not in own:
            why = "is shared with another layer or computed from other parameters, as by weight_norm"
            raise InputError(
                f"the weight {name!r} {why}; the book prunes only weights of their own. Name it in unpruned."
            )
    return prunable


def _try_score(score: Callable, name: str, network: Network, batch: Tensor, labels: Tensor) -> None:
    try:
        score(network.module, network.prunable, Batch(batch, labels, generator(0, "score")))
    except Exception as problem:
        raise InputError(f"the score {name!r} cannot score this network: {_first_line(problem)}.") from problem


def _content(module: nn.Module) -> str:
    """Return what a network computes, as text: structure, classes with their source and settings, and what is not drawn."""
    parts, sources = [repr(module), repr(getattr(module, "unpruned", ()))], {}
    for place, layer in module.named_modules():
        kind = type(layer)
        if kind.__module__.partition(".")[0] != "torch":
            sources[kind] = by_name.source(kind, kind.__module__)
            settings = {n: _text(v) for n, v in vars(layer).items() if not n.startswith("_") and n != "training"}
            parts.append(f"{place} {kind.__qualname__} {settings}")
        if not isinstance(layer, WEIGHTED | nn.modules.batchnorm._BatchNorm):
            for name, values in (*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)):
                digest = hashlib.sha256(values.detach().contiguous().numpy().data).hexdigest()
                parts.append(f"{place} {name} {list(values.shape)} {digest}")
    return "\n".join([*parts, *sources.values()])


def _text(value: Any) -> str:
    """Return a setting of a layer as text that is the same in each process."""
    if inspect.isfunction(value):
        return by_name.source(value, value.__module__) if value.__module__ == "__main__" else value.__qualname__
    text = repr(value)
    return type(value).__qualname__ if " at 0x" in text else text


def _first_line(problem: Exception) -> str:
    lines = str(problem).strip().splitlines() or [type(problem).__name__]
    return lines[0].rstrip(".:")
