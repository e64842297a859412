"""How far training has moved a network (LN section 5, Figure 7; facts N10).

    d  = ‖θ − θ₀‖₂        over all weights and biases of convolutions and linear layers; it has no unit
    d′ = ‖θ − m ⊙ θ₀‖₂    with m the mask of the sparse network, 1 where nothing is pruned

θ₀ is the initialization, not the rewinding point. A pruned weight is zero in the network and counts as such in d: it lies at
|θ₀|, so that a network moves away from its initialization by being pruned, before it is trained. In d′ it starts from zero,
where pruning puts it and re-dense training takes it up again; for a sparse network d′ is the distance over its kept weights
alone. The mask of a re-dense network is that of the sparse one that it was.
"""

import functools
import itertools
import math
from collections.abc import Collection, Iterator, Mapping

import pandas
from torch import Tensor

from lib import data
from lib.analysis.experiments import Context, Measurement, reported
from lib.stages import Entry
from lib.stages.starting_point import initialize_replicate
from lib.training import Recipe, Replicate, network_of
from lib.training.masked_weights import product_parameters

QUANTITIES = DISTANCE, MASKED_DISTANCE = "distance from initialization", "distance from masked initialization"


def _rows(context: Context) -> Iterator[dict]:
    """Yield both distances of every network; chains begin with fresh weights."""
    for results in context.results:
        for columns, replicate, position, entry in reported(results):
            sparse = entry
            if results.chain.stages[position].lift_masks:
                sparse = results.entries[results.replicates.index(replicate)][position - 1]
            measure = functools.partial(_both, results.chain.recipe, replicate, entry, sparse)
            for quantity, value in zip(QUANTITIES, context.measured([entry, sparse], measure), strict=True):
                yield columns | {"quantity": quantity, "value": value}


def _both(recipe: Recipe, replicate: Replicate, entry: Entry, sparse: Entry) -> list[float]:
    """Return d and d′ of a network, rounded to six digits."""
    classes = len(data.class_names(recipe.data.image_set))
    module = network_of(recipe, classes).module
    initialize_replicate(module, recipe, replicate)
    state, initial, counted = entry.tensors("weights"), module.state_dict(), product_parameters(module)
    both = (distance(state, initial, counted, masks) for masks in (None, sparse.masks()))
    return [float(f"{one:.6g}") for one in both]


DISTANCES = Measurement("distance", _rows)


def distance(
    state: Mapping[str, Tensor], initial: Mapping[str, Tensor], names: Collection[str],
    masks: Mapping[str, Tensor] | None = None,
) -> float:  # fmt: skip
    """Return the L2 distance of a network from its initialization over the named tensors, masked as the formulas say."""
    squares = 0.0
    for name in names:
        start = initial[name].double()
        if masks and name in masks:
            start = start * masks[name]
        squares += float((state[name].double() - start).square().sum())
    return squares**0.5


def crossings(first: pandas.Series, second: pandas.Series) -> list[float]:
    """Return where two curves of values by weights remaining (%) cross, descending, in the same unit.

    They cross where the sign of their difference changes, by a straight line between neighbours on a logarithmic axis.
    Points that only one curve has, or where both are equal, are passed over.
    """
    gap = (first - second).dropna().sort_index(ascending=False)
    pairs = zip(gap.index.tolist(), gap.tolist(), strict=True)
    places = [(math.log(at), value) for at, value in pairs if value]
    return [
        math.exp(a + (b - a) * before / (before - after))
        for (a, before), (b, after) in itertools.pairwise(places)
        if before * after < 0
    ]
