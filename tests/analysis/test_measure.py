"""From stages to tables: every row once, bit for bit, and no table drawn whose recipe has moved on."""

import shutil
from dataclasses import replace

import pytest

from lib.analysis import drawn
from lib.analysis.drawn import group_examples, tables, training_examples
from lib.analysis.example_groups import GROUP_SCORE, GROUPS, score_rows, scores
from lib.analysis.measure import commit, main, measure
from lib.analysis.pages import Page, is_current, missing_algorithms
from lib.analysis.tables import read, write
from lib.errors import InputError
from lib.stages.algorithms import extended_dense_training, learning_rate_rewinding
from lib.stages.experiment_plan import Plan, Prune


@pytest.fixture
def page(recipe):
    """A page with two chains that share the dense network."""
    plan = Plan(recipe=recipe, prune=Prune(fraction=0.5), levels=1, seeds=(0, 1), noise_percents=(0.0, 20.0))

    def plans(benchmark: str, scale: str) -> Plan:
        return plan

    def chains(plan: Plan):
        return [
            learning_rate_rewinding(plan.recipe, plan.levels, plan.prune),
            extended_dense_training(plan.recipe, 1),
        ]

    return Page("toy", "page", plans, chains)


def test_a_table_has_every_row_once(page, tmp_path):
    table = measure(page, "digits", "laptop", str(tmp_path / "store"), "cpu", repository_root=tmp_path)
    frame = table.frame
    # two algorithms × two levels × two seeds × (3 subsets without noise + 5 with)
    assert len(frame) == 2 * 2 * 2 * (3 + 5)
    assert table.provenance.seeds == (0, 1) and table.provenance.stacking == "stacked"
    assert sorted(set(frame["epochs_trained"])) == [3, 5]
    level_one = frame[(frame["level"] == 1) & (frame["subset"] == "test") & (frame["noise_percent"] == 0.0)]
    assert sorted(set(level_one["weights_remaining_percent"])) == [50.0, 100.0]
    again = read(tmp_path / "runs" / "tables" / "toy" / "page" / "digits_laptop.csv")
    assert again.frame.equals(frame)
    assert again.provenance.store_keys == 4 * 4  # the dense stages are shared


def test_a_page_draws_what_is_current_and_trains_only_when_asked(page, recipe, tmp_path, monkeypatch):
    store = str(tmp_path / "store")
    first = tables(page, "digits", "laptop", store=store, device="cpu", repository_root=tmp_path)
    assert [t.label.split(",")[0] for t in first.current] == ["laptop"] and not first.stale
    monkeypatch.setattr(drawn, "measure", lambda *a, **k: pytest.fail("trained again"))
    second = tables(page, "digits", "laptop", store=store, device="cpu", repository_root=tmp_path)
    assert len(second.current) == 1
    committed = tmp_path / "papers" / "toy" / "results" / "page"
    shutil.copytree(tmp_path / "runs" / "tables" / "toy" / "page", committed)
    once = tables(page, "digits", "laptop", store=store, device="cpu", repository_root=tmp_path)
    assert [t.origin for t in once.current] == ["this machine"]
    file = committed / "digits_laptop.csv"
    other = read(file)
    write(
        replace(other, frame=other.frame.assign(cross_entropy_nats=other.frame["cross_entropy_nats"] + 0.1)),
        committed,
        file.stem,
    )
    both = tables(page, "digits", "laptop", store=store, device="cpu", repository_root=tmp_path)
    assert [t.origin for t in both.current] == ["this machine", "committed"] and len(both.one_per_scale) == 1
    monkeypatch.undo()

    plan = page.plans("", "")
    for update in (
        {"noise_percents": (0.0, 40.0)},
        {"noise_percents": (0.0, 20.0, 40.0)},
        {"precision": "bfloat16"},
        {"seeds": (5, 6)},
    ):
        other = Page(
            page.paper, page.name, lambda benchmark, scale, u=update: plan.model_copy(update=u), page.chains
        )
        assert not is_current(other, first.current[0]), update
    more = Page(
        page.paper,
        page.name,
        lambda benchmark, scale: plan.model_copy(update={"seeds": (0, 1, 2)}),
        page.chains,
    )
    assert is_current(more, first.current[0])
    changed = plan.model_copy(update={"recipe": recipe.model_copy(update={"epochs": 2})})
    moved = Page(page.paper, page.name, lambda benchmark, scale: changed, page.chains)
    after = tables(moved, "digits", "laptop", store=store, device="cpu", repository_root=tmp_path)
    assert [t.origin for t in after.current] == ["this machine"] and [t.origin for t in after.stale] == [
        "committed"
    ]
    assert "recipe has changed" in after.note


def test_a_part_does_not_replace_a_whole_table(page, tmp_path):
    def seeds(*wanted):
        return measure(
            page, "digits", "laptop", str(tmp_path / "store"), "cpu", wanted, repository_root=tmp_path
        )

    commit(page, seeds(1), tmp_path)
    commit(page, seeds(0, 1), tmp_path)
    with pytest.raises(InputError, match="only \\(0,\\)"):
        commit(page, seeds(0), tmp_path)
    with pytest.raises(InputError, match="unknown seed 7"):
        seeds(7)


def test_a_table_may_be_measured_algorithm_by_algorithm(page, tmp_path):
    def some(*names):
        return measure(
            page, "digits", "laptop", str(tmp_path / "store"), "cpu", None, tmp_path, algorithms=names
        )

    part = some("learning_rate_rewinding")
    assert is_current(page, part) and missing_algorithms(page, part) == ["extended_dense_training"]
    commit(page, part, tmp_path)
    shutil.rmtree(tmp_path / "runs")
    found = tables(page, "digits", "laptop", device="cpu", repository_root=tmp_path)  # trains nothing
    assert [t.origin for t in found.current] == ["committed"]
    assert "Not whole yet" in found.note and "extended_dense_training" in found.note
    commit(page, some("learning_rate_rewinding", "extended_dense_training"), tmp_path)
    with pytest.raises(InputError, match="algorithms"):
        commit(page, part, tmp_path)
    with pytest.raises(InputError, match="unknown algorithm of this page 'weight"):
        some("weight_rewinding")


def test_worst_training_examples_come_from_the_store(page, tmp_path):
    store = str(tmp_path / "store")
    with pytest.raises(InputError, match="recompute=True"):
        training_examples(page, "digits", "laptop", 20.0, 1, store)
    measure(page, "digits", "laptop", store, "cpu", repository_root=tmp_path)
    images, labels, original, losses = training_examples(page, "digits", "laptop", 20.0, 1, store, count=10)
    assert images.shape == (10, 28, 28, 1) and losses.tolist() == sorted(losses.tolist(), reverse=True)
    assert (labels != original).float().mean() > 0.5
    ask = (page, "digits", "laptop", 20.0, 1, store, 10)
    assert training_examples(*ask, "learning_rate_rewinding")[3].equal(losses)
    assert not training_examples(*ask, "extended_dense_training")[3].equal(losses)
    with pytest.raises(InputError, match="weight_rewinding"):
        training_examples(*ask, "weight_rewinding")


def test_examples_of_a_group_come_from_the_store(page, tmp_path):
    def with_scores(plan, results, run):
        return score_rows(results[0], scores(plan, run))

    scored, store = replace(page, quantities=with_scores), str(tmp_path / "store")
    with pytest.raises(InputError, match="recompute=True"):
        group_examples(scored, "digits", "laptop", 20.0, 20, store)
    made = measure(scored, "digits", "laptop", store, "cpu", repository_root=tmp_path)
    assert set(made.quantities["quantity"]) == {GROUP_SCORE} and is_current(scored, made)
    mean = made.quantities.query("seed == 0 and noise_percent == 20 and position == 20")["value"].item()
    images, labels, original, score = group_examples(scored, "digits", "laptop", 20.0, 20, store, count=500)
    assert len(images) == len(labels) == len(original) == 300 // GROUPS
    assert score.tolist() == sorted(score.tolist()) and float(score.mean()) == pytest.approx(mean, rel=1e-3)
    assert (labels != original).float().mean() > 0.5, "the hardest examples have wrong labels"
    assert float(group_examples(scored, "digits", "laptop", 20.0, 1, store, 5)[3].max()) < mean
    with pytest.raises(InputError, match="between 1"):
        group_examples(scored, "digits", "laptop", 20.0, 0, store)


def test_bad_names_on_the_command_line(capsys):
    assert main(["training_regularization", "additional_regularisation", "mnist-lenet", "smoke"]) == 2
    assert "Did you mean 'additional_regularization'" in capsys.readouterr().err
    assert main(["training_regularization", "additional_regularization", "mnist", "smoke"]) == 2
    assert "mnist-lenet" in capsys.readouterr().err


@pytest.mark.parametrize("separable", [True, False])
def test_quantities_of_a_part_are_measured_where_they_can_be(page, tmp_path, separable):
    def one_each(plan, results, run):
        for result in results:
            for replicate, entries in zip(result.replicates, result.entries, strict=True):
                yield {
                    "algorithm": result.chain.algorithm, "noise_percent": replicate.noise_percent,
                    "seed": replicate.seed, "level": 0, "quantity": "stages", "position": 0.0,
                    "value": float(len(entries)), "stage_key": entries[-1].key,
                }  # fmt: skip

    asked = replace(page, quantities=one_each, separable=separable)
    store = str(tmp_path / "store")
    part = measure(
        asked, "digits", "laptop", store, "cpu", [0], tmp_path, algorithms=["learning_rate_rewinding"]
    )
    assert (len(part.quantities) > 0) == separable
    assert set(part.quantities["seed"]) <= {0}
