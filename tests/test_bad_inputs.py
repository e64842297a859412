"""Sixty things that a reader may get wrong, and what they are told: what was given, what is allowed, what is nearest.

A row says what was done, how, and parts that the message must have. Rooms test their own errors besides.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from lib import data
from lib.analysis.distributions import distributions
from lib.analysis.excess_error import robust_split
from lib.analysis.experiments import changed, find_page
from lib.analysis.informative_pixels import informative_pixels
from lib.analysis.levels import level_quantity
from lib.analysis.loss_path import loss_path
from lib.analysis.overlap import jaccard
from lib.analysis.printed import printed
from lib.analysis.prune_your_own import parameters_of
from lib.batch import gpu, parameters, plan
from lib.batch.__main__ import command
from lib.changes import Changes, read_changes
from lib.errors import InputError
from lib.models import build, prunable_weights
from lib.models.filters import filters_of
from lib.pruning import Batch, find_score, select
from lib.pruning.methods import prune_parameters
from lib.stages import Prune, Store, algorithms
from lib.stages.housekeeping import clean, import_
from lib.training import prepare
from lib.training.device import find_device
from lib.widgets.page import open_page
from papers.lost_in_pruning.recipes import plan as lost_in_pruning
from papers.training_regularization.recipes import plan as find_plan

RECIPE = find_plan("mnist-lenet", "smoke").recipe
PRUNE = Prune(fraction=0.2)
PAGE = "papers/label_noise/pages/dynamics.py"
LENET = build("lenet-300-100").module
IMAGES, LABELS = torch.zeros(8, 1, 4, 4), torch.arange(8) % 2
BATCH = Batch(IMAGES, LABELS, torch.Generator())
BYTES = torch.zeros(2, 32, 32, 3, dtype=torch.uint8)


def dynamics(**given: Any) -> Any:
    return open_page(find_page("label_noise", "dynamics"), {"benchmark": "mnist-lenet", "scale": "laptop", **given})


def with_changes(**given: Any) -> Any:
    return changed(find_page("label_noise", "dynamics"), Changes(**given)).plans("mnist-lenet", "laptop")


Row = tuple[str, Callable[[], Any], tuple[str, ...]]
ROWS: list[Row] = [
    # pages, plans and the batch
    ("a page's scale", lambda: find_plan("mnist-lenet", "labtop"), ("'labtop'", "Did you mean 'laptop'", "paper")),
    ("a benchmark", lambda: find_plan("mnist-lenett", "smoke"), ("'mnist-lenett'", "Did you mean 'mnist-lenet'")),
    ("a benchmark without that scale", lambda: lost_in_pruning("cifar10-vgg16", "laptop"),
     ("cifar10-vgg16", "laptop", "paper")),
    ("a page of a paper", lambda: find_page("label_noise", "dynamic"), ("'dynamic'", "Did you mean 'dynamics'")),
    ("a page in the batch", lambda: command(["--page", "dynamic"]), ("'dynamic'", "Did you mean 'dynamics'")),
    ("a paper in the batch", lambda: command(["--paper", "label_nose"]), ("'label_nose'", "Did you mean 'label_noise'")),
    ("a profile", lambda: command(["--profile", "slrum"]), ("'slrum'", "Did you mean 'slurm'")),
    ("the batch's scale", lambda: command(["--scale", "big"]), ("'big'", "laptop, paper, short, smoke")),
    ("a change without a value", lambda: read_changes(["seeds"]), ("'seeds'", "name=value")),
    ("a change's name", lambda: read_changes(["sedes=1"]), ("'sedes'", "seeds")),
    ("a page's parameter", lambda: parameters.check(PAGE, {"sclae": "smoke"}), ("'sclae'", "Did you mean 'scale'")),
    ("a parameter's type", lambda: parameters.check(PAGE, {"recompute": "perhaps"}), ("recompute", "'perhaps'", "bool")),
    ("a page file", lambda: parameters.read("papers/label_noise/pages/dynamic.py"), ("dynamic.py",)),
    ("no folder of the project", lambda: plan.read_plans(Path("/")), ("start in the repository's folder",)),
    ("the name of a GPU", lambda: gpu.gpu_place(["gpu one"]).__enter__(), ("'gpu one'", "Allowed")),
    ("places on a GPU", lambda: gpu.gpu_place(["0"], 0).__enter__(), ("0", "1 or more")),
    # what a reader changes of a plan
    ("percent of noise", lambda: with_changes(noise_percents=(120,)), ("120", "0 to 100")),
    ("a seed twice", lambda: with_changes(seeds=(3, 3)), ("seeds has 3 twice", "each value once")),
    ("a negative seed", lambda: with_changes(seeds=(-1,)), ("-1", "from 0 on")),
    ("a fraction above one", lambda: with_changes(fraction=1.5), ("1.5", "Allowed")),
    ("too few images", lambda: with_changes(images=1), ("images is 1", "Allowed: from")),
    ("a negative number of levels", lambda: with_changes(levels=-2), ("-2", "1 or more")),
    ("a target where weights are pruned", lambda: with_changes(target="largest"), ("'largest'", "prunes weights")),
    ("a parameter of a page that is open", lambda: dynamics(benchmark="mnist"), ("'mnist'", "Did you mean 'mnist-lenet'")),
    # recipes and data
    ("an image set", lambda: data.load("cifar-10"), ("'cifar-10'", "Did you mean 'cifar10'")),
    ("an optimizer", lambda: RECIPE.but(optimizer="adamw"), ("adamw", "adam", "sgd")),
    ("a name in a recipe", lambda: RECIPE.but(epoch=3), ("epoch",)),
    ("no epochs", lambda: RECIPE.but(epochs=0), ("epochs", "greater than")),
    ("a corruption", lambda: RECIPE.but(data={"corruptions": ("frog",)}), ("'frog'", "Did you mean 'fog'")),
    ("a severity", lambda: data.corrupt(BYTES, "fog", 6), ("severity 6", "1, 2, 3, 4, 5")),
    ("images to corrupt", lambda: data.corrupt(BYTES.float(), "fog", 3), ("float32 [2, 32, 32, 3]", "uint8")),
    ("percent of wrong labels", lambda: data.noisy_count(10, 101), ("101", "0 to 100")),
    ("a kind of label noise", lambda: data.add_label_noise(LABELS, 10, "ohter", 2, torch.Generator()),
     ("'ohter'", "Did you mean 'other'")),
    ("constants", lambda: data.normalization("cifar11"), ("'cifar11'", "Did you mean 'cifar'", "mean NUMBERS std NUMBERS")),
    ("inputs to normalize", lambda: data.normalize(BYTES, data.normalization("mnist")), ("[2, 32, 32, 3]", "[N, H, W, 1]")),
    ("more held-out images than there are", lambda: data.split(10, 20, 0), ("20 validation examples of 10", "allowed")),
    ("a reader's images without labels", lambda: data.own_images(IMAGES), ("without labels", "folder")),
    ("a folder of images", lambda: data.own_images("no/such/folder"), ("no/such/folder",)),
    ("more images than there are", lambda: prepare(RECIPE.but(data={"train": 10**6}).data, [], torch.device("cpu")),
     ("1000000",)),
    ("a device", lambda: find_device("gpu"), ("'gpu'", "cpu", "auto")),
    # networks and pruning
    ("a network", lambda: build("lenet-300-10"),
     ("'lenet-300-10'", "Did you mean 'lenet-300-100'", "package.module:function")),
    ("a width that a network does not take", lambda: build("lenet-300-100", width=3), ("width", "leave that setting out")),
    ("a layer that stays whole", lambda: prunable_weights(LENET, ("outptu",)), ("'outptu'", "Did you mean 'output'")),
    ("a network with nothing to prune", lambda: prunable_weights(nn.ReLU()), ("ReLU", "convolution or linear layer")),
    ("a score", lambda: find_score("magnitud"), ("'magnitud'", "Did you mean 'magnitude'")),
    ("a share to prune", lambda: select({}, {}, 1.0), ("1.0", "inside (0, 1)")),
    ("filters that are not there", lambda: filters_of(LENET, ("hidden.0.weight",)), ("'hidden.0.weight'", "convolution")),
    ("a share of parameters", lambda: prune_parameters(LENET, {}, "magnitude", 1.5, BATCH), ("1.5", "inside (0, 1)")),
    ("a factor of width", lambda: algorithms.width_downscaling(RECIPE, 2, 1.2), ("1.2", "inside (0, 1)")),
    ("a number of levels", lambda: algorithms.learning_rate_rewinding(RECIPE, -1, PRUNE), ("-1", "0 (dense only) or more")),
    ("a reader's network", lambda: parameters_of(3), ("int", "nn.Module")),
    # measurements, printed numbers and the store
    ("a printed table", lambda: printed("label_noise", "table_99"), ("'table_99'", "Allowed")),
    ("a severity to measure", lambda: distributions(severities=(7,)), ("'7'", "1, 2, 3, 4, 5")),
    ("a negative level of noise", lambda: distributions(epsilons=(-0.1,)), ("-0.1", "from 0")),
    ("a target of BackSelect", lambda: informative_pixels(target="lable"),  # pyright: ignore
     ("'lable'", "Did you mean 'label'")),
    ("a split of corruptions", lambda: robust_split("txet"), ("'txet'", "Did you mean 'text'")),
    ("a level by name", lambda: level_quantity("optimium"), ("'optimium'", "Did you mean 'optimum'")),
    ("statistics along a path", lambda: loss_path("WR", "WR re-dense", "recompute"),  # pyright: ignore
     ("'recompute'", "recomputed")),
    ("an overlap of nothing", lambda: jaccard(torch.tensor([]), torch.tensor([])), ("at least one",)),
    ("what to clean", lambda: clean(Store(Path("/nowhere/store"))), ("older_than_days", "keep")),
    ("an archive that is none", lambda: import_(Store(Path("/tmp")), Path(__file__)),
     ("test_bad_inputs.py", "nothing was imported")),
]  # fmt: skip


def test_there_are_at_least_fifty():
    assert len(ROWS) >= 50 and len({what for what, _, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("do", "said"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_message_says_what_was_given_and_what_is_allowed(do, said):
    with pytest.raises((InputError, ValidationError)) as raised:
        do()
    message = str(raised.value)
    assert all(part in message for part in said), message
