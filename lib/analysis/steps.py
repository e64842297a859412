"""What one step of a chain did to a network: what the cut removed, where the rest moved, what each pixel has left.

A step is a level: the weights |w| ≤ τ of the network before go, then the others are trained. Level 0 has no cut; before it
stand the weights at the rewinding epoch t. Sources: TR section 2 for the algorithm, facts J10 for the count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy
import pandas
import torch
from torch import Tensor

from lib.errors import InputError
from lib.models import Network
from lib.stages import Chain, Entry, Prune

BINS = 41  # odd, so that one bin has zero in its middle
WITHIN = 0.998  # share of the weights that a histogram's range takes in; the outermost bins take the rest
PIXELS = 28, 28  # height and width of the images that a network without convolutions reads
KEPT, REMOVED, TRAINED = "kept at the cut", "removed at the cut", "after training"
STARTS = {
    "fresh": "new weights",
    "previous": "weights of the stage before",
    "rewind": "weights of the first stage",
}


@dataclass(frozen=True)
class Step:
    """One level of a chain, for one replicate.

    Attributes:
        level: how many times the network has been pruned.
        weights_remaining_percent: after the cut.
        remaining_before, remaining: prunable weights before and after the cut.
        epochs: first and last epoch of the schedule that the level trained.
        cut: what was pruned; None for the dense network.
        threshold: the largest magnitude that was removed; None without a cut, or if the score kept a smaller one.
        weights: histogram rows, see `histogram`, of every prunable layer.
        pixels: int64 [height, width], how many weights each pixel has left; None behind a convolution.
        error_percent: by subset, such as "test".
    """

    level: int
    weights_remaining_percent: float
    remaining_before: int
    remaining: int
    epochs: tuple[int, int]
    cut: Prune | None
    threshold: float | None
    weights: pandas.DataFrame
    pixels: Tensor | None
    error_percent: Mapping[str, float]


def histogram(
    layer: str, before: Tensor, mask_before: Tensor, mask: Tensor, after: Tensor, bins: int = BINS
) -> pandas.DataFrame:
    """Count the weights of one layer before a cut and after the training that follows it, in the same bins.

    Args:
        layer: what to call it.
        before, after: weights of any shape, all alike.
        mask_before, mask: bool of that shape, True where a weight remains; before and after the cut.
        bins: how many.

    Returns:
        Columns layer, part (`KEPT`, `REMOVED` or `TRAINED`), start, end, value: the number of weights.

    Raises:
        InputError: a weight that was removed before remains now, or one that remains is not finite.
    """
    if bool((mask & ~mask_before).any()):
        raise InputError(f"{layer}: a weight that the mask before removed remains after; are they swapped?")
    parts = {KEPT: before[mask], REMOVED: before[mask_before & ~mask], TRAINED: after[mask]}
    sizes = torch.cat(list(parts.values())).abs()
    if not bool(sizes.isfinite().all()):
        raise InputError(f"{layer}: some weights are not finite; a network that diverged has no histogram")
    limit = float(numpy.quantile(sizes.numpy(), WITHIN, method="inverted_cdf")) if len(sizes) else 0.0
    limit = limit or 1.0
    pieces = []
    for part, weights in parts.items():
        inside = weights.double().clamp(-limit, limit).numpy()
        counts, edges = numpy.histogram(inside, bins, (-limit, limit))
        columns = {"start": edges[:-1], "end": edges[1:], "value": counts}
        pieces.append(pandas.DataFrame(columns).assign(layer=layer, part=part))
    return pandas.concat(pieces, ignore_index=True)


def magnitude_threshold(
    before: Mapping[str, Tensor], masks_before: Mapping[str, Tensor], masks: Mapping[str, Tensor]
) -> float | None:
    """Return the largest magnitude that a cut removed; None if nothing was, or if a smaller one was kept."""
    removed = torch.cat([before[n][masks_before[n] & ~masks[n]].abs() for n in masks])
    kept = torch.cat([before[n][masks[n]].abs() for n in masks])
    if not len(removed) or len(kept) and float(kept.min()) < float(removed.max()):
        return None
    return float(removed.max())


def pixel_counts(mask: Tensor, height: int, width: int) -> Tensor:
    """Count how many weights of a first layer each pixel has left, int64 [height, width].

    Args:
        mask: bool [outputs, channels · height · width] of a fully connected layer that reads images.
        height, width: of an image, in pixels.

    Raises:
        InputError: the mask is not that of such a layer.
    """
    if mask.dim() != 2 or mask.shape[1] % (height * width):
        raise InputError(
            f"a mask of shape {tuple(mask.shape)} does not read images of {height} × {width} pixels; "
            "needed is [outputs, channels · height · width], as of LeNet's first layer"
        )
    return mask.long().sum(0).view(-1, height, width).sum(0)


def steps(chain: Chain, entries: Sequence[Entry], network: Network) -> list[Step]:
    """Read what each level of a finished chain did, for one replicate.

    Args:
        chain: what was run.
        entries: the stages of one replicate in order, as in `Results.entries`.
        network: what the chain's recipe trains.

    Returns:
        A step per level, the dense network first; a diverged level and what would follow it are left out.
    """
    found: list[Step] = []
    had = {n: torch.ones_like(network.module.get_parameter(n), dtype=torch.bool) for n in network.prunable}
    before: Mapping[str, Tensor] = {}
    for stage, entry in zip(chain.stages, entries, strict=False):
        if entry.record["diverged"]:
            break
        weights, masks = entry.tensors("weights"), entry.masks()
        if stage.level is not None:
            first, start = next(iter(masks.values())), before or weights
            layers = [histogram(n, start[n], had[n], mask, weights[n]) for n, mask in masks.items()]
            step = Step(
                level=stage.level,
                weights_remaining_percent=entry.record["weights_remaining_percent"],
                remaining_before=sum(int(mask.sum()) for mask in had.values()),
                remaining=sum(int(mask.sum()) for mask in masks.values()),
                epochs=(stage.from_epoch, stage.to_epoch),
                cut=stage.prune,
                threshold=magnitude_threshold(start, had, masks),
                weights=pandas.concat(layers),
                pixels=pixel_counts(first, *PIXELS) if first.dim() == 2 else None,
                error_percent={row["subset"]: row["error_percent"] for row in entry.record["metrics"]},
            )
            found.append(step)
        before, had = weights, masks
    return found


def best_step(done: Sequence[Step]) -> Step | None:
    """Return the step with the lowest validation error, ties to the lower sparsity; None without validation images."""
    measured = [step for step in done if "validation" in step.error_percent]
    # Rounded as in lib.analysis.levels: the same count of mistakes must tie.
    return min(measured, key=lambda step: round(step.error_percent["validation"], 9), default=None)


def chain_table(chain: Chain) -> pandas.DataFrame:
    """Set a chain as a table of text, a row for each stage; of a long chain the first five and the last one."""
    rows = []
    for number, stage in enumerate(chain.stages):
        level = "–" if stage.level is None else str(stage.level)
        cut, prune, train = stage.prune, "nothing", f"nothing (t = {stage.to_epoch})"
        if cut:
            prune = f"{100 * cut.fraction:.4g} % by {cut.score}, {cut.scope} scope"
        if stage.to_epoch > stage.from_epoch:
            train = f"epochs {stage.from_epoch} to {stage.to_epoch}"
        rows.append((str(number), level, STARTS[stage.start], prune, train))
    if len(rows) > 6:
        rows[5:-1] = [("…",) * 5]
    return pandas.DataFrame(rows, columns=["stage", "level", "start", "prune", "train"])


def steps_table(done: Sequence[Step]) -> pandas.DataFrame:
    """Set the steps of a chain in numbers, as text; "(1 − q)^k" is the product of 1 − fraction, which knows no rounding."""
    rows, formula = [], 1.0
    for step in done:
        formula *= 1 - (step.cut.fraction if step.cut else 0.0)
        row = {
            "level": str(step.level),
            "removed": f"{step.remaining_before - step.remaining:,}",
            "remaining": f"{step.remaining:,}",
            "in %": f"{step.weights_remaining_percent:.3f}",
            "(1 − q)^k in %": f"{100 * formula:.3f}",
            "threshold": "–" if step.threshold is None else f"{step.threshold:.4f}",
        }
        for subset in ("validation", "test"):
            error = step.error_percent.get(subset)
            row[f"{subset} error (%)"] = "–" if error is None else f"{error:.2f}"
        rows.append(row)
    return pandas.DataFrame(rows)
