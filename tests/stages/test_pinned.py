"""What an experiment is made of, pinned: keys of stages, and every whole number or choice that is drawn for it.

A change that makes one of these differ changes experiments: raise `NUMERICS_VERSION`, or leave the result as it was. To pin
anew, with a reason in the commit: python -m tests.stages.test_pinned --write
"""

import hashlib
import importlib
import json
import sys
from pathlib import Path

import torch
from torch import nn

from lib import data
from lib.errors import InputError
from lib.pruning import Batch, find_score, select
from lib.pruning.methods import prune_parameters
from lib.stages.stage import Subset, stage_keys
from lib.stages.subsets import choose
from lib.training import DataRecipe, Replicate
from lib.training.sources import augmentation_draws, corruption_draws, data_order

PINNED = Path(__file__).with_name("pinned.json")
PAPERS = ("label_noise", "training_regularization", "generalization_stability", "lost_in_pruning")
SCALES = ("laptop", "short", "paper")
WHOLE = ("mnist-lenet", "cifar10-vgg11")
"""Of other benchmarks there are thousands of keys at the larger scales."""


def sha(*tensors: torch.Tensor) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tuple(tensor.shape)}".encode() + tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def keys() -> dict[str, str]:
    """Return a digest of all stage keys for each chain of each page, replicates in the plan's order."""
    found = {}
    experiments = [importlib.import_module(f"papers.{paper}.experiments") for paper in PAPERS]
    for page in (page for module in experiments for page in module.PAGES.values()):
        recipes = importlib.import_module(f"papers.{page.paper}.recipes")
        for benchmark, scales in recipes.PLANS.items():
            for scale in scales:
                if scale not in SCALES or (scale != "laptop" and benchmark not in WHOLE):
                    continue
                try:
                    plan = page.plans(benchmark, scale)
                except InputError:  # a page need not speak of every benchmark
                    continue
                for place, chain in enumerate(page.chains(plan)):
                    rows = [stage_keys(chain, r, plan.precision) for r in plan.replicates()]
                    digest = hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
                    found[f"{page.paper}/{page.name}/{benchmark}/{scale}/{place:02d}"] = digest
    return found


def choices() -> dict[str, str]:
    """Return a digest of everything that is drawn for an experiment."""
    replicates = [Replicate(seed=s, noise_percent=20.0) for s in (0, 3)]
    labels = torch.arange(500) % 10
    own = torch.Generator().manual_seed(0)
    losses = torch.rand(2, 200, generator=own), torch.rand(200, generator=own) > 0.5
    found = {
        "data order": sha(data_order(replicates, 2, 5, 500)),
        "data order of subsets": sha(data_order(replicates, 2, 5, 300, [torch.arange(0, 500, 3), torch.arange(200)])),
        "augmentation": sha(augmentation_draws(replicates, 2, 5, 300, 128)),
        "split": sha(*data.split(1000, 100, 0)),
    }
    for kind in data.NOISE_KINDS:
        noise = [data.add_label_noise(labels, 20.0, kind, 10, r.generator("label noise")) for r in replicates]
        found[f"noisy labels, {kind}"] = sha(*(n.labels for n in noise), *(n.noisy for n in noise))
    for rule in ("correct", "without_improved", "without_random", "with_worsened", "with_random"):
        subset = Subset(rule=rule, judge=3, share=0.4, added=0.01, equal_steps=True)
        chosen = choose(subset, losses[0][0], losses[0][1], losses[1], replicates[0].generator("subset", 3))
        found[f"subset, {rule}"] = sha(chosen)
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 4))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=own))
    images, labels = torch.randn(8, 3, 2, 2, generator=own), torch.arange(8) % 4
    names = ["1.weight", "3.weight"]
    masks = {name: torch.ones_like(module.get_parameter(name), dtype=torch.bool) for name in names}
    for score in ("magnitude", "random", "gradient", "snip", "synflow"):
        batch = Batch(images, labels, replicates[0].generator("score", 4))
        kept = select(find_score(score)(module, names, batch), masks, 0.3)
        found[f"mask, {score}"] = sha(*kept.values())
    for method in ("magnitude", "sipp", "ft", "pfp"):
        batch = Batch(images, labels, replicates[0].generator("score", 4))
        found[f"masks of all parameters, {method}"] = sha(*prune_parameters(module, masks, method, 0.6, batch).values())
    recipe = DataRecipe(image_set="cifar10", validation=0, normalization="cifar", corruptions=("fog", "snow"))
    for severities in ((3,), (0, 1, 2, 3, 4, 5)):
        drawn = corruption_draws(replicates, 2, 5, 300, recipe.but(severities=severities))
        found[f"corruptions of severity {', '.join(map(str, severities))}"] = sha(drawn)
    return found


def test_keys_are_those_that_tables_and_stores_know():
    assert keys() == json.loads(PINNED.read_text())["keys"]


def test_what_is_drawn_for_an_experiment_is_unchanged():
    assert choices() == json.loads(PINNED.read_text())["choices"]


if __name__ == "__main__" and "--write" in sys.argv:
    PINNED.write_text(json.dumps({"keys": keys(), "choices": choices()}, indent=1) + "\n")
