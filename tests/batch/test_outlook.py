"""Before a batch starts it can say what it would take, each stage once."""

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
    said = outlook.outlook(found)
    assert f"In all, {len(found)} runs miss {len(keys):,} stages: about " in said and "on disk" in said


def test_what_a_reader_changes_is_counted(tmp_path):
    one = outlook.costs(wanted("dynamics", Changes(seeds=(7,))), store=str(tmp_path))
    two = outlook.costs(wanted("dynamics", Changes(seeds=(7, 8))), store=str(tmp_path))
    assert 2 * one[0][1].missing == two[0][1].missing


def test_pages_that_only_draw_are_left_out_and_nothing_is_said_to_be_missing():
    assert outlook.costs(wanted("closing")) == []
    assert outlook.outlook([]) == "In all, 0 runs: nothing is left to train."


def test_the_command_says_it_and_starts_nothing(capsys):
    assert command(["--plan", "--page", "dynamics", "--scale", "smoke"]) is None
    assert "label_noise/dynamics" in capsys.readouterr().out
