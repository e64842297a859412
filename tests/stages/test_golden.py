"""Golden runs: they fail when the same description gives other numbers. Then raise NUMERICS_VERSION and write the new ones.

So do the defaults that keys leave out (A10): a stage that is kept under a key was trained with the defaults of its day.
"""

import pytest

from lib.stages import NUMERICS_VERSION, Execution, Prune, Stage, run
from lib.stages.algorithms import (
    learning_rate_rewinding,
    redense_training,
    weight_rewinding,
    without_improved_examples,
)
from lib.stages.filter_events import FilterEvents
from lib.stages.stage import Subset
from lib.training import DataRecipe, Precision, Recipe, Replicate

PRUNE = Prune(fraction=0.5)
REPLICATE = Replicate(seed=0, noise_percent=10.0)


def losses(chain, store, replicate=REPLICATE, precision: Precision = "float32"):
    """Return the training loss of every epoch of every stage."""
    (row,) = run(chain, [replicate], store, Execution("cpu", precision), progress=False).entries
    return [loss for entry in row for loss in entry.record["train_losses"]]


DENSE = [1.6515992, 0.7845718, 0.5718975]
REWOUND = [0.6302106, 0.4764018]
CONTINUED = [0.5504948, 0.4515828]
GOLDEN = {
    "learning-rate rewinding": [*DENSE, *CONTINUED],
    "learning-rate rewinding, SNIP score": [*DENSE, 0.775581, 0.5160933],
    "weight rewinding": [*DENSE, *REWOUND],
    "weight rewinding, gradient score": [*DENSE, 0.7863566, 0.5520118],
    "re-dense training": [*DENSE, *REWOUND, 0.6980287, 0.4959227, 0.4455295],
    "without improved examples": [*DENSE, *CONTINUED, 3.0275259, 0.572015, 0.3431177],
}


def test_golden_runs_of_algorithms(recipe, store):
    chains = [
        learning_rate_rewinding(recipe, 1, PRUNE),
        learning_rate_rewinding(recipe, 1, PRUNE.but(score="snip")),
        weight_rewinding(recipe, 1, PRUNE),
        weight_rewinding(recipe, 1, PRUNE.but(score="gradient", examples=64)),
        redense_training(recipe, 1, PRUNE)[-1],
        without_improved_examples(recipe, 1, PRUNE)[-1],
    ]
    found = {chain.algorithm: losses(chain, store) for chain in chains}
    assert NUMERICS_VERSION == 1
    assert found == {name: pytest.approx(golden, rel=1e-3) for name, golden in GOLDEN.items()}


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 5e-3), ("bfloat16", 2e-2)])
def test_golden_run_of_convolutions(objects_recipe, store, precision, tolerance):
    """The same for SGD, augmentation, batch normalization and learning-rate drops."""
    chain = learning_rate_rewinding(objects_recipe, 1, PRUNE)
    found = losses(chain, store, Replicate(seed=0), precision)
    assert found == pytest.approx(GOLDEN_CONVOLUTIONS[precision], rel=tolerance)


GOLDEN_CONVOLUTIONS = {
    "float32": [2.4905205, 2.2412508, 2.1888831],
    "bfloat16": [2.4913108, 2.2639163, 2.2266331],
}

DEFAULTS = {
    DataRecipe: {
        "split_seed": 0, "train": None, "test": None, "augmentation": "none", "noise": "other", "corruptions": (),
        "severities": (3,),
    },
    Recipe: {
        "task": "classification", "width": None, "width_scale": 1.0, "normalization_scale": "uniform",
        "initial_bias": "uniform", "initial_weights": "fan-in", "backbone": "", "momentum": 0.0, "weight_decay": 0.0,
        "drop_epochs": (), "drop_factor": 0.1, "warmup_epochs": 0, "rewind_epoch": 0, "rewind_step": 0,
        "record_epochs": False, "nesterov": False, "decay_power": 0.0,
    },
    Replicate: {"noise_percent": 0.0, "shared": (), "dimensions": ()},
    Prune: {"score": "magnitude", "fraction": 0.2, "keep": None, "scope": "global", "examples": None},
    Subset: {"reference": 1, "share": 0.2, "added": 0.01, "equal_steps": False},
    FilterEvents: {
        "target": "smallest", "score": "l2", "effect": "prune", "batches": 1, "first_variance": 1.0, "restore": False,
        "normalization": True, "images": None,
    },
    Stage: {
        "prune": None, "lift_masks": False, "filters": None, "examples": None, "from_step": 0, "to_step": 0, "level": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("description", DEFAULTS)
def test_defaults_that_keys_leave_out_are_those_of_this_version(description):
    """A new setting is added above; a changed default makes kept stages wrong, so it needs a new NUMERICS_VERSION."""
    assert NUMERICS_VERSION == 1
    fields = description.model_fields.items()
    assert {name: field.default for name, field in fields if not field.is_required()} == DEFAULTS[description]
