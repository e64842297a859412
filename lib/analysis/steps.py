"""What one step of a chain did to a network: what the cut removed, where the rest moved, what each pixel has left.

A step is a level: the weights |w| ≤ τ of the network before go, then the others are trained. Level 0 has no cut; before it
stand the weights at the rewinding epoch t. Sources: TR section 2 for the algorithm, facts J10 for the count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas
import torch
from torch import Tensor

from lib.errors import InputError
from lib.models import Network
from lib.stages import Chain, Entry, Stage

BINS = 41  # odd, so that one bin has zero in its middle
WITHIN = 0.998  # share of the weights that a histogram's range takes in
_STARTS = {
    "fresh": "new weights",
    "previous": "weights of the stage before",
    "rewind": "weights of the first stage",
}


@dataclass(frozen=True)
class LayerHistogram:
    """The weights of one layer around a cut, in bins that both moments share.

    The range takes in 99.8 % of the weights on either side of the training; the outermost bins take all that lies beyond.

    Attributes:
        layer: name of the weight tensor.
        limit: the bins divide [-limit, limit].
        kept, removed: counts per bin before the cut, of the weights that it leaves and of those that it takes.
        trained: counts per bin of the weights that were left, after training.
    """

    layer: str
    limit: float
    kept: tuple[int, ...]
    removed: tuple[int, ...]
    trained: tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """One level of a chain, for one replicate.

    Attributes:
        level: how many times the network has been pruned.
        weights_remaining_percent: after the cut.
        remaining_before, remaining: prunable weights before and after the cut.
        epochs: first and last epoch of the schedule that the level trained.
        score, fraction: of the cut; empty and 0 for the dense network.
        threshold: the largest magnitude that was removed; None without a cut, or if the score kept a smaller one.
        layers: a histogram per prunable layer.
        pixels: [height][width] how many weights each pixel has left; None for a network that begins with a convolution.
        weights_per_pixel: how many each pixel had.
        error_percent: by subset, such as "test".
    """

    level: int
    weights_remaining_percent: float
    remaining_before: int
    remaining: int
    epochs: tuple[int, int]
    score: str
    fraction: float
    threshold: float | None
    layers: tuple[LayerHistogram, ...]
    pixels: tuple[tuple[int, ...], ...] | None
    weights_per_pixel: int
    error_percent: Mapping[str, float]


def layer_histogram(
    layer: str, before: Tensor, mask_before: Tensor, mask: Tensor, after: Tensor, bins: int = BINS
) -> LayerHistogram:
    """Count the weights of one layer before a cut and after the training that follows it.

    Args:
        layer: what to call it.
        before, after: weights of any shape, all alike.
        mask_before, mask: bool of that shape, True where a weight remains; before and after the cut.
        bins: how many.

    Raises:
        InputError: if a weight was removed before and remains now, or a remaining weight is not finite.
    """
    if bool((mask & ~mask_before).any()):
        raise InputError(
            f"{layer}: a weight that the mask before had removed remains in the mask after; are they swapped?"
        )
    kept, removed, trained = before[mask], before[mask_before & ~mask], after[mask]
    sizes = torch.cat([kept, removed, trained]).abs()
    if not bool(sizes.isfinite().all()):
        raise InputError(
            f"{layer}: some weights are not finite; a network that diverged has no histogram to draw"
        )
    place = max(0, -(-int(WITHIN * 1000) * len(sizes) // 1000) - 1)  # the smallest that takes in this share
    limit = float(sizes.sort().values[place]) if len(sizes) else 0.0
    limit = limit or 1.0

    def count(values: Tensor) -> tuple[int, ...]:
        at = ((values.double() + limit) / (2 * limit) * bins).floor().long().clamp(0, bins - 1)
        return tuple(torch.bincount(at, minlength=bins).tolist())

    return LayerHistogram(layer, limit, count(kept), count(removed), count(trained))


def magnitude_threshold(
    before: Mapping[str, Tensor], masks_before: Mapping[str, Tensor], masks: Mapping[str, Tensor]
) -> float | None:
    """Return the largest magnitude that a cut removed, if it removed the smallest ones.

    Args:
        before: name → weights before the cut.
        masks_before, masks: name → bool like the weights, before and after the cut.

    Returns:
        None if nothing was removed, or if a weight with a smaller magnitude was kept: then there is no threshold.
    """
    removed = [before[n][masks_before[n] & ~masks[n]].abs() for n in masks]
    kept = [before[n][masks[n]].abs() for n in masks]
    if not sum(len(part) for part in removed):
        return None
    largest = float(torch.cat(removed).max())
    return None if any(len(part) and float(part.min()) < largest for part in kept) else largest


def pixel_counts(mask: Tensor, height: int, width: int) -> Tensor:
    """Count how many weights of a first layer each pixel has left.

    Args:
        mask: bool [outputs, channels · height · width] of a fully connected layer that reads images.
        height, width: of an image, in pixels.

    Returns:
        int64 [height, width], summed over outputs and channels.

    Raises:
        InputError: if the mask is not that of such a layer.
    """
    if mask.dim() != 2 or mask.shape[1] % (height * width):
        raise InputError(
            f"a mask of shape {tuple(mask.shape)} does not read images of {height} × {width} pixels; "
            "needed is [outputs, channels · height · width], as of LeNet's first layer"
        )
    return mask.long().sum(0).view(-1, height, width).sum(0)


def steps(
    chain: Chain, entries: Sequence[Entry], network: Network, pixels: tuple[int, int] = (28, 28)
) -> list[Step]:
    """Read what each level of a finished chain did, for one replicate.

    Args:
        chain: what was run.
        entries: the stages of one replicate in order, as in `Results.entries`.
        network: what the chain's recipe trains.
        pixels: height and width of an image.

    Returns:
        A step per level, the dense network first; a diverged level and what would follow it are left out.
    """
    found: list[Step] = []
    masks_before = {
        n: torch.ones_like(network.module.get_parameter(n), dtype=torch.bool) for n in network.prunable
    }
    before: Mapping[str, Tensor] = {}
    for stage, entry in zip(chain.stages, entries, strict=False):
        if entry.record["diverged"]:
            break
        weights, masks = entry.tensors("weights"), entry.masks()
        if stage.level is not None:
            found.append(_step(stage, entry, before or weights, masks_before, weights, masks, pixels))
        before, masks_before = weights, masks
    return found


def _step(
    stage: Stage,
    entry: Entry,
    before: Mapping[str, Tensor],
    masks_before: Mapping[str, Tensor],
    weights: Mapping[str, Tensor],
    masks: Mapping[str, Tensor],
    pixels: tuple[int, int],
) -> Step:
    first = next(iter(masks.values()))
    counts = pixel_counts(first, *pixels) if first.dim() == 2 else None
    return Step(
        level=stage.level or 0,
        weights_remaining_percent=entry.record["weights_remaining_percent"],
        remaining_before=sum(int(mask.sum()) for mask in masks_before.values()),
        remaining=sum(int(mask.sum()) for mask in masks.values()),
        epochs=(stage.from_epoch, stage.to_epoch),
        score=stage.prune.score if stage.prune else "",
        fraction=stage.prune.fraction if stage.prune else 0.0,
        threshold=magnitude_threshold(before, masks_before, masks),
        layers=tuple(layer_histogram(n, before[n], masks_before[n], m, weights[n]) for n, m in masks.items()),
        pixels=None if counts is None else tuple(map(tuple, counts.tolist())),
        weights_per_pixel=0 if counts is None else first.numel() // counts.numel(),
        error_percent={row["subset"]: row["error_percent"] for row in entry.record["metrics"]},
    )


def best_step(done: Sequence[Step]) -> Step | None:
    """Return the step with the lowest validation error, ties to the lower sparsity; None without validation images."""
    measured = [step for step in done if "validation" in step.error_percent]
    # Rounded as in lib.analysis.statistics: the same count of mistakes must tie.
    return min(
        measured, key=lambda step: (round(step.error_percent["validation"], 9), step.level), default=None
    )


def chain_table(chain: Chain) -> pandas.DataFrame:
    """Set a chain as a table: a row per stage with what it starts from, what it prunes and what it trains.

    Args:
        chain: any chain.

    Returns:
        Columns stage, level, start, prune, train, all text; of a long chain the first five stages and the last one.
    """
    rows = []
    for number, stage in enumerate(chain.stages):
        cut = stage.prune
        rows.append(
            {
                "stage": str(number),
                "level": "–" if stage.level is None else str(stage.level),
                "start": _STARTS[stage.start],
                "prune": f"{100 * cut.fraction:.4g} % by {cut.score}, {cut.scope} scope"
                if cut
                else "nothing",
                "train": f"epochs {stage.from_epoch} to {stage.to_epoch}"
                if stage.to_epoch > stage.from_epoch
                else f"nothing (t = {stage.to_epoch})",
            }
        )
    if len(rows) > 6:
        rows[5:-1] = [dict.fromkeys(rows[0], "…")]
    return pandas.DataFrame(rows)


def steps_table(done: Sequence[Step]) -> pandas.DataFrame:
    """Set the steps of a chain in numbers, a row per level.

    Args:
        done: the steps of one replicate, from the dense network on.

    Returns:
        Columns of text: level, weights removed and remaining, the latter in percent of all and as the formula says (the
        product of 1 − fraction), threshold, validation and test error. A dash stands where there is nothing.
    """
    rows, formula = [], 1.0
    for step in done:
        formula *= 1 - step.fraction
        errors = {
            f"{subset} error (%)": f"{step.error_percent[subset]:.2f}"
            if subset in step.error_percent
            else "–"
            for subset in ("validation", "test")
        }
        rows.append(
            {
                "level": str(step.level),
                "removed": f"{step.remaining_before - step.remaining:,}",
                "remaining": f"{step.remaining:,}",
                "in %": f"{step.weights_remaining_percent:.3f}",
                "(1 − q)^k in %": f"{100 * formula:.3f}",
                "threshold": "–" if step.threshold is None else f"{step.threshold:.4f}",
                **errors,
            }
        )
    return pandas.DataFrame(rows)
