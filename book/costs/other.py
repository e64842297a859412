"""Other costs: scoring and masking a large network, a page whose stages are in the store, memory."""

import importlib.util
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import pandas
import torch
from torchvision.models import resnet50

from book.costs.timing import epoch_seconds, fresh, in_turns, shortest
from lib.analysis.files import REPOSITORY
from lib.models import prunable_weights
from lib.pruning import magnitude, select
from lib.training import Computation, Part, Progress, Recipe, Replicate, train
from lib.training.connected_units import ConnectedUnits, find_connected_units
from lib.training.processor import prepare_processor
from papers.label_noise import recipes as label_noise
from papers.lost_in_pruning import recipes as lost_in_pruning
from papers.training_regularization import recipes as training_regularization


def scoring(device: torch.device) -> float:
    """Return the seconds of scoring all weights of ResNet-50 by magnitude and masking a fifth, globally."""
    module = resnet50().to(device)
    names = prunable_weights(module)
    masks = {n: torch.ones_like(module.get_parameter(n), dtype=torch.bool) for n in names}
    return shortest(lambda: select(magnitude(module, names, None), masks, 0.2))


def recording(device: torch.device, replicates: int = 3, epochs: int = 3, repeats: int = 3) -> float:
    """Return by how many percent training LeNet on MNIST takes longer when the errors of each epoch are recorded.

    Trainings of some epochs with and without records alternate; the fastest of each kind are compared.
    """
    prepare_processor()
    recipe = label_noise.plan("mnist-lenet", "paper").recipe
    those = [Replicate(seed=seed, noise_percent=20.0) for seed in range(replicates)]
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for record in [False, True] * (repeats + 1):
        network, examples, progress = fresh(recipe, those, device)
        started = time.perf_counter()
        train(network.module, progress, examples, those, recipe.but(record_epochs=record), Part(epochs))
        seconds[record].append(time.perf_counter() - started)  # an epoch ends by reading its loss
    without, with_records = (min(seconds[record][1:]) for record in (False, True))
    return 100 * (with_records / without - 1)


CORRUPTIONS = (
    "impulse_noise",
    "shot_noise",
    "motion_blur",
    "zoom_blur",
    "snow",
    "contrast",
    "elastic_transform",
    "pixelate",
)
"""Those that robust training sees (LIP Table 11)."""


def corrupting(recipe: Recipe, device: torch.device, repeats: int = 3) -> float:
    """Return by how many percent an epoch takes longer on clean and corrupted images than on clean ones alone.

    Epochs of both kinds alternate, with the same network and augmentation; the fastest of each kind are compared. Corrupting
    the images once, before the first epoch, is not counted.
    """
    prepare_processor()
    those, seconds = [Replicate(seed=0)], {(): float("inf"), CORRUPTIONS: float("inf")}
    for names in [*seconds] * repeats:
        own = recipe.but(data={"corruptions": names})
        network, examples, progress = fresh(own, those, device)
        took = epoch_seconds(network, examples, progress, those, own, Computation(), 3)
        seconds[names] = min(seconds[names], took)
    return 100 * (seconds[CORRUPTIONS] / seconds[()] - 1)


def without_half_the_filters(recipe: Recipe, device: torch.device, rounds: int = 3) -> float:
    """Return how many times faster an epoch is where half of the filters of every unit are removed and so left out.

    Everything that makes their maps is removed: weights, scale and shift. With masks alone it is computed all the same.
    """
    prepare_processor()
    those = [Replicate(seed=0)]
    network, examples, progress = fresh(recipe, those, device)
    parameters = {name for name, _ in network.module.named_parameters()}
    masks = {name: torch.ones_like(progress.stack[name], dtype=torch.bool) for name in parameters}
    for units in network.units:
        for name in parameters.intersection(units.written):
            masks[name][:, ::2] = False
    stack = {name: tensor * masks.get(name, True) for name, tensor in progress.stack.items()}
    ways = [(units, Computation()) for units in (ConnectedUnits(), find_connected_units(network.units, stack, masks))]
    whole, half = in_turns(network, Progress(0, stack, masks), examples, those, recipe, ways, rounds, epochs=3)
    return whole / half


def page_from_store() -> float:
    """Return the seconds from starting a kernel to the finished notebook, with every stage of the page in the store."""
    from lib.batch.page import run_page  # needs papermill, which machines that only train may lack

    source = REPOSITORY / "papers" / "training_regularization" / "pages" / "additional_regularization.py"
    with tempfile.TemporaryDirectory() as folder:
        parameters = {"scale": "smoke", "recompute": True, "store": str(Path(folder) / "store")}
        seconds = []
        for name in ("first", "second", "third"):
            started = time.perf_counter()
            run_page(source, Path(folder) / f"{name}.ipynb", parameters)
            seconds.append(time.perf_counter() - started)
    return min(seconds[1:])


def _most_memory() -> int:
    """Return the most bytes that this process has held, libraries included."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says on Linux includes the process that started this one
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def _train_stack(device: str, answers) -> None:
    """Train LeNet for 100 steps in a stack of 12 and answer with the most memory taken, in bytes."""
    prepare_processor()
    place = torch.device(device)
    recipe = training_regularization.plan("mnist-lenet", "paper").recipe
    replicates = [Replicate(seed=seed) for seed in range(12)]
    network, examples, progress = fresh(recipe, replicates, place)
    train(network.module, progress, examples, replicates, recipe, Part(1))
    if place.type == "cuda":
        answers.put(torch.cuda.max_memory_reserved())
    else:
        answers.put(_most_memory())


def peak_memory(device: torch.device) -> float:
    """Return the most gigabytes taken by a process that trains MNIST's stack of 12; on CUDA those of the device."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=_train_stack, args=(str(device), answers))
    process.start()
    peak = answers.get(timeout=600)
    process.join()
    return peak / 1e9


def other(device: torch.device, quick: bool = False) -> tuple[pandas.DataFrame, list[str]]:
    """Measure each once or a few times, and say what was measured."""
    resnet = training_regularization.plan("cifar10-resnet20", "paper").recipe.but(data={"train": 2000})
    rows = [
        (
            "scoring and masking ResNet-50",
            scoring(device),
            "s",
            "25.5 M weights, magnitude, global, shortest",
        ),
        (
            "peak memory, LeNet on MNIST, stack of 12",
            peak_memory(device),
            "GB",
            "one epoch at paper scale, float32",
        ),
        (
            "recording the errors of every epoch",
            recording(device, repeats=1 if quick else 3),
            "%",
            "longer epochs: LeNet on MNIST, stack of 3, 60,000 + 10,000 images, float32, best of 3",
        ),
        (
            "drawing each image clean or corrupted",
            corrupting(resnet, device, repeats=1 if quick else 3),
            "%",
            "longer epochs: ResNet-20 on 2,000 images of CIFAR-10, 8 corruptions at severity 3, flip and crop, float32, "
            "best of 3",
        ),
    ]
    few = {"train": 2048, "test": 64, "augmentation": "none"}
    for name, width in (("cifar10-resnet20", None), ("cifar10-vgg16", 16)):
        recipe = lost_in_pruning.plan(name, "paper").recipe.but(data=few, width=width, batch_size=128)
        detail = f"{name}, {'full width' if width is None else f'width {width}'}, 2,048 images, float32, best of 3"
        factor = without_half_the_filters(recipe, device, rounds=1 if quick else 3)
        rows.append(("without half of the filters of every layer", factor, "times faster", detail))
    notes = ["Peak memory counts the whole process on a CPU, libraries included, and the device's memory on CUDA."]
    if importlib.util.find_spec("papermill"):
        detail = "kernel start to finished notebook, every stage in the store, better of 2"
        rows.append(("page from the store", page_from_store(), "s", detail))
    else:
        notes.append("A page was not run: papermill is not installed here.")
    return pandas.DataFrame(rows, columns=["work", "value", "unit", "detail"]).round({"value": 2}), notes
