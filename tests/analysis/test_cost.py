"""What is left of a page is said before it runs, and is what then runs."""

import json
from typing import Any

import pytest

from lib.analysis import measure as measuring
from lib.analysis.cost import cost_of, lasting
from lib.analysis.experiments import pages_of
from lib.analysis.measure import How, measure
from lib.changes import Changes
from lib.stages.entry import MANIFEST

ASKED = ("digits", "laptop")


@pytest.fixture
def toy(page, paper):
    return paper(page)


def test_what_is_left_is_what_runs(toy, tmp_path, monkeypatch, capsys):
    bars = []
    bar_of = measuring.progress_bar
    monkeypatch.setattr(measuring, "progress_bar", lambda *a, **k: bars.append(bar_of(*a, **k)) or bars[-1])
    asked: Any = {"store": str(tmp_path / "store"), "device": "cpu", "root": tmp_path}
    cost = cost_of(toy, *ASKED, **asked)
    assert (cost.stages, cost.missing, cost.seconds) == (16, 16, None), (
        "4 networks: t = 0, dense, a cut, longer training"
    )
    assert not (tmp_path / "store").exists(), "asking writes nothing"
    measure(toy, *ASKED, How(**asked))
    said = capsys.readouterr().out
    assert f"page, digits, laptop scale: {cost.sentence}" in said and "How long the rest takes is not known" in said
    assert bars[0].n == bars[0].total == cost.epochs
    kept = tmp_path / "store" / "entries"
    megabytes = sum(file.stat().st_size for file in kept.glob("*/*.safetensors")) / 1e6
    assert cost.megabytes == pytest.approx(megabytes, rel=0.5)

    now = cost_of(toy, *ASKED, **asked)
    assert now.sentence == "All 16 stages are in the store: nothing is left to train."
    own = measuring.experiments.changed(toy, Changes(seeds=(0, 5)))
    more = cost_of(own, *ASKED, **asked)
    assert (more.stages, more.missing) == (
        16,
        8,
    ) and more.source == "by the rate of 8 such stages that this machine has trained"
    spent = sum(json.loads((path / MANIFEST).read_text())["record"]["seconds"] for path in kept.iterdir())
    assert (
        more.seconds == pytest.approx(spent / 2, rel=0.9)
        and f"about {lasting(more.seconds or 0)}, by the rate" in more.sentence
    )
    elsewhere = cost_of(own, *ASKED, **asked | {"store": str(tmp_path / "other")})
    assert elsewhere.source == "by the rate of the laptop table measured on this machine" and elsewhere.seconds
    measure(toy, *ASKED, How(**asked))
    assert "stages are in the store" not in capsys.readouterr().out, "nothing is said where nothing is left"


def test_the_largest_of_other_scales_gives_the_rate():
    cost = cost_of(pages_of("label_noise")["redense_training"], "mnist-lenet", "paper", "nowhere")
    assert cost.source.startswith("by the rate of the short table"), (
        "not the laptop table or a smoke table, whose steps are short"
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (89, "89 s"), (380, "6 minutes"), (9000, "2 hours"), (1e6, "12 days"), (1e8, "3 years")],
)
def test_a_time_is_as_precise_as_an_estimate(seconds, said):
    assert lasting(seconds) == said
