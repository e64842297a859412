"""What TR's pages run, and that they show every figure."""

import re
from pathlib import Path

from lib.stages import stage_keys
from lib.stages.experiment_plan import plan_keys
from papers.training_regularization import example_figures, figures, recipes
from papers.training_regularization.experiments import PAGES, WORSENED
from papers.training_regularization.names import LRR, RND, TIE, TW

FOLDER = Path("papers/training_regularization/pages")
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py")}


def test_pages_open_themselves_and_show_every_figure():
    assert TEXTS.keys() == {*PAGES, "all_numbers"}, "which measures nothing"
    assert all(f'PAGES["{name}"]' in TEXTS[name] for name in PAGES)
    for module in (figures, example_figures):
        name = module.__name__.rpartition(".")[2]
        shown = {found for text in TEXTS.values() for found in re.findall(rf"\b{name}\.(\w+)\(", text)}
        decorated = {n for n, one in vars(module).items() if getattr(one, "__module__", "") == module.__name__}
        assert {n for n in decorated if hasattr(getattr(module, n), "__wrapped__")} <= shown
        assert shown <= vars(module).keys()


def test_every_stage_of_the_preliminaries_is_one_of_the_page_on_label_noise():
    for benchmark, scales in recipes.PLANS.items():
        for scale in scales:
            pages = [PAGES["preliminaries"], PAGES["additional_regularization"]]
            plans = [page.plans(benchmark, scale) for page in pages]
            own, other = (plan_keys(plan, page.chains(plan)) for page, plan in zip(pages, plans, strict=True))
            assert own and own <= other
            (replicate,) = plans[0].replicates()
            assert replicate.noise_percent == max(plans[1].noise_percents)


def test_every_page_begins_with_the_same_pruning():
    plan = recipes.plan("mnist-lenet", "paper")
    [sparse] = PAGES["additional_regularization"].chains(plan)
    assert sparse.algorithm == LRR
    assert all(page.chains(plan)[0] == sparse for page in PAGES.values())


def test_what_is_compared_shares_all_but_the_examples():
    page, [benchmark, *_] = PAGES["leaving_out_examples"], WORSENED
    plan = page.plans(benchmark, "smoke")
    names = [chain.algorithm for chain in page.chains(plan)]
    lenet = page.chains(page.plans("mnist-lenet", "smoke"))
    assert TW in names and TW not in [chain.algorithm for chain in lenet]
    pair = [next(chain for chain in page.chains(plan) if chain.algorithm == name) for name in (TIE, RND)]
    improved, randomly = ([{**dict(stage), "examples": None} for stage in chain.stages] for chain in pair)
    assert improved == randomly
    keys = [stage_keys(chain, plan.replicates()[0], plan.precision) for chain in pair]
    subset = pair[0].stages[-1].examples
    assert subset is not None
    judge = subset.judge
    assert keys[0][: judge + 1] == keys[1][: judge + 1]
    assert not set(keys[0][judge + 1 :]) & set(keys[1][judge + 1 :])
