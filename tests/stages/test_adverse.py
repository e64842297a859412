"""A full disk, a read-only store, a wrong clock, archives from strangers: what is said, and what is kept."""

import contextlib
import io
import math
import os
import tarfile
import time
from pathlib import Path

import pytest
import torch

from lib.analysis.files import not_written_now, write_whole, written_by_one
from lib.errors import InputError
from lib.stages import Prune, Store, housekeeping, run
from lib.stages.__main__ import main
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.checkpoint import Checkpoint
from lib.stages.entry import Damaged
from lib.training import Progress, Replicate
from tests.conftest import mount

RECORD = {"metrics": [], "diverged": False}
SMALL = {"weights": {"w": torch.arange(6.0)}, "masks": {"w": torch.ones(6, dtype=torch.bool)}}
LARGE = {"weights": {"w": torch.ones(600_000)}, "masks": {"w": torch.ones(600_000, dtype=torch.bool)}}
YEAR = 365 * 86400
SEEDS = [Replicate(seed=seed) for seed in (0, 1)]


def chain(recipe, levels: int = 2):
    return learning_rate_rewinding(recipe, levels, Prune(score="magnitude", fraction=0.5))


def whole(store: Store) -> bool:
    """Say whether every stage is as it was written and nothing is on its way."""
    return not housekeeping.verify(store) and not [p for p in store.incoming.iterdir() if p.is_dir()]


# the disk is full


def test_a_full_disk_is_told_as_such_and_nothing_is_half_written(disk, capsys):
    store, device = Store(disk / "store"), torch.device("cpu")
    store.put({"k0": (RECORD, SMALL)})
    store.measured(["k0"], {}, lambda: [1.0])
    Checkpoint(store, ["k1"]).save(Progress(1, {"w": torch.ones(3)}))
    for write in (
        lambda: store.put({"k1": (RECORD, SMALL), "k2": (RECORD, LARGE)}),
        lambda: Checkpoint(store, ["k1"]).save(Progress(2, {"w": torch.ones(600_000)})),
        lambda: store.measured(["k0"], {"what": "more"}, lambda: [0.5] * 600_000),
    ):
        with pytest.raises(
            InputError, match="store has no space left; free some, or clean.*finished stages are untouched"
        ):
            write()
        assert store.keys() == ["k0"] and whole(store)
        assert store.measured(["k0"], {}, lambda: pytest.fail("it was kept")) == [1.0]
    assert [path.suffix for path in store.checkpoints.iterdir()] == [".pt"]
    progress = Checkpoint(store, ["k1"]).resume(device)
    assert progress and progress.epoch == 1, "the checkpoint of before is as it was"

    with contextlib.suppress(OSError), (disk / "something").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))
    assert main(["--store", str(store.folder), "clean", "--days", "0"]) == 0, "a full disk can be cleaned"
    assert capsys.readouterr().out == "1 stages removed\n"


def test_training_that_fills_the_disk_goes_on_where_it_was_once_there_is_room(disk, recipe):
    store = Store(disk / "store")
    mount("-o", "remount,size=3m", str(disk))  # the first two networks take two of them
    with pytest.raises(InputError, match="has no space left"):
        run(chain(recipe), SEEDS, store, "cpu", progress=False)
    made = {path.name: path.stat().st_mtime_ns for path in store.entries.iterdir()}
    assert made and whole(store) and not [*store.checkpoints.iterdir()]
    mount("-o", "remount,size=64m", str(disk))
    run(chain(recipe), SEEDS, store, "cpu", progress=False)
    now = {path.name: path.stat().st_mtime_ns for path in store.entries.iterdir()}
    assert len(now) > len(made) and whole(store) and made.items() <= now.items()


def test_a_table_that_finds_the_disk_full_is_left_as_it_was(disk):
    folder = disk / "tables"
    with written_by_one(folder):
        write_whole({folder / "a.csv": "1\n", folder / "a.json": "{}"})
    said = "the folder of tables .* has no space left. What lay there is as it was"
    with pytest.raises(InputError, match=said), written_by_one(folder):
        write_whole({folder / "a.csv": "2\n", folder / "a.json": "x" * 3_000_000})
    assert {path.name: path.read_text() for path in folder.glob("[!.]*")} == {"a.csv": "1\n", "a.json": "{}"}
    (folder / ".b.csv.0.partial").write_text("half")
    with written_by_one(folder):
        write_whole({folder / "b.csv": "3\n"})
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "a.csv", "a.json", "b.csv"]


@pytest.mark.parametrize("place", ["missing/all.tar", "disk/all.tar"])
def test_an_export_that_cannot_be_written_says_so_and_leaves_nothing(store, tmp_path, disk, place, capsys):
    store.put({"k1": (RECORD, LARGE)})
    target = tmp_path / place
    assert main(["--store", str(store.folder), "export", str(target)]) == 2
    assert "nothing was exported" in capsys.readouterr().err
    assert [*disk.iterdir()] == [] and not (tmp_path / "missing").exists()


# the store may not be written


def test_a_read_only_store_can_be_read_and_says_so_to_whoever_trains(store, read_only, recipe, tmp_path, capsys):
    run(chain(recipe, 1), SEEDS, store, "cpu", progress=False)
    store.measured(store.keys(), {}, lambda: [1.0])
    store = Store(read_only / "store")
    results = run(chain(recipe, 1), SEEDS, store, "cpu", progress=False)
    assert all(entry.tensors("weights") for _, _, entry in results.reported())
    assert store.measured(store.keys(), {}, lambda: pytest.fail("it is there")) == [1.0]
    said = "is on a read-only file system: what it holds can be read, but nothing can be added.*Another folder can be named"
    with pytest.raises(InputError, match=said):
        run(chain(recipe, 2), SEEDS, store, "cpu", progress=False)
    with pytest.raises(InputError, match=said):
        store.measured(store.keys(), {"what": "more"}, lambda: [1.0])
    at, file = ["--store", str(store.folder)], str(tmp_path / "all.tar")
    assert main([*at, "size"]) == main([*at, "verify"]) == main([*at, "export", file]) == 0
    capsys.readouterr()
    for words in (["clean", "--days", "1"], ["import", file]):
        assert main([*at, *words]) == 2 and "read-only file system" in capsys.readouterr().err
    assert housekeeping.import_(Store(tmp_path / "other"), tmp_path / "all.tar") == len(store.keys()) > 0


def test_what_is_damaged_in_a_read_only_store_is_named_and_absent(store, read_only):
    store.put({"k1": (RECORD, SMALL), "k2": (RECORD, SMALL)})
    flip(store.entries / "k1" / "weights.safetensors")
    (store.entries / "k2" / "manifest.json").write_text("{")
    store = Store(read_only / "store")
    entry = store.find("k1")
    assert entry is not None
    with pytest.raises(Damaged, match="k1 is damaged.*cannot be moved away: its folder is on a read-only file system"):
        entry.tensors("weights")
    with pytest.warns(UserWarning, match="k2 is damaged"):
        assert store.find("k2") is None


def test_tables_that_may_not_be_written_are_read(read_only, tmp_path):
    with written_by_one(tmp_path / "tables"):
        pass
    with not_written_now(read_only / "tables"):
        pass
    said = "the folder of tables .* is on a read-only file system"
    with pytest.raises(InputError, match=said), written_by_one(read_only / "tables"):
        pass


# the clock is wrong


def set_clock(path: Path, seconds: float) -> None:
    os.utime(path, times=(time.time() + seconds, time.time() + seconds))


def test_what_comes_from_the_future_is_young_and_locks_do_not_look_at_the_clock(store):
    store.put({key: (RECORD, SMALL) for key in ("old", "future")})
    Checkpoint(store, ["x"]).save(Progress(1, {}))
    for path, seconds in ((store.entries / "old", -YEAR), (store.entries / "future", YEAR)):
        set_clock(path, seconds)
    for path in (*store.checkpoints.iterdir(), *store.locks.iterdir()):
        set_clock(path, YEAR)
    assert housekeeping.clean(Store(store.folder), older_than_days=1) == ["old"]
    assert store.find("future") and Checkpoint(store, ["x"]).resume(torch.device("cpu")) == Progress(1, {})
    with store.locked(["old", "future"]):
        pass


def test_what_a_writer_left_goes_when_it_is_gone_and_not_before_whatever_the_clock_says(store):
    with store.batch() as batch:
        set_clock(batch, -YEAR)
        Store(store.folder)
        assert batch.exists(), "its writer lives"
    left = store.incoming / "left"
    (left / "k1").mkdir(parents=True)
    left.with_suffix(".lock").touch()
    set_clock(left, YEAR)
    Store(store.folder)
    assert not [*store.incoming.iterdir()] and store.keys() == []


# bits flip, and strangers send archives


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_a_checkpoint_with_a_flipped_bit_is_not_gone_on_from(store):
    checkpoint = Checkpoint(store, ["k1"])
    checkpoint.save(Progress(3, {"w": torch.ones(10_000)}))
    kept = checkpoint.path.read_bytes()
    flip(checkpoint.path)
    with pytest.warns(UserWarning, match="differs from its checksum.*starts over"):
        assert Checkpoint(store, ["k1"]).resume(torch.device("cpu")) is None
    checkpoint.path.write_bytes(kept[:-64])  # as it was written before it had a checksum
    progress = Checkpoint(store, ["k1"]).resume(torch.device("cpu"))
    assert progress and progress.epoch == 3


def member(name: str, kind: bytes = tarfile.REGTYPE, to: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, to
    made.size = 4 if kind == tarfile.REGTYPE else 0
    return made


@pytest.mark.parametrize(
    ("strange", "said"),
    [
        (member("k9/weights.safetensors", tarfile.SYMTYPE, "../k1/weights.safetensors"), "is a link"),
        (member("k9", tarfile.SYMTYPE, "/"), "is a link"),
        (member("k9/weights.safetensors", tarfile.LNKTYPE, "k1/weights.safetensors"), "is a link"),
        (member("../outside"), "no file of a stage"),
        (member("k9/../../outside"), "no file of a stage"),
        (member("{tmp}/outside"), "no file of a stage"),
        (member("k9/device", tarfile.CHRTYPE), "no file of a stage"),
        (member("k9/queue", tarfile.FIFOTYPE), "no file of a stage"),
        (member(".hidden/file"), "no file of a stage"),
        (member("k9/weights.safetensors"), "k9 is damaged"),
    ],
    ids=lambda value: value.name if isinstance(value, tarfile.TarInfo) else "",
)
def test_an_archive_with_links_or_paths_elsewhere_is_refused_whole(store, tmp_path, strange, said):
    store.put({"k1": (RECORD, SMALL)})
    housekeeping.export(store, tmp_path / "all.tar")
    strange.name = strange.name.format(tmp=tmp_path)
    with tarfile.open(tmp_path / "all.tar", "a") as archive:
        archive.addfile(strange, io.BytesIO(b"evil"))
    other = Store(tmp_path / "other")
    with pytest.raises(InputError, match=f"nothing was imported from .*{said}"):
        housekeeping.import_(other, tmp_path / "all.tar")
    assert other.keys() == [] and not [*other.incoming.iterdir()] and not [*tmp_path.rglob("outside")]


# several at once


@pytest.mark.parametrize("days", [-30.0, math.inf, math.nan])
def test_an_age_that_cannot_be_cleans_nothing(store, days):
    with pytest.raises(InputError, match="Allowed: a number of days from 0 on"):
        housekeeping.clean(store, older_than_days=days)


def test_cleaning_while_others_damage_train_and_clean(store):
    """A clean that was killed has left what it was removing; what is set aside meanwhile finds its folder."""
    (store.folder / "damaged" / "k1").mkdir(parents=True)
    (store.folder / "damaged" / "k1" / "file").touch()
    store.put({"k1": (RECORD, SMALL)})
    assert housekeeping.clean(store, keep=[]) == ["k1"]
    assert [*(store.folder / "damaged").iterdir()] == []
