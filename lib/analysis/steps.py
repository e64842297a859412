"""What one step of a chain did to a network: what the cut removed, where the rest moved, what each pixel has left.

A step is a level: the weights |w| ≤ τ of the network before go, then the others are trained. Level 0 has no cut; before it
stand the weights at the rewinding epoch t. Sources: TR section 2 for the algorithm, facts J10 for the count.

`STEPS` measures them for a page of one replicate: counts and thresholds as rows, histograms and pixels beside them, so that
the page draws them without the networks (`kept_steps`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy
import pandas
import torch
from torch import Tensor

from lib import data
from lib.analysis.experiments import ALL, Context, Measurement, reported
from lib.analysis.files import REPOSITORY
from lib.analysis.part import file_name, read_detail
from lib.analysis.table import Table, table_folder
from lib.errors import InputError
from lib.models import Network
from lib.stages import Chain, Entry, Prune
from lib.training import network_of

BINS = 41  # odd, so that one bin has zero in its middle
WITHIN = 0.998  # share of the weights that a histogram's range takes in; the outermost bins take the rest
LEFT, THRESHOLD = "prunable weights left", "magnitude threshold"
"""Quantities of a step: how many weights remain after its cut, and up to which magnitude the cut removed them."""

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


def _steps_of(context: Context) -> Iterator[tuple[dict, Step]]:
    """Yield the steps of the first replicate through a page's first chain, each with the columns of its network."""
    results, recipe = context.results[0], context.plan.recipe
    classes = len(data.load(recipe.data.image_set).class_names)
    network = network_of(recipe, classes)
    named = [columns for columns, replicate, _, _ in reported(results) if replicate == results.replicates[0]]
    return zip(named, steps(results.chain, results.entries[0], network), strict=True)


def _rows(context: Context) -> Iterator[dict]:
    for columns, step in _steps_of(context):
        yield columns | {"quantity": LEFT, "value": float(step.remaining)}
        if step.threshold is not None:
            yield columns | {"quantity": THRESHOLD, "value": float(f"{step.threshold:.6g}")}


def _detail(context: Context) -> list[dict[str, Any]]:
    """Return the steps as JSON: of a histogram its first and last edge, and the counts of its parts."""
    found = []
    for columns, step in _steps_of(context):
        weights: Any = step.weights
        layers = {
            layer: {
                "from": float(own["start"].min()),
                "to": float(own["end"].max()),
                **{part: counts["value"].astype(int).tolist() for part, counts in own.groupby("part", sort=False)},
            }
            for layer, own in weights.groupby("layer", sort=False)
        }
        plain = asdict(step) | {
            "cut": step.cut and step.cut.model_dump(mode="json"),
            "weights": layers,
            "pixels": None if step.pixels is None else step.pixels.tolist(),
        }
        found.append({"stage_key": columns["stage_key"], **plain})
    return found


STEPS = Measurement("steps", _rows, 1, {"bins": BINS, "within": WITHIN}, needs=ALL, detail=_detail)
"""What each level did to the first replicate of a page's first chain."""


def kept_steps(page: str, tables: Sequence[Table], root: Path = REPOSITORY) -> tuple[list[Step], Table] | None:
    """Return the steps that the first table has which has them all, and that table; None where none does.

    Args:
        page: name of the page that measured them.
        tables: of the page, those that are drawn, current rows only.
        root: where `papers/` and `runs/` lie.
    """
    part = file_name(f"{STEPS.name}, {page}")
    for table in tables:
        own = table.frame.loc[(table.frame["part"] == part) & (table.frame["quantity"] == LEFT)]
        folder = table_folder(table.paper, table.benchmark, table.scale, table.origin, root, table.changes)
        kept = read_detail(folder, part) if len(own) else None
        # Where a level is gone, it was another network's, and nothing of such a chain is shown.
        if kept and own["stage_key"].tolist() == [step.pop("stage_key") for step in kept]:
            return [_step_from(one) for one in kept], table
    return None


def _step_from(plain: Mapping[str, Any]) -> Step:
    pieces = []
    for layer, own in plain["weights"].items():
        for part in (KEPT, REMOVED, TRAINED):
            edges = numpy.linspace(own["from"], own["to"], len(own[part]) + 1)
            columns = {"start": edges[:-1], "end": edges[1:], "value": own[part]}
            pieces.append(pandas.DataFrame(columns).assign(layer=layer, part=part))
    read = {
        "cut": plain["cut"] and Prune(**plain["cut"]),
        "weights": pandas.concat(pieces, ignore_index=True),
        "pixels": None if plain["pixels"] is None else torch.tensor(plain["pixels"]),
        "epochs": tuple(plain["epochs"]),
    }
    return Step(**{**plain, **read})
