"""What is current and what is missing: recipe, seeds, levels, and how a measurement measures."""

import contextlib
import csv
import dataclasses
import importlib
import math
import sys

import pandas
import pytest

from lib.analysis import experiments
from lib.analysis.experiments import (
    SUBSETS,
    UNSTEADINESS,
    Measurement,
    committed_tables,
    current,
    errors_of,
    find_page,
    missing,
    pages_of,
)
from lib.analysis.files import REPOSITORY
from lib.analysis.part import make_frame
from lib.analysis.table import SIZE, assemble, find_tables
from lib.changes import Changes
from lib.errors import InputError
from lib.stages import Prune, Results, stage_keys
from lib.stages.algorithms import learning_rate_rewinding
from tests.analysis.made import TEST, provenance
from tests.analysis.stages import finished

LRR, EDT = "learning-rate rewinding", "extended dense training"


def table_of(page, **changes):
    """Return the table that a page would have measured, without training; the lower the level, the higher the error."""
    plan, frames, parts = page.plans("", ""), [], {}
    for chain in page.chains(plan):
        name = chain.algorithm.replace(" ", "_").replace("-", "_")
        rows = [
            {
                "noise_percent": r.noise_percent, "algorithm": chain.algorithm, "seed": r.seed, "level": stage.level,
                "quantity": quantity, "value": 9.0 - stage.level, "stage_key": key,
            }
            for r in plan.replicates()
            for stage, key in zip(chain.stages, stage_keys(chain, r, plan.precision), strict=True)
            if stage.level is not None
            for quantity in (TEST, SIZE)
        ]  # fmt: skip
        frames.append(make_frame(rows, page.dimensions, name))
        parts[name] = provenance(seeds=plan.seeds, algorithms=(chain.algorithm,))
        more = [row | {"quantity": "last epoch"} for row in rows if row["quantity"] == TEST]
        frames.append(make_frame(more, page.dimensions, f"last_epoch_page_of_{name}"))
        made = provenance(seeds=plan.seeds, algorithms=(chain.algorithm,), measurements={"last epoch": "1; groups=20"})
        parts[f"last_epoch_page_of_{name}"] = made
    return assemble("toy", "digits", "laptop", page.dimensions, frames, {**parts, **changes})


def without(table, **where):
    """Return a table without the rows that have these values."""
    lost = table.where(**where).frame.index
    return table.with_frame(table.frame.drop(index=lost))


def test_what_a_page_would_measure_today_is_current_and_nothing_is_missing(page, paper):
    paper(page)
    table = table_of(page)
    fresh, stale = current(table)
    assert fresh.frame.equals(table.frame) and stale == [] and missing(page, fresh, "", "") == []


@pytest.mark.parametrize(
    "changes", [{"noise_percents": (40.0,)}, {"precision": "bfloat16"}, {"seeds": (5, 6)}, {"levels": 0}]
)
def test_rows_of_networks_that_no_page_trains_today_are_stale(page, paper, changes):
    table = table_of(page)
    paper(page, **changes)
    fresh, stale = current(table)
    assert len(fresh.frame) < len(table.frame) and "learning_rate_rewinding" in stale


def test_a_changed_setting_or_version_makes_a_measurement_stale(page, paper):
    """A6: the code and the constants of a measurement belong to what is current."""
    table = table_of(page)
    for change in ({"settings": {"groups": 10}}, {"version": 2}):
        other = dataclasses.replace(page, measurements=(dataclasses.replace(page.measurements[0], **change),))
        paper(other)
        fresh, stale = current(table)
        assert "last epoch" not in set(fresh.frame["quantity"]) and TEST in set(fresh.frame["quantity"])
        assert stale == [
            "last_epoch_page_of_extended_dense_training",
            "last_epoch_page_of_learning_rate_rewinding",
        ]
        assert missing(other, fresh, "", "") == ["last epoch"]
    sizes = {"laptop": {"c": (1, 2)}, "short": {"c": None}}
    of_two_scales = Measurement("x", lambda context: (), 2, {"b": 1, "a": 1e-5}, sizes=sizes)
    assert of_two_scales.identity("laptop") == "2; a=1e-05; b=1; c=1 2"
    assert of_two_scales.identity("short") == "2; a=1e-05; b=1; c=all"


def test_a_stale_row_hides_no_current_one(page, paper):
    paper(page)
    table = table_of(page)
    rows = table.every_row
    assert rows is not None
    again = rows.loc[rows["part"] == "learning_rate_rewinding"]
    later = again.assign(part="later", stage_key="of another recipe", value=99.0)
    frames, parts = [rows, later], {**table.parts, "later": provenance()}
    both = assemble("toy", "digits", "laptop", page.dimensions, frames, parts)
    assert both.frame["value"].tolist().count(99.0) == len(again)
    fresh, stale = current(both)
    assert stale == ["later"] and missing(page, fresh, "", "") == [] and 99.0 not in fresh.frame["value"].tolist()


def test_levels_are_chosen_from_current_rows_alone(page, paper):
    table = table_of(page)
    assert set(table.frame.loc[table.frame["quantity"] == "highest improving (level)", "value"]) == {1.0}
    paper(page, levels=0)
    fresh, _ = current(table)
    assert "highest improving (level)" not in set(fresh.frame["quantity"])


def test_fewer_seeds_or_levels_are_missing_by_name(page, paper):
    """A7: a part of a table is said to be a part."""
    paper(page)
    table = table_of(page)
    fewer = without(table, seed=1, algorithm=LRR)
    assert missing(page, fewer, "", "") == [f"{LRR} (seeds 1, levels 0, 1)"]
    assert missing(page, without(table, level=1, algorithm=EDT), "", "") == [f"{EDT} (seeds 0, 1, levels 1)"]
    assert missing(page, without(table, algorithm=EDT), "", "") == [EDT, "last epoch"]
    assert missing(page, table.with_frame(table.frame.head(0)), "", "") == [LRR, EDT, "last epoch"]
    more = paper(page, seeds=(0, 1, 2), levels=2)
    assert missing(more, current(table)[0], "", "") == [
        f"{LRR} (seeds 0, 1, 2, levels 0, 1, 2)", f"{EDT} (seeds 0, 1, 2, levels 0, 1, 2)", "last epoch",
    ]  # fmt: skip


def test_nothing_follows_a_network_that_diverged(page, paper):
    paper(page)
    table = table_of(page)
    frame = without(table, seed=1, level=1).frame
    gone = (frame["seed"] == 1) & (frame["quantity"] == TEST)
    table = table.with_frame(frame.assign(value=frame["value"].mask(gone)))
    assert missing(page, table, "", "") == []


def test_errors_of_every_network(recipe):
    epochs = {"test": [float(e) for e in (9, 8, 7, 6, 5, 4, 5, 6, 7, 8, 9, 10)]}
    [chain] = page_chains(recipe)
    results = finished(chain, epoch_errors=epochs, test=12.0)
    rows = [row for row in errors_of(results) if row["level"] == 0]
    found = {row["quantity"]: row["value"] for row in rows}
    assert found["test error (%)"] == 12.0 and found["best test error (%)"] == 4.0
    assert found[UNSTEADINESS] == pytest.approx(10 - sum(epochs["test"][-10:]) / 10)
    assert found["weights remaining (%)"] == 50.0 and found["epochs trained"] == recipe.epochs
    assert found["test examples"] == 10 and "test loss (nats)" in found
    assert set(SUBSETS) == {"test", "validation", "train", "train_noisy", "train_original", "train_restored"}


def test_a_network_that_diverged_has_no_error(recipe):
    [chain] = page_chains(recipe)
    results = finished(chain)
    results.entries[0][-1].record["diverged"] = True
    rows = [row for row in errors_of(results) if row["level"] == 1]
    assert math.isnan(next(row["value"] for row in rows if row["quantity"] == TEST))
    early = Results(chain, results.replicates, (results.entries[0][:1],))
    early.entries[0][0].record["diverged"] = True
    assert {row["level"] for row in errors_of(early)} == {0}, "a preparation that diverged stands for the dense network"


def page_chains(recipe):
    return [learning_rate_rewinding(recipe, 1, Prune(fraction=0.5))]


def test_pages_are_found_by_name():
    assert set(pages_of("label_noise")) >= {"double_descent", "dynamics"}
    with pytest.raises(InputError, match="double_descent"):
        find_page("label_noise", "double_decent")


PAPERS = "training_regularization", "label_noise", "generalization_stability", "lost_in_pruning"


@pytest.mark.parametrize("paper", PAPERS)
def test_every_page_has_chains_for_its_plans_and_claims_of_its_paper(paper):
    with (REPOSITORY / "papers" / "claims.csv").open(encoding="utf-8") as file:
        known = {row["id"] for row in csv.DictReader(file)}
    asked = [claim for page in pages_of(paper).values() for claim in page.claims]
    assert set(asked) <= known and len(asked) == len(set(asked))
    benchmarks = importlib.import_module(f"papers.{paper}.recipes").PLANS
    for name, one in pages_of(paper).items():
        plans = []
        for benchmark in benchmarks:
            with contextlib.suppress(InputError):  # a page need not speak of every benchmark
                plans.append(one.plans(benchmark, "smoke"))
        assert one.name == name and plans
        for plan in plans:
            assert one.chains(plan)
            for measurement in one.measurements:
                for chain, replicates in measurement.chains(plan):
                    assert chain.stages and replicates


@pytest.mark.parametrize("paper", PAPERS)
def test_every_committed_table_is_current(paper):
    tables = [table for table in find_tables(paper) if table.origin == "committed"]
    assert tables and not [(table.label, stale) for table in tables if (stale := current(table)[1])]


def test_what_a_recipe_has_moved_on_from_is_no_committed_table(monkeypatch):
    whole = next(one for one in find_tables("label_noise", "mnist-lenet", "laptop") if one.origin == "committed")
    keys = whole.frame["stage_key"]
    for kept in (["weight rewinding"], []):
        frame = whole.frame.assign(stage_key=keys.where(whole.frame["algorithm"].isin(kept), "of old"))
        monkeypatch.setattr(experiments, "find_tables", lambda *given, frame=frame: [whole.with_frame(frame)])
        assert [[*one.frame["algorithm"].unique()] for one in committed_tables("label_noise")] == [kept] * bool(kept)


@pytest.mark.parametrize("paper", PAPERS)
def test_committed_parts_say_the_same_of_the_same_network(paper):
    for folder in sorted((REPOSITORY / "papers" / paper / "results").iterdir()):
        frame = pandas.concat([pandas.read_csv(path) for path in sorted(folder.glob("*.csv"))])
        said = frame.groupby([name for name in frame if name != "value"], dropna=False)["value"].agg(["min", "max"])
        differ = said.query("max - min > 1e-6 * abs(max)")
        assert differ.empty, (folder.name, differ.index[:3].tolist())


def test_a_score_of_the_readers_own_has_other_keys_once_it_is_changed(page, paper, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    paper(page)
    found = []
    for sign in ("", "-"):
        (tmp_path / "own_score.py").write_text(f"def score(module, names, batch): return {sign}1\n")
        importlib.reload(importlib.import_module("own_score"))
        found.append(experiments.keys_today("toy", "digits", "laptop", Changes(score="own_score:score")))
    sys.modules.pop("own_score")
    assert found[0] != found[1] and found[0] & found[1], "the dense networks are the same"
