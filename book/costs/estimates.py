"""What every page costs at every scale, estimated from rates measured here.

    seconds = Σ over replicates and stages of epochs × images × seconds per image

The last factor is timed on a few dense steps of each plan, on one where that takes seconds, with its network, batch, stack
and precision. A stage that several chains share counts once. Nothing is taken off for units left out, so that sparse levels
cost less than estimated, and nothing is added for corrupting images or for measuring between steps.
"""

from collections.abc import Iterator

import pandas
import torch

from book.costs.tables import COLUMNS
from book.costs.timing import epoch_seconds, fresh
from lib.analysis.experiments import Page, pages_of
from lib.analysis.files import REPOSITORY
from lib.batch.plan import read_plans, runs
from lib.stages import stage_keys
from lib.stages.experiment_plan import Plan
from lib.training import Computation, prepare, stack_limit

STEPS, LONG = 12, 0.25
"""Steps timed at most, and seconds of a step after which one is enough."""
STAND_INS = {
    "cifar100": ("generated-cifar100", 50_000),
    "imagenet": ("generated-folders", 1_281_167),
    "sbd": ("generated-segmentation", 8_498),
}
"""Sets that few machines have: a generated one of the same format and size of image, which is timed in its place, and how
many training images the real one has."""
STAND_IN_BATCH = 8  # images of 224 x 224 pixels and more, so that a CPU gets through a step in seconds


def seconds_per_image(plan: Plan, device: torch.device) -> float:
    """Time a few steps of a plan, in stacks as it would run, and return the seconds of a replicate and image."""
    recipe = plan.recipe
    if stand_in := STAND_INS.get(recipe.data.image_set):
        data = {"image_set": stand_in[0], "validation": 2}
        recipe = recipe.but(data=data, batch_size=STAND_IN_BATCH, warmup_epochs=0)
    most, replicates = _images(plan.but(recipe=recipe)), plan.replicates()
    images, seconds = min(recipe.batch_size, most), 0.0
    network, examples, _ = fresh(recipe.but(data={"train": images, "test": 4}), replicates[:1], device)
    limit = stack_limit(network.module, device, len(replicates), examples.train_images)
    replicates = replicates[: min(limit, plan.largest_stack or limit)]
    for steps in (1, STEPS):
        if seconds > LONG or (seconds and images == most):
            break
        images = min(steps * recipe.batch_size, most)
        few = recipe.but(data={"train": images, "test": 4})
        network, examples, progress = fresh(few, replicates, device)
        seconds = epoch_seconds(network, examples, progress, replicates, few, Computation(plan.precision), epochs=3)
    return seconds / (images * len(replicates))


def _images(plan: Plan) -> int:
    """Return how many images a replicate of the plan trains on."""
    recipe = plan.recipe.data
    if recipe.train:
        return recipe.train
    if stand_in := STAND_INS.get(recipe.image_set):
        return stand_in[1] - recipe.validation
    return len(prepare(recipe, plan.replicates()[:1], torch.device("cpu")).train_images)


def _epochs(page: Page, plan: Plan) -> int:
    """Return the epochs of all replicates of all stages, each stage once."""
    runs = [(chain, plan.replicates()) for chain in page.chains(plan)]
    runs += [further for measurement in page.measurements for further in measurement.chains(plan)]
    stages = {
        key: stage.to_epoch - stage.from_epoch
        for chain, replicates in runs
        for replicate in replicates
        for stage, key in zip(chain.stages, stage_keys(chain, replicate, plan.precision), strict=True)
    }
    return sum(stages.values())


def trained() -> Iterator[tuple[Page, str, str, Plan]]:
    """Yield page, benchmark, scale and plan of every run that trains; those that only draw what is committed do not."""
    plans = read_plans(REPOSITORY)
    for paper in plans:
        for name, page in pages_of(paper).items():
            for run in (
                run for scale in plans[paper][name].grid for run in runs(plans, scale, paper, name) if run.trains
            ):
                benchmark, scale = str(run.parameters["benchmark"]), str(run.parameters["scale"])
                yield page, benchmark, scale, page.plans(benchmark, scale)


def pages(device: torch.device, quick: bool = False) -> tuple[pandas.DataFrame, list[str]]:
    """Estimate every page that a batch would train, and say how."""
    rows, rates = [], {}
    for page, benchmark, scale, plan in trained():
        if quick and scale != "smoke":
            continue
        same = plan.model_dump_json()  # most pages of a paper share their plans
        if same not in rates:
            rates[same] = seconds_per_image(plan, device)
        epochs = _epochs(page, plan)
        seconds = round(epochs * _images(plan) * rates[same], 1)
        rows.append((page.paper, page.name, benchmark, scale, epochs, seconds, "estimated"))
    notes = [
        f"Estimated from up to {STEPS} steps of each plan, timed on this machine; starting, evaluating and corrupting "
        "images are not counted, nor what sparse levels and narrower networks save. CIFAR-100, ImageNet and VOC are timed "
        f"on generated images of the same size, the last two in batches of {STAND_IN_BATCH}."
    ]
    return pandas.DataFrame(rows, columns=list(COLUMNS["pages"])), notes
