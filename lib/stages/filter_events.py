"""Filters pruned while a network trains: what is removed, and when (GS; facts D.2 and D.6).

A layer of N filters loses the share p in n = ⌊(e − s) / r⌋ + 1 events, after the epochs s, s + r, s + 2r, … ≤ e. In the end
m = ⌈(1 − p) N⌉ remain; after event j

    ⌈m + (N − m)(n − j) / n⌉ .

Epochs count from 0 in a schedule of a given length. A shorter or longer training has its events at the same parts of it, on
the step that comes closest; after epoch −1 is before training, which is pruning from scratch.
"""

import math
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from lib.descriptions import Description
from lib.errors import InputError
from lib.pruning.filter_scores import find_filter_score

Target = Literal["smallest", "largest", "random"]
TARGETS: tuple[Target, ...] = get_args(Target)


class FilterEvents(Description):
    """Events in which filters of some convolutions are pruned, or disturbed as if they were.

    Attributes:
        layers: names of the convolutions' weights, each of L layers.
        shares: p of each layer, inside (0, 1).
        first, last: epochs s and e of each layer.
        every: r, the epochs between two events of a layer.
        schedule: epochs of the schedule in which these are counted.
        target: which filters go: those of "smallest" or "largest" score, or "random" ones.
        score: of `lib.pruning.filter_scores`.
        effect: "prune" for good; "zero" sets the weights of newly targeted filters to zero, "gaussian" adds normal noise to
            them, with the deviation of the weights of filters not targeted. Both act before each of `batches` training
            batches; filters are then free.
        batches: how many; not used for "prune".
        first_variance: of the first normal noise of an event, in units of the others'.
        restore: put weights, normalization and its statistics back to what they were before "zero" began; it then acts on
            all filters targeted so far, and on their normalization.
        normalization: "prune" also masks scale and shift of the normalization, so that the map is zero.
        images: how many test and held-out images an event's accuracies are measured on; None for all.
    """

    layers: tuple[str, ...]
    shares: tuple[Annotated[float, Field(gt=0, lt=1)], ...]
    first: tuple[Annotated[int, Field(ge=-1)], ...]
    last: tuple[Annotated[int, Field(ge=-1)], ...]
    every: Annotated[int, Field(gt=0)]
    schedule: Annotated[int, Field(gt=0)]
    target: Target = "smallest"
    score: str = "l2"
    effect: Literal["prune", "zero", "gaussian"] = "prune"
    batches: Annotated[int, Field(gt=0)] = 1
    first_variance: Annotated[float, Field(gt=0)] = 1.0
    restore: bool = False
    normalization: bool = True
    images: Annotated[int, Field(gt=0)] | None = None

    @field_validator("score")
    @classmethod
    def _score_exists(cls, name: str) -> str:
        find_filter_score(name)
        return name

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        lengths = {name: len(getattr(self, name)) for name in ("layers", "shares", "first", "last")}
        if len(set(lengths.values())) > 1 or not self.layers:
            given = ", ".join(f"{name} has {n}" for name, n in lengths.items())
            raise ValueError(f"{given}; allowed: one entry for each layer in all of them, at least one")
        if len(set(self.layers)) < len(self.layers):
            raise ValueError(f"layers={self.layers} names a layer twice; allowed: each once")
        for layer, first, last in zip(self.layers, self.first, self.last, strict=True):
            if not first <= last < self.schedule - 1:
                raise ValueError(
                    f"events of {layer} after epochs {first} to {last}; allowed: the first no later than the last, and "
                    f"the last before epoch {self.schedule - 1}, with which the schedule ends"
                )
        if self.restore and self.effect != "zero":
            raise ValueError(f"restore=True with effect={self.effect!r}; allowed with 'zero' only")
        return self

    def counts(self) -> dict[str, int]:
        """Return how many events each layer has (facts S2)."""
        spans = zip(self.layers, self.first, self.last, strict=True)
        return {layer: (last - first) // self.every + 1 for layer, first, last in spans}

    def steps(self, in_all: int) -> dict[int, dict[str, int]]:
        """Return before which steps of a training something happens: step → layer → how many of its events are over then.

        Args:
            in_all: steps of the whole training.

        Raises:
            InputError: two events of a layer fall on one step, one falls behind the last step, or noise would still act when
                the next begins.
        """
        found: dict[int, dict[str, int]] = {}
        gap = self.every * in_all / self.schedule
        counts = self.counts()
        if gap < 1 and max(counts.values()) > 1:
            raise InputError(
                f"every={self.every} of {self.schedule} epochs is {gap:.2g} of the {in_all} steps; allowed: at least a step "
                "between two events; train longer, or prune less often"
            )
        if self.effect != "prune" and self.batches > int(gap) and max(counts.values()) > 1:
            raise InputError(
                f"batches={self.batches}, but the next event of a layer comes after {int(gap)} steps; allowed: at most those"
            )
        for layer, first in zip(self.layers, self.first, strict=True):
            for event in range(counts[layer]):
                step = round((first + event * self.every + 1) * in_all / self.schedule)
                if step >= in_all or layer in found.get(step, {}):
                    where = "behind the last step" if step >= in_all else "on the step of the one before"
                    raise InputError(
                        f"event {event + 1} of {counts[layer]} of {layer} falls {where}, in a training of {in_all} steps; "
                        "train longer, or prune less often"
                    )
                if self.restore and step + self.batches >= in_all:
                    raise InputError(
                        f"event {event + 1} of {counts[layer]} of {layer} restores its filters after step "
                        f"{step + self.batches}, in a training of {in_all} steps; allowed: before the last; train longer, "
                        f"or let noise act for fewer than batches={self.batches}"
                    )
                found.setdefault(step, {})[layer] = event + 1
        return dict(sorted(found.items()))

    def left(self, layer: str, filters: int, events: int) -> int:
        """Return how many of a layer's filters are left alone after as many of its events."""
        count, share = self.counts()[layer], self.shares[self.layers.index(layer)]
        end = math.ceil(round((1 - share) * filters, 6))
        return math.ceil(round(end + (filters - end) * (count - events) / count, 6))
