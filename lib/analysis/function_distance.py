"""Function distance: does a pruned network still compute what its parent does (LIP section 4; facts C.8)?

    matching predictions(ε) = share of images and draws with argmax f(x + ε u) = argmax f̂(x + ε u), in percent
    softmax distance(ε)     = mean of ‖softmax f(x + ε u) − softmax f̂(x + ε u)‖₂, between 0 and √2

f is the parent, f̂ what was pruned from it, u ~ U(−1, 1) the noise of `lib.analysis.distributions` on normalized images. For
comparison f̂ is also a separate network: the parent of the next seed, which never saw this one. Every seed has its own
parent, so that the spread over seeds is that over parents; the paper measures one parent (facts L18).
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lib.analysis.distributions import EPSILONS, uniform_noise
from lib.analysis.experiments import ALL, Context, Measurement
from lib.analysis.landscape import series_rows
from lib.analysis.sizes import Numbers, by_scale
from lib.analysis.subject import (
    Found,
    Subject,
    answers,
    chunks,
    find_subject,
    load_stack,
    measured_together,
    networks_by_recipe,
)
from lib.analysis.table import NETWORK
from lib.stages import Entry
from lib.training import arithmetic

SEPARATE = "separate network"
"""Its rows have the seed of the parent that it is compared with."""

MATCHING, SOFTMAX_DISTANCE = "matching predictions (%)", "softmax distance"
"""Between a network and its parent; the position is ε."""


def function_distance(
    images: int = 1000, draws: int = 100, epsilons: Sequence[float] = EPSILONS, **scales: Mapping[str, Any]
) -> Measurement:
    """Return the measurement of every pruned network, and of a separate one for every parent.

    Args:
        images: first test images; all where there are fewer.
        draws: of the noise.
        epsilons: levels of noise, 0 for none.
        scales: scale → what it has other numbers of, such as laptop={"images": 500, "draws": 2}.

    Raises:
        InputError: a number that is not allowed, or an unknown scale or name of a number.
    """
    numbers = {"images": images, "draws": draws, "epsilons": tuple(epsilons)}
    sizes = by_scale("function distance", numbers, scales)
    return Measurement("function distance", _rows, 1, sizes=sizes, needs=ALL)


def _rows(context: Context) -> Iterator[dict]:
    for recipe, found in networks_by_recipe(context).items():
        subject = find_subject(recipe, context)
        measure = functools.partial(_measure, subject, numbers=context.numbers)
        each = [([parent], others) for parent, others in families(found)]
        for columns, own in measured_together(context, each, measure):
            yield from series_rows(columns, own)


def families(found: Sequence[Found]) -> list[tuple[Entry, list[Found]]]:
    """Return each parent with the networks that are compared with it: all that were pruned from it, and a separate one.

    The separate network, if there are two parents, is the parent of the next seed; after the last comes the first.
    """
    parents = {_line(columns): (columns, entry) for columns, entry in found if not columns["level"]}
    families: dict[str, tuple[dict, Entry, list[Found]]] = {}
    for columns, entry in parents.values():
        families.setdefault(entry.key, (columns, entry, []))
    for columns, entry in found:
        if columns["level"] and (line := _line(columns)) in parents:
            families[parents[line][1].key][2].append((columns, entry))
    whole = list(families.values())
    for columns, _, others in whole:
        alike = [one for one in whole if _case(one[0]) == _case(columns)]
        seeds = sorted(one[0]["seed"] for one in alike)
        following = seeds[(seeds.index(columns["seed"]) + 1) % len(seeds)]
        if following != columns["seed"]:
            separate = next(entry for own, entry, _ in alike if own["seed"] == following)
            others.append((columns | {"algorithm": SEPARATE, "stage_key": separate.key}, separate))
    return [(entry, others) for _, entry, others in whole]


def _case(columns: Mapping[str, Any]) -> tuple:
    """Return what a paper varies besides algorithm, seed and level."""
    return tuple(value for name, value in columns.items() if name not in (*NETWORK, "stage_key"))


def _line(columns: Mapping[str, Any]) -> tuple:
    return *_case(columns), columns["algorithm"], columns["seed"]


def _measure(
    subject: Subject, parent: Sequence[Entry], entries: Sequence[Entry], numbers: Numbers
) -> list[dict[str, list[tuple[float, float]]]]:
    """Return both distances of each network from the parent, quantity → pairs of ε and number."""
    epsilons, draws = numbers["epsilons"], numbers["draws"]
    chosen = subject.clean(subject.first(numbers["images"]))
    stack = load_stack(subject, [*parent, *entries])
    sums = torch.zeros(2, len(epsilons), len(entries), dtype=torch.float64)
    with arithmetic(next(subject.module.parameters()).device, "float32"):
        for start, inputs, _ in chunks(subject, *chosen):
            for draw in range(draws):
                noise = uniform_noise(inputs, draw, start)
                for place, epsilon in enumerate(epsilons):
                    if epsilon or not draw:  # without noise all draws are alike
                        found = distances(answers(subject.module, stack, inputs + epsilon * noise))
                        sums[:, place] += found.sum(2).double().cpu() * (1 if epsilon else draws)
    matching, distance = (sums / (draws * len(chosen[0]))).mT
    return [
        {MATCHING: _pairs(epsilons, 100 * own), SOFTMAX_DISTANCE: _pairs(epsilons, far)}
        for own, far in zip(matching, distance, strict=True)
    ]


def distances(logits: Tensor) -> Tensor:
    """Return how networks differ from the first one on each image: whether they agree, and the softmax distance.

    Args:
        logits: [S, B, classes], the parent's first; of pixels [S, B, classes, H, W], over which both are averaged.

    Returns:
        Float32 [2, S − 1, B].
    """
    parent, others = logits[:1], logits[1:]
    agree = (others.argmax(2) == parent.argmax(2)).float()
    found = torch.stack([agree, (others.softmax(2) - parent.softmax(2)).norm(dim=2)])
    return found.flatten(3).mean(3) if found.dim() > 3 else found


def _pairs(epsilons: Sequence[float], values: Tensor) -> list[tuple[float, float]]:
    return [(float(epsilon), round(value, 4)) for epsilon, value in zip(epsilons, values.tolist(), strict=True)]
