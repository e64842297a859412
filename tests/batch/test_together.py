"""A page whose images are streamed from files has its networks trained on several GPUs together."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib.batch import gpu
from lib.batch.plan import read_plans, runs
from lib.batch.together import command, train_together
from lib.stages import Store

PAGE = Path("papers/lost_in_pruning/pages/test_set.py")
GIVEN = {
    "benchmark": "imagenet-resnet18",
    "scale": "smoke",
    "recompute": True,
    "levels": 0,
    "seeds": [],
    "device": "auto",
}


def test_the_command_says_what_the_page_was_given():
    said = command(PAGE, GIVEN | {"store": "kept", "seeds": [0, 1]}, 4)
    assert said[1:6] == ["-m", "lib.batch.together", "--standalone", "--nproc-per-node", "4"]
    asked = [
        "lost_in_pruning",
        "test_set",
        "imagenet-resnet18",
        "smoke",
        "--train",
        "--store",
        "kept",
        "--set",
        "seeds=0,1",
    ]
    assert said[6:] == ["-m", "lib.analysis.measure", *asked]


def test_a_run_holds_as_many_gpus_as_its_plan_says_and_there_are(tmp_path: Path):
    with gpu.gpu_place(["0", "1", "2"], folder=tmp_path, count=2) as two:
        assert two == "0,1" and gpu.visible_gpus() == ["0", "1"]
        with gpu.gpu_place(["0", "1", "2"], folder=tmp_path) as other:
            assert other == "2"
    with gpu.gpu_place(["0"], folder=tmp_path, count=4) as alone:
        assert alone == "0"


def test_only_benchmarks_of_streamed_images_take_several():
    found = {(run.parameters.get("benchmark"), run.gpus) for run in runs(read_plans(), "paper") if run.gpus > 1}
    assert found == {
        ("imagenet-resnet50", 4), ("imagenet-resnet18", 4), ("imagenet-resnet101", 4), ("voc-deeplabv3", 4),
    }  # fmt: skip


@pytest.mark.slow
def test_the_store_has_what_the_page_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with (tmp_path / "log").open("w") as log:
        status = train_together(PAGE, GIVEN | {"store": str(tmp_path / "store")}, 2, log)
    assert status == 0, (tmp_path / "log").read_text()
    store = Store(tmp_path / "store")
    entries = [*map(store.find, store.keys())]
    assert len(entries) == 3 and all(entry and entry.record["processes"] == 2 for entry in entries)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_all_processes_end_with_the_page(tmp_path: Path):
    """Or a batch that is killed leaves its GPUs taken."""
    (tmp_path / "train.py").write_text(
        f"import os, pathlib, time\npathlib.Path({str(tmp_path)!r}, f'{{os.getpid()}}.pid').touch()\ntime.sleep(300)\n"
    )
    start = [sys.executable, "-m", "lib.batch.together", "--standalone", "--nproc-per-node", "2"]
    asked = f"import subprocess; subprocess.run({[*start, str(tmp_path / 'train.py')]!r})"
    page = subprocess.Popen([sys.executable, "-c", asked])

    def training() -> list[str]:
        return [path.stem for path in tmp_path.glob("*.pid") if _state(path.stem) not in ("", "Z")]

    try:
        _wait(lambda: len(training()) == 2)
    finally:
        page.send_signal(signal.SIGKILL)
        page.wait()
    _wait(lambda: not training())


def _state(process: str) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _wait(until, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.1)
