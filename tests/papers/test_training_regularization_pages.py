"""What TR's pages run, and that they show every figure."""

import re
from pathlib import Path

from lib.stages import stage_keys
from lib.stages.experiment_plan import plan_keys
from papers.training_regularization import example_figures, figures, observations, recipes
from papers.training_regularization.experiments import PAGES, WORSENED
from papers.training_regularization.names import LRR, RND, TIE, TW

FOLDER = Path("papers/training_regularization/pages")
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py")}


READS_TABLES = {"opening", "closing", "all_numbers", "agreement"}
"""Pages that measure nothing."""
NOTHING_TO_OBSERVE = {"learning_rate_while_pruning", "paired_runs", "printed_table", "group_images", "worst_fitted_images",
                      "example_stories"}  # fmt: skip
"""Figures of a recipe, of made-up numbers, tables, and images by themselves."""


def figures_on(text: str) -> list[str]:
    """Return the figures that a page shows, in order."""
    return re.findall(r"^(?:example_)?figures\.(\w+)\(", text, re.MULTILINE)


def test_pages_open_themselves_and_show_every_figure():
    assert TEXTS.keys() == {*PAGES, *READS_TABLES}
    assert all(f'PAGES["{name}"], vars()' in TEXTS[name] for name in PAGES)
    for module in (figures, example_figures):
        name = module.__name__.rpartition(".")[2]
        shown = {found for text in TEXTS.values() for found in re.findall(rf"\b{name}\.(\w+)\b", text)}
        decorated = {n for n, one in vars(module).items() if getattr(one, "__module__", "") == module.__name__}
        assert {n for n in decorated if hasattr(getattr(module, n), "__wrapped__")} <= shown
        assert shown <= vars(module).keys()


def test_each_figure_is_followed_by_what_is_seen_in_it():
    for name, text in TEXTS.items():
        for figure in {*figures_on(text)} - NOTHING_TO_OBSERVE:
            after = text.split(f"igures.{figure}(", 1)[1]
            following = after.split("# %%", 2)[1]
            assert f"observations.{figure}(" in following, (name, figure)
            assert hasattr(observations, figure)


def test_a_page_shows_a_computation_its_chains_and_answers():
    for name, text in TEXTS.items():
        if name in READS_TABLES:
            continue
        order = [
            "## The idea",
            "by hand",
            "show_source(",
            'tags=["parameters"]',
            "page = open_page",
            "## What it means",
        ]
        order = order if name != "preliminaries" else order[:-1]
        places = [text.index(mark) for mark in order]
        assert places == sorted(places), name
        assert f"observations.learned_{name}(page.tables)" in text
        exercises = re.findall(r"^# \*\*\d\. (.+?)\*\*", text.split("## Try it")[1], re.MULTILINE)
        assert len(exercises) == text.count(":::{dropdown} Answer") >= 3, name
        assert all(re.search(r"second|minute|thought", one) for one in exercises), exercises


def test_pages_refer_to_each_other_by_title():
    assert not [name for name, text in TEXTS.items() if re.search(r"[Tt]he page on section", text)]


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
