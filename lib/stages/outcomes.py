"""What is kept of a trained stage: errors and losses of every set of examples, and how training went."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lib.data.segmentation_images import SegmentationImages
from lib.models import Network, build
from lib.stages.prune_while_training import event_records
from lib.stages.stage import Stage
from lib.training import Examples, Outcome, Progress, Recipe, Replicate, evaluate_each, processes, unstack
from lib.training.stack import State
from lib.training.task import Segmented, evaluate_segmentation

Scored = Outcome | Segmented

RESTORED = "train_restored"  # the training images against their labels before noise


def outcomes(module: nn.Module, stack: State, examples: Examples, recipe: Recipe) -> dict[str, Scored]:
    """Evaluate a stack on each set of images that has any: "train", "validation", "test"; several processes share the work.

    Where LN's kind of noise replaced labels, "train_restored" has the training images against their original ones.
    """
    of_training = {"train": examples.train_labels}
    if recipe.data.noise == "any" and examples.noisy.any():
        of_training[RESTORED] = examples.original_labels
    found: dict[str, Scored] = {}
    for images, labels in (
        (examples.train_images, of_training),
        (examples.validation_images, {"validation": examples.validation_labels}),
        (examples.test_images, {"test": examples.test_labels}),
    ):
        if not len(images):
            continue
        images, own = _own(images), [_own(one) for one in labels.values()]
        if isinstance(images, SegmentationImages):
            constants, (subset,) = examples.normalization, labels
            found[subset] = evaluate_segmentation(module, stack, images, constants, examples.classes)
        else:
            found |= dict(zip(labels, evaluate_each(module, stack, images, own, examples.normalization), strict=True))
    return {subset: _of_all(scored) for subset, scored in found.items()}


def _own(whole: Any) -> Any:
    """Return what this process evaluates of images in files, or of labels [..., N]: every P-th of P processes."""
    if processes.count() == 1:
        return whole
    places = slice(processes.place(), None, processes.count())
    return (
        whole[..., places] if isinstance(whole, Tensor) else whole.some(torch.arange(len(whole))[places], whole.device)
    )


def _of_all(scored: Scored) -> Scored:
    """Put together what all processes evaluated."""
    if isinstance(scored, Segmented):
        return Segmented(processes.gathered(scored.losses, 1), processes.summed(scored.confusion))
    return Outcome(*(processes.gathered(one, 1) for one in (scored.losses, scored.correct, scored.error_norms)))


def metrics(found: Mapping[str, Scored], examples: Examples, replicate: int) -> list[dict]:
    """Return a row of error and loss for each subset that has examples.

    The error of a segmentation is 1 − the mean intersection over union; the share of wrong pixels stands beside it.
    """
    noisy = examples.noisy[replicate].cpu()
    every = slice(None)
    subsets = [(name, outcome, every) for name, outcome in found.items() if name != RESTORED]
    if noisy.any():
        subsets += [("train_noisy", found["train"], noisy), ("train_original", found["train"], ~noisy)]
        subsets += [(RESTORED, found[RESTORED], noisy)] if RESTORED in found else []
    rows = []
    for subset, outcome, chosen in subsets:
        if isinstance(outcome, Segmented):
            losses, overlap = outcome.losses[replicate].double(), outcome.mean_iou[replicate].item()
            row = {"subset": subset, "examples": len(losses), "error_percent": 100 * (1 - overlap)}
            row |= {"pixel_error_percent": 100 * outcome.pixel_error[replicate].item()}
            rows.append(row | {"cross_entropy_nats": losses.mean().item()})
            continue
        correct, losses = outcome.correct[replicate][chosen], outcome.losses[replicate][chosen].double()
        if count := len(correct):
            error, loss = 100 * (1 - correct.double().mean().item()), losses.mean().item()
            row = {"subset": subset, "examples": count, "error_percent": error, "cross_entropy_nats": loss}
            rows.append(row)
    return rows


def course(progress: Progress, train: Scored, index: int, stage: Stage, replicate: Replicate) -> dict:
    """Return how training went for one replicate: loss and recorded errors of each epoch, events in which filters
    were pruned, whether and when it diverged."""
    losses = [epoch[index] for epoch in progress.epoch_losses]
    diverged = not bool(torch.isfinite(train.losses[index]).all())
    first = progress.epoch - len(losses)
    first += next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
    if diverged:
        warnings.warn(
            f"seed {replicate.seed}, noise {replicate.noise_percent:g} %: the loss is no longer finite in epoch {first} "
            f"of level {stage.level or 0}; this replicate ends here, the others go on",
            stacklevel=3,
        )
    found = {"train_losses": losses, "diverged": diverged, "diverged_in_epoch": first if diverged else None}
    if events := list(event_records(progress, index)):
        found["filter_events"] = events
    if progress.epoch_errors:
        found["epoch_errors"] = {
            subset: [round(epoch[index], 4) for epoch in errors]
            for subset, errors in progress.epoch_errors.items()
            if all(math.isfinite(epoch[index]) for epoch in errors)  # a subset without examples has no errors
        }
    return found


def relative_size(network: Network, recipe: Recipe, classes: int) -> float:
    """Return how many prunable weights a network has, as a share of those at the standard width."""
    if recipe.width_scale == 1:
        return 1.0
    with torch.device("meta"):  # shapes only
        standard = build(recipe.network, classes, recipe.width)
    own, whole = (sum(n.module.get_parameter(w).numel() for w in n.prunable) for n in (network, standard))
    return own / whole


def groups(found: Mapping[str, Scored], stack: State, masks: Mapping[str, Tensor], replicate: int) -> dict[str, State]:
    """Return the tensors that are kept of one replicate: its weights, its masks, and what it does with each example."""
    examples = {}
    for subset, outcome in found.items():
        if subset == RESTORED:
            continue
        examples[f"{subset}_losses"] = outcome.losses[replicate].half()
        if isinstance(outcome, Segmented):
            examples[f"{subset}_confusion"] = outcome.confusion[replicate]
            continue
        examples[f"{subset}_correct"] = outcome.correct[replicate]
        if subset == "train":
            examples["train_error_norms"] = outcome.error_norms[replicate].half()
    return {"weights": unstack(stack, replicate), "masks": unstack(masks, replicate), "examples": examples}
