"""Plans are checked, and say which runs there are and which of them the book shows."""

from pathlib import Path

import pytest

from lib.batch import plan
from lib.changes import Changes
from lib.errors import InputError

PAPERS = Path(__file__).parents[2] / "papers"


def with_plan(project: Path, text: str) -> plan.Plans:
    (project / "papers/toy/plan.yml").write_text(text)
    return plan.read_plans(project)


def test_a_grid_is_every_combination_with_the_scale(project: Path) -> None:
    plans = with_plan(project, "page: {grid: {smoke: {benchmark: [one, two], rate: [0.1], fast: [true]}, laptop: {}}}")
    first, second = plan.runs(plans, "smoke")
    assert first.parameters == {"benchmark": "one", "rate": 0.1, "fast": True, "scale": "smoke"}
    assert first.notebook == "runs/pages/toy/page/benchmark~one_rate~0.1_fast~true_scale~smoke.ipynb"
    assert second.pairs == ["benchmark=two", "rate=0.1", "fast=true", "scale=smoke"]
    assert [run.configuration for run in plan.runs(plans, "laptop")] == ["scale~laptop"]
    assert plan.runs(plans, "paper") == []


def test_a_page_without_a_plan_at_the_batchs_scale_is_drawn_at_another(project: Path) -> None:
    plans = with_plan(
        project, "page: {grid: {laptop: {benchmark: [one], scale: [paper]}}, book: {page: {benchmark: one}}}"
    )
    (run,) = plan.runs(plans, "laptop")
    assert run.parameters == {"benchmark": "one", "scale": "paper"}
    assert plan.book_pages(plans, "laptop", root=project)[0].executed == run.notebook
    with pytest.raises(InputError, match="only drawn at this scale.*--scale paper"):
        plan.changed([run], Changes(seeds=(7,)))


def test_lists_have_no_comma_in_the_name(project: Path) -> None:
    (run,) = plan.runs(with_plan(project, "page: {grid: {smoke: {levels: [[1, 2]]}}}"), "smoke")
    assert run.configuration == "levels~1+2_scale~smoke"
    assert run.pairs[0] == "levels=1,2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("page: {gird: {}}", "unknown key in .*plan.yml, page 'gird'. Did you mean 'grid'"),
        ("pages: {grid: {}}", "unknown page in .* 'pages'. Did you mean 'page'"),
        ("page: {grid: {labtop: {}}}", "unknown scale in .* 'labtop'. Did you mean 'laptop'"),
        ("page: {grid: {smoke: {rate: []}}}", "grid.smoke.0.rate: List should have at least 1 item"),
        ("page: {grid: {smoke: {benchmark: ['a,b']}}}", "cannot be part of a file's name"),
        ("page: {grid: {smoke: {}}, gpu: 3}", "gpu"),
        ("page: {grid: {smoke: 3}}", "grid.smoke"),
        ("page: {grid: {smoke: {}}, needs: [pag]}", "unknown page needed by toy/page 'pag'"),
        (
            "page: {grid: {smoke: {rate: [1.0]}}, book: {x: {rat: 1.0}}}",
            "unknown parameter of the book's page x",
        ),
        ("page: [", "not valid YAML"),
        ("page: 3", "needs a section"),
    ],
)
def test_mistakes_in_a_plan_are_named(project: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        with_plan(project, text)


def test_unknown_selections_are_refused(project: Path) -> None:
    plans = plan.read_plans(project)
    for options, said in (
        ({"scale": "papr"}, "unknown scale 'papr'. Did you mean 'paper'"),
        ({"scale": "laptop", "paper": "toi"}, "unknown paper 'toi'. Did you mean 'toy'"),
        ({"scale": "laptop", "page": "pag"}, "unknown page 'pag'. Did you mean 'page'"),
    ):
        with pytest.raises(InputError, match=said):
            plan.runs(plans, **options)


def test_no_plan_says_where_to_start(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="start in the repository's folder"):
        plan.read_plans(tmp_path)


def test_the_book_shows_this_scale_or_a_finished_run_of_another(project: Path) -> None:
    text = "page: {{grid: {{laptop: {{benchmark: [one, two]}}, paper: {{benchmark: [one]}}}}, book: {book}}}"
    plans = with_plan(project, text.format(book="{a: {benchmark: one}, b: {benchmark: two}}"))
    shown = {page.target: page.executed for page in plan.book_pages(plans, "paper", root=project)}
    two = "runs/pages/toy/page/benchmark~two_scale~laptop.ipynb"
    assert shown == {
        "book/papers/toy/a.ipynb": "runs/pages/toy/page/benchmark~one_scale~paper.ipynb",
        "book/papers/toy/b.ipynb": None,
    }
    (project / two).parent.mkdir(parents=True)
    (project / two).touch()
    assert plan.book_pages(plans, "paper", root=project)[1].executed == two
    with pytest.raises(InputError, match="could show any of: benchmark~one_scale~laptop, benchmark~two"):
        plan.book_pages(with_plan(project, text.format(book="{a: {}}")), "laptop")


@pytest.mark.parametrize("scale", plan.SCALES)
def test_the_plans_of_this_repository(scale: str) -> None:
    plans = plan.read_plans(PAPERS.parent)
    assert plan.runs(plans, scale)
    targets = [page.target for page in plan.book_pages(plans, scale, root=PAPERS.parent)]
    assert len(set(targets)) == len(targets) > 0


def test_a_scale_may_have_several_grids(project: Path) -> None:
    text = "page: {grid: {laptop: [{benchmark: [one], fast: [true]}, {benchmark: [two, three]}]}}"
    found = plan.runs(with_plan(project, text), "laptop")
    assert [run.configuration for run in found] == [
        "benchmark~one_fast~true_scale~laptop",
        "benchmark~two_scale~laptop",
        "benchmark~three_scale~laptop",
    ]
