"""Before a batch starts it can say what it would take, each stage once."""

import json
from dataclasses import replace

from lib.analysis.cost import lasting
from lib.batch import outlook, plan
from lib.batch.__main__ import command
from lib.changes import NO_CHANGES, Changes


def wanted(page: str = "", changes: Changes = NO_CHANGES) -> list[plan.Run]:
    return plan.changed(plan.runs(plan.read_plans(), "laptop", "label_noise", page), changes)


def test_a_stage_that_pages_share_counts_in_the_first_of_them(tmp_path):
    found = outlook.costs(wanted(), store=str(tmp_path))
    alone = {page: outlook.costs(wanted(page), store=str(tmp_path)) for page in {run.page for run, _ in found}}
    keys = frozenset().union(*(cost.keys for those in alone.values() for _, cost in those))
    assert sum(cost.missing for _, cost in found) == len(keys)
    assert found[0][1] == alone[found[0][0].page][0][1]
    said = outlook.outlook(found, "cpu")
    assert f"In all, {len(found)} runs miss {len(keys):,} stages: about " in said and "on disk" in said
    adding = [run for run, cost in found if cost.missing]
    assert all(f"label_noise/{run.page}, " in said for run in adding)
    assert f"{len(found) - len(adding)} further runs add nothing to train." in said


def test_a_change_does_not_train_what_the_page_only_draws():
    assert [run.parameters["benchmark"] for run in wanted("dynamics")] == ["mnist-lenet", "cifar10-resnet18"]
    assert [run.parameters["benchmark"] for run in wanted("dynamics", Changes(seeds=(7,)))] == ["mnist-lenet"]


def test_what_a_reader_changes_is_counted(tmp_path):
    one = outlook.costs(wanted("dynamics", Changes(seeds=(7,))), store=str(tmp_path))
    two = outlook.costs(wanted("dynamics", Changes(seeds=(7, 8))), store=str(tmp_path))
    assert 2 * one[0][1].missing == two[0][1].missing


def test_devices_that_were_measured_have_a_column_of_their_own(tmp_path):
    found = outlook.costs(wanted("dynamics"), store=str(tmp_path))
    costs = tmp_path / "book" / "costs"
    costs.mkdir(parents=True)
    (costs / "pages_cuda.csv").write_text(
        "paper,page,benchmark,scale,replicate_epochs,seconds,basis\n"
        "label_noise,another,mnist-lenet,laptop,100,50.0,estimated\n"
    )
    (costs / "pages_cuda.json").write_text(json.dumps({"device": "a big GPU"}))
    (device,) = outlook.devices(tmp_path)
    assert (device.name, device.kind) == ("a big GPU", "cuda")
    ((run, cost),) = found
    assert device.seconds(run, cost) == 0.5 * cost.epochs
    assert device.seconds(replace(run, parameters=run.parameters | {"scale": "paper"}), cost) is None
    said = outlook.outlook(found, "cpu", tmp_path)
    assert "A: a big GPU" in said and "memory (cuda)" in said and "memory (cpu)" in said
    assert lasting(0.5 * found[0][1].epochs) in said


def test_a_time_that_nothing_tells_is_a_question_mark(tmp_path):
    found = outlook.costs(wanted("dynamics"), store=str(tmp_path), root=tmp_path)
    assert found[0][1].seconds is None
    assert "?" in outlook.outlook(found, "cpu", tmp_path)


def test_pages_that_only_draw_are_left_out_and_nothing_is_said_to_be_missing():
    assert outlook.costs(wanted("closing")) == []
    assert outlook.outlook([]) == "In all, 0 runs: nothing is left to train."


def test_the_command_says_it_and_starts_nothing(capsys):
    assert command(["--plan", "--page", "dynamics", "--scale", "smoke"]) is None
    assert "label_noise/dynamics" in capsys.readouterr().out
