"""The scoreboard: claims are counted once, by committed and current tables, the largest scale first."""

import csv
import json
import re
import runpy
import sys
import warnings
from dataclasses import replace

import pytest

from lib.analysis import scoreboard
from lib.analysis.claims import each, lower
from lib.analysis.experiments import Page
from lib.analysis.findings import DECIDED
from lib.analysis.measures import measured
from lib.analysis.scoreboard import (
    Verdict,
    decide,
    main,
    page_chips,
    page_verdicts,
    read_statements,
    read_verdicts,
    scoreboard_text,
    summary,
    verdicts,
)
from lib.errors import InputError
from tests.papers.claim_tables import table

LRR, PAPER = "learning-rate rewinding", "training_regularization"
error = measured("test error (%)")
SPARSE_IS_BETTER = each("noise_percent", (5, 15))(lower(error(LRR, 1), than=error(LRR)))


def pruned(optimum=7.0, **more):
    return table({(LRR, 5): {"test error (%)": (9.0, optimum)}}, **more)


@pytest.fixture
def one_claim(monkeypatch):
    """TR has one claim, of LeNet and ResNet-20."""
    known = {"TR-C07": (("mnist-lenet", "cifar10-resnet20"), SPARSE_IS_BETTER)}
    monkeypatch.setattr(scoreboard, "claims_of", lambda paper: known if paper == PAPER else {})
    monkeypatch.setattr(scoreboard, "page_of", lambda claim, paper: "a_page")


def of(claim, found):
    return [one for one in found if one.claim == claim]


def test_a_verdict_says_where_it_comes_from(one_claim):
    found = decide("TR-C07", (("mnist-lenet",), SPARSE_IS_BETTER), pruned(), "a_page")
    assert (found.verdict, found.cases, found.page, found.benchmark, found.scale) == (
        "reproduced", "1 of 2", "a_page", "mnist-lenet", "paper",
    )  # fmt: skip
    assert (found.seeds, found.device, found.precision, found.date) == (
        "0, 1, 2",
        "2 CPU cores",
        "float32",
        "2026-11-20",
    )
    assert found.table == "paper, 2 CPU cores, 2026-11"
    assert found.reason.startswith("Test error of") and found.reason.endswith("; 1 of 2 cases are decided.")
    other = decide("TR-C07", (("mnist-lenet",), SPARSE_IS_BETTER), pruned(benchmark="cifar10-vgg16"))
    assert (other.verdict, other.reason) == ("not run", "The claim speaks of mnist-lenet only.")


def test_every_claim_is_there_for_each_benchmark_and_scale(one_claim):
    tables = [pruned(), pruned(9.5, scale="laptop"), pruned(scale="smoke")]
    found = verdicts({PAPER: tables})
    assert [(v.benchmark, v.scale, v.verdict) for v in of("TR-C07", found)] == [
        ("mnist-lenet", "laptop", "not reproduced"), ("mnist-lenet", "paper", "reproduced"),
        ("cifar10-resnet20", "", "not run"),
    ]  # fmt: skip
    assert of("TR-C01", found)[0].reason == "No page measures this yet."
    assert list(dict.fromkeys(v.claim for v in found)) == [one.id for one in read_statements()]


def test_a_claim_is_counted_once_and_the_largest_scale_that_decides_counts(one_claim):
    def row(tables):
        whole = summary(verdicts({PAPER: tables}))
        assert len(whole) == 111
        return next(one for one in whole if one.statement.id == "TR-C07")

    found = row([pruned(), pruned(9.5, scale="laptop")])
    assert (found.verdict, found.scale, [v.scale for v in found.others]) == (
        "reproduced",
        "paper",
        ["laptop", ""],
    )
    found = row([pruned(seeds=(0,)), pruned(9.5, scale="laptop")])
    assert (found.verdict, found.scale) == ("not reproduced", "laptop"), "one seed decides nothing"
    found = row([pruned(), pruned(9.5, benchmark="cifar10-resnet20")])
    assert found.verdict == "not reproduced" and len(found.rows) == 2, "on one benchmark it is not"
    assert row([pruned(seeds=(0,))]).verdict == "undecided"
    found = row([pruned(seeds=(0,)), pruned(seeds=(0,), scale="laptop")])
    assert found.rows[0].scale == "paper", "where none decides, the largest scale says why"
    assert (row([]).verdict, row([]).scale) == ("not run", "")


def test_a_chip_prefers_what_decides_and_then_what_was_run():
    def chip(*answers):
        scales = "short, yours", "laptop", "paper"
        rows = [
            {"claim": "TR-C07", "scale": scale, "verdict": one} for scale, one in zip(scales, answers, strict=False)
        ]
        (found,) = page_chips(rows)
        return found["scale"], found["verdict"]

    assert chip("undecided", "reproduced") == ("laptop", "reproduced")
    assert chip("undecided", "reproduced", "not reproduced") == ("paper", "not reproduced"), "as on the scoreboard"
    assert chip("not reproduced", "reproduced", "reproduced") == ("short, yours", "not reproduced")
    assert chip("not run", "undecided", "undecided") == ("laptop", "undecided")
    assert chip("not run", "not run") == ("", "not run")


def test_verdicts_are_read_back_as_they_were_written(tmp_path, one_claim):
    found = verdicts({PAPER: [pruned()]})
    path = tmp_path / "claims.csv"
    path.write_text(scoreboard_text(found), encoding="utf-8")
    assert read_verdicts(path) == found and read_verdicts(tmp_path / "none.csv") == []
    packed = next(
        row["numbers"] for row in csv.DictReader(path.open(encoding="utf-8")) if row["verdict"] == "reproduced"
    )
    assert set(json.loads(packed).values()) == {-2, 0.1}
    path.write_text(path.read_text(encoding="utf-8").replace(",reproduced,", ",true,"), encoding="utf-8")
    with pytest.raises(InputError, match="verdict 'true'"):
        read_verdicts(path)
    odd = Verdict("A", "", "", "", "undecided", numbers={"none": scoreboard._rounded(float("nan")), "tiny": 1.2e-7})
    assert '{""none"":null,""tiny"":1.2e-07}' in scoreboard_text([odd])


def test_stale_rows_do_not_decide(one_claim, monkeypatch):
    page = Page(PAPER, "a_page", lambda *_: None, lambda _: [], claims=("TR-C07",))  # pyright: ignore
    monkeypatch.setattr(scoreboard, "current", lambda one: (one, []))
    row = page_verdicts(page, [pruned(), pruned(9.5, scale="laptop")])
    assert [(one["claim"], one["verdict"], one["cases"]) for one in row] == [
        ("TR-C07", "reproduced", "1 of 2"), ("TR-C07", "not reproduced", "1 of 2"),
    ]  # fmt: skip
    assert row[0]["statement"].startswith("With label noise the optimally sparse")
    monkeypatch.setattr(scoreboard, "current", lambda one: (one.with_frame(one.frame.iloc[:0]), ["part"]))
    assert page_verdicts(page, [pruned()])[0]["verdict"] == "not run"


def test_the_scoreboard_is_made_from_committed_tables(one_claim, monkeypatch, tmp_path, capsys):
    """A14: a table of this machine must not change the tracked file."""
    tables = [
        replace(pruned(9.5), origin="this machine"),
        replace(pruned(scale="laptop"), origin="committed"),
    ]
    monkeypatch.setattr(scoreboard, "find_tables", lambda paper: tables if paper == PAPER else [])
    monkeypatch.setattr(scoreboard, "current", lambda one: (one, []))
    main(["--write", str(tmp_path / "claims.csv")])
    assert "reproduced: 1 of 111 claims" in capsys.readouterr().out
    assert [v.scale for v in of("TR-C07", read_verdicts(tmp_path / "claims.csv"))] == ["laptop", ""]
    main(["--write", str(tmp_path / "mine.csv"), "--local"])
    assert "not reproduced: 1 of 111 claims" in capsys.readouterr().out


def test_a_comparison_across_devices_says_so(one_claim):
    whole = pruned()
    parts = {"part": whole.parts["part"], "other": whole.parts["part"].model_copy(update={"device": "H200"})}
    frame = whole.frame.assign(part=["other" if level else "part" for level in whole.frame["level"]])
    found = decide("TR-C07", (("mnist-lenet",), SPARSE_IS_BETTER), replace(whole, frame=frame, parts=parts))
    assert found.device == "2 CPU cores + H200" and "several devices" in found.reason


def test_the_command_decides_every_claim_with_numbers_and_one_sign(tmp_path, monkeypatch, capsys):
    """A16: no reason without a number, and none such as "falls by -0.52"."""
    path = tmp_path / "claims.csv"
    monkeypatch.setattr(sys, "argv", ["claims", "--write", str(path)])
    with warnings.catch_warnings():  # the module is imported already
        warnings.simplefilter("ignore", RuntimeWarning)
        runpy.run_module("lib.analysis.claims", run_name="__main__")
    assert "of 111 claims" in capsys.readouterr().out
    found = read_verdicts(path)
    assert {one.claim for one in found} == {one.id for one in read_statements()}
    for one in found:
        if one.verdict in DECIDED:
            compared = one.reason.replace(f"; {one.cases}", "")
            assert re.search(r"\d", re.sub(r"\d+ % noise", "", compared)), one
            assert not re.search(r"(^| )-\d[\d.e-]*( ± [\d.e-]+)?( points| nats)? (lower|higher)", compared), one


def test_ids_are_those_of_the_list_and_pages_name_known_claims():
    identities = [one.id for one in read_statements()]
    assert len(identities) == len(set(identities)) == 111
    for paper, count in ((PAPER, 39), ("label_noise", 21), ("lost_in_pruning", 28), ("generalization_stability", 23)):
        known = scoreboard.claims_of(paper)
        assert len(known) == count and set(known) <= set(identities)
        assert all(scoreboard.page_of(name, paper) for name in known), "every claim has a page"
