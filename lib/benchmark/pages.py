"""What every page costs at every scale, estimated from rates measured here.

    seconds = Σ over replicates and stages of epochs × images × seconds per image

The last factor is timed on a few dense steps of each plan, with its network, batch, stack and precision. A stage that
several chains share counts once. Nothing is taken off for units left out, so that sparse levels cost less than estimated.
"""

import time

import pandas
import torch

from lib.analysis.files import REPOSITORY
from lib.analysis.pages import Page, find_page
from lib.batch.plan import read_plans
from lib.models import build
from lib.stages import stage_keys
from lib.stages.plan import Plan
from lib.training import Progress, arithmetic, fresh_stack, prepare, stack_limit, train

STEPS = 12


def seconds_per_image(plan: Plan, device: torch.device) -> float:
    """Time a few steps of a plan, in stacks as it would run, and return the seconds of a replicate and image."""
    images = min(STEPS * plan.recipe.batch_size, _images(plan))
    recipe = plan.recipe.model_copy(update={"data": plan.recipe.data.model_copy(update={"train": images})})
    network = build(recipe.network, 10, recipe.width)
    size = min(stack_limit(network.module, device, len(plan.replicates())), plan.largest_stack or 10**9)
    replicates = plan.replicates()[:size]
    examples = prepare(recipe.data, replicates, device)
    stack = fresh_stack(network.module, replicates, device)
    ends: list[float] = []
    with arithmetic(device, plan.precision):
        train(
            network.module.to(device), Progress(0, stack), examples, replicates, recipe, 3, {}, 0,
            plan.precision, lambda _: ends.append(time.perf_counter()),
        )  # fmt: skip
    return min(b - a for a, b in zip(ends, ends[1:], strict=False)) / (images * size)


def _images(plan: Plan) -> int:
    """Return how many images a replicate of the plan trains on."""
    recipe = plan.recipe.data
    if recipe.train:
        return recipe.train
    return len(prepare(recipe, plan.replicates()[:1], torch.device("cpu")).train_images)


def _epochs(page: Page, plan: Plan) -> int:
    """Return the epochs of all replicates of all stages, each stage once."""
    stages = {
        key: stage.to_epoch - stage.from_epoch
        for chain in page.chains(plan)
        for replicate in plan.replicates()
        for stage, key in zip(chain.stages, stage_keys(chain, replicate, plan.precision), strict=True)
    }
    return sum(stages.values())


def pages(device: torch.device, quick: bool = False) -> tuple[pandas.DataFrame, list[str]]:
    """Estimate every page that a batch would run, and say how."""
    rows = []
    for paper, plans in read_plans(REPOSITORY).items():
        for name, page_plan in plans.items():
            page = find_page(paper, name)
            for scale, grid in page_plan.grid.items():
                for benchmark in map(str, grid["benchmark"]):
                    if quick and scale != "smoke":
                        continue
                    plan = page.plans(benchmark, scale)
                    epochs = _epochs(page, plan)
                    seconds = epochs * _images(plan) * seconds_per_image(plan, device)
                    rows.append((paper, name, benchmark, scale, epochs, round(seconds, 1), "estimated"))
    notes = [
        f"Estimated from up to {STEPS} steps of each plan, timed on this machine; starting and evaluating are not counted, "
        "nor what sparse levels save."
    ]
    columns = ["paper", "page", "benchmark", "scale", "replicate_epochs", "seconds", "basis"]
    return pandas.DataFrame(rows, columns=columns), notes
