"""The machinery of the scoreboard: which verdict when, and a file that is always the same."""

import csv
import json
import subprocess
import sys

import pytest

from lib.analysis.claims import (
    Claim,
    decide,
    discover,
    main,
    read_claims,
    scoreboard_text,
    verdict_rows,
    verdicts,
    write_scoreboard,
)
from lib.analysis.verdicts import Finding, NotRun, Verdict, shortcoming
from tests.analysis.hand_made import LRR, chain, make


def claim(identity: str, paper: str = "a_paper") -> Claim:
    return Claim(
        id=identity, paper=paper, section="1", statement="s", formal_test="f", published_evidence="p",
        experiment_ids="e",
    )  # fmt: skip


def test_every_state_of_a_claim():
    table = make({(LRR, 15): chain([9.0, 7.0])})

    def missing(_):
        raise NotRun("this table has no rows of weight_rewinding.")

    tests = {
        "A-C1": lambda table: Finding("reproduced", "yes.", {"x": 1.0}),
        "A-C2": lambda table: Finding("not reproduced", "no."),
        "A-C3": missing,
        "A-C4": lambda table: Finding("reproduced", "never asked."),
        "A-C5": lambda table: Finding("reproduced", "yes."),
    }
    about = {"A-C4": ("cifar10-vgg16",), "A-C5": ("mnist-lenet", "cifar10-resnet20")}
    claims = [claim(f"A-C{i}") for i in range(1, 7)] + [claim("B-C1", "b_paper")]
    found = verdicts(claims, tests | {"B-C1": tests["A-C1"]}, {"a_paper": [table]}, about)
    assert [(one.claim, one.benchmark, one.scale, one.verdict, one.reason) for one in found] == [
        ("A-C1", "mnist-lenet", "paper", "reproduced", "yes."),
        ("A-C2", "mnist-lenet", "paper", "not reproduced", "no."),
        ("A-C3", "mnist-lenet", "paper", "not run", "this table has no rows of weight_rewinding."),
        ("A-C4", "mnist-lenet", "paper", "not run", "the claim speaks of cifar10-vgg16 only."),
        ("A-C4", "cifar10-vgg16", "", "not run", "no table for cifar10-vgg16."),
        ("A-C5", "mnist-lenet", "paper", "reproduced", "yes."),
        ("A-C5", "cifar10-resnet20", "", "not run", "no table for cifar10-resnet20."),
        ("A-C6", "", "", "not run", "no page measures this yet."),
        ("B-C1", "", "", "not run", "no table yet."),
    ]


def test_a_page_gets_a_row_per_table_and_claim_with_its_statement():
    tables = [make({(LRR, 15): chain([9.0, 7.0])}, scale=scale) for scale in ("paper", "laptop")]
    tests = {
        "TR-C07": lambda table: Finding("reproduced", "yes."),
        "TR-C01": lambda table: Finding("undecided", "no."),
    }
    found = verdict_rows(["TR-C07", "TR-C01"], tests, {"TR-C01": ("cifar10-vgg16",)}, tables)
    assert [(row["claim"], row["scale"], row["verdict"]) for row in found] == [
        ("TR-C07", "paper", "reproduced"),
        ("TR-C01", "paper", "not run"),
        ("TR-C07", "laptop", "reproduced"),
        ("TR-C01", "laptop", "not run"),
    ]
    assert found[0]["statement"].startswith("With label noise the optimally sparse")
    assert found[1]["reason"] == "the claim speaks of cifar10-vgg16 only."


def test_committed_tables_count_before_local_ones_and_smoke_never():
    tables = [
        make({(LRR, 15): chain([9.0])}, origin="this machine"),
        make({(LRR, 15): chain([8.0])}, origin="committed"),
        make({(LRR, 15): chain([7.0])}, scale="laptop", origin="this machine"),
        make({(LRR, 15): chain([1.0])}, scale="smoke", origin="this machine"),
    ]
    tests = {"A-C1": lambda table: Finding("reproduced", "", {"error": table.frame["error_percent"].iloc[1]})}
    found = verdicts([claim("A-C1")], tests, {"a_paper": tables})
    assert [(one.scale, one.numbers["error"]) for one in found] == [("paper", 8.0), ("laptop", 7.0)]


def test_a_conclusive_page_counts_more_than_one_that_says_nothing():
    one = make({(LRR, 15): chain([9.0])})
    other_page = one.provenance.model_copy(update={"page": "z_other"})
    tables = [one, type(one)(one.frame, other_page)]
    tests = {
        "A-C1": lambda table: Finding(
            "undecided" if table.provenance.page != "z_other" else "not reproduced", table.provenance.page
        )
    }
    assert [v.verdict for v in verdicts([claim("A-C1")], tests, {"a_paper": tables})] == ["not reproduced"]


def test_the_scoreboard_is_deterministic_whole_and_rounded(tmp_path):
    found = [
        Verdict(
            "B-C1",
            "mnist-lenet",
            "paper",
            "reproduced",
            'a "quoted", reason.',
            {"gain": 3.14159265, "n": 3.0},
        ),
        Verdict(
            "A-C1", "", "", "undecided", "r.", {"none": float("nan"), "tiny": 1.23456e-7, "big": 123456.0}
        ),
    ]
    path = tmp_path / "book" / "claims.csv"
    write_scoreboard(found, path)
    assert path.read_text() == scoreboard_text(reversed(found))
    assert [file.name for file in path.parent.iterdir()] == ["claims.csv"]
    rows = list(csv.DictReader(path.open(newline="")))
    assert list(rows[0]) == ["claim", "benchmark", "scale", "verdict", "reason", "numbers"]
    assert [row["claim"] for row in rows] == ["A-C1", "B-C1"]
    assert rows[0]["numbers"] == '{"none":null,"tiny":1.235e-07,"big":123500}'
    assert json.loads(rows[1]["numbers"]) == {"gain": 3.142, "n": 3}


def test_what_a_table_lacks_is_said():
    full = make({(LRR, 5): chain([3.0, 2.0]), (LRR, 15): chain([9.0, 7.0])})
    assert shortcoming(full, [LRR], [5, 15]) == ""
    assert shortcoming(full, [LRR], [5, 10]) == "missing noise level 10 %."
    assert (
        "missing levels of learning_rate_rewinding at 15 % noise on train_noisy: 0, 1 (seed 0, 1, 2)"
        in shortcoming(full, [LRR], [15], ("test", "train_noisy"))
    )
    one = make({(LRR, 15): chain([9.0, 7.0])}, seeds=(0,))
    assert shortcoming(one, [LRR], [15]) == "too few replicates at 15 % noise: 1, it takes 3."
    gone = (full.frame["seed"] == 2) & (full.frame["level"] == 1) & (full.frame["noise_percent"] == 15)
    short = type(full)(
        full.frame.query("not (seed == 2 and level == 1 and noise_percent == 15)"), full.provenance
    )
    assert "on test: 1 (seed 2)" in shortcoming(short, [LRR], [15])
    diverged = type(full)(full.frame.assign(diverged=gone), full.provenance)
    assert "on validation: 1 (seed 2)" in shortcoming(diverged, [LRR], [15])


def test_decide_asks_one_table():
    table = make({(LRR, 15): chain([9.0])}, scale="laptop")
    found = decide("A-C1", lambda table: Finding("reproduced", "yes."), table)
    assert (found.claim, found.benchmark, found.scale) == ("A-C1", "mnist-lenet", "laptop")


def test_the_command_writes_every_claim(tmp_path, capsys):
    path = tmp_path / "claims.csv"
    main(["--write", str(path)])
    assert {row["claim"] for row in csv.DictReader(path.open(newline=""))} == {
        one.id for one in read_claims()
    }
    assert "not run:" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([])


def test_the_command_runs_as_a_module(tmp_path):
    # As a module it is loaded twice (once as __main__); verdicts must not depend on which copy raised.
    path = tmp_path / "claims.csv"
    subprocess.run([sys.executable, "-m", "lib.analysis.claims", "--write", str(path)], check=True)
    main(["--write", str(tmp_path / "again.csv")])
    assert path.read_bytes() == (tmp_path / "again.csv").read_bytes()


def test_discovery_lists_folders_with_claims():
    tests, benchmarks = discover()
    assert "TR-C07" in tests
    assert set(benchmarks) <= set(tests)
