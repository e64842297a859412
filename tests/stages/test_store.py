"""The store: whole or not at all, whatever happens."""

import errno
import gc
import gzip
import json
import os
import pathlib
import shutil
import tarfile
import time
from functools import partial

import pytest
import torch
from safetensors.torch import save_file

from lib.errors import InputError
from lib.stages import Store, housekeeping
from lib.stages.__main__ import main
from lib.stages.checkpoint import Checkpoint
from lib.stages.entry import Damaged, pack, sha256
from lib.training import Progress

RECORD = {"metrics": [], "diverged": False}
GROUPS = {"weights": {"w": torch.arange(6.0)}, "masks": {"w": torch.ones(6, dtype=torch.bool)}}


def test_an_entry_comes_back_as_it_went_in(store):
    store.put({"a" * 8: (RECORD, GROUPS)})
    entry = store.find("a" * 8)
    assert entry and entry.record == RECORD
    assert torch.equal(entry.tensors("weights")["w"], torch.arange(6.0))
    with pytest.raises(InputError, match="Did you mean 'weights'"):
        entry.tensors("weight")
    assert store.find("a" * 8) and store.find("b" * 8) is None
    count, size = housekeeping.size(store)
    assert count == 1 and size > 100


def test_of_a_pruned_weight_only_what_remains_is_kept_and_it_comes_back_whole(store):
    generator = torch.Generator().manual_seed(0)
    mask = torch.rand(200, 50, generator=generator) < 0.02
    weights = {
        "pruned": torch.randn(200, 50, generator=generator) * mask,
        "dense": torch.randn(30, generator=generator),
        "grown": torch.randn(200, 50, generator=generator),  # nothing of it may be lost: it is kept whole
        "empty": torch.zeros(4, 2),
    }
    masks = {"pruned": mask, "grown": mask, "empty": torch.zeros(4, 2, dtype=torch.bool)}
    store.put({"k1": (RECORD, {"weights": weights, "masks": masks})})
    entry = store.find("k1")
    again = entry.tensors("weights")
    assert again.keys() == weights.keys() and all(torch.equal(again[n], t) for n, t in weights.items())
    assert all(torch.equal(entry.masks()[n], m) for n, m in masks.items())
    size = (entry.folder / "weights.safetensors").stat().st_size
    assert size < 4 * (200 * 50 + 30 + int(mask.sum())) + 1000


def test_entries_of_before_are_still_read(store):
    """Dense weights and bits without their shapes, as the store once wrote them."""
    folder = store.folder / "entries" / "k1"
    folder.mkdir()
    mask = torch.tensor([[True, False, True], [False, False, True]])
    weights = {"w": torch.arange(6.0).view(2, 3) * mask, "b": torch.ones(2)}
    for name, tensors in {"weights": weights, "masks": {"w": pack(mask)}}.items():
        save_file(tensors, folder / f"{name}.safetensors")
    files = {path.name: sha256(path) for path in folder.iterdir()}
    (folder / "manifest.json").write_text(json.dumps({"key": "k1", "files": files, "record": RECORD}))
    entry = store.find("k1")
    assert torch.equal(entry.masks()["w"], mask)
    assert torch.equal(entry.tensors("weights")["w"], weights["w"])


def damage(file, how):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    if how == "remove":
        file.unlink()
    else:
        file.write_bytes(content if how == "flip" else content[:-3])


@pytest.mark.parametrize("how", ["flip", "truncate"])
def test_a_damaged_file_is_named_and_set_aside_when_it_is_read(store, how):
    """A20: `find` reads no tensors; whoever reads them gets what was written, or an error."""
    store.put({"k1": (RECORD, GROUPS)})
    damage(store.folder / "entries" / "k1" / "weights.safetensors", how)
    entry = store.find("k1")
    assert entry is not None
    with pytest.raises(Damaged, match="k1 is damaged on disk .weights.safetensors differs") as caught:
        entry.tensors("weights")
    assert caught.value.key == "k1" and store.find("k1") is None
    assert [p.name[:2] for p in (store.folder / "damaged").iterdir()] == ["k1"]
    store.put({"k1": (RECORD, GROUPS)})
    assert store.find("k1") is not None


@pytest.mark.parametrize(("file", "how"), [("manifest.json", "truncate"), ("masks.safetensors", "remove")])
def test_an_entry_that_is_not_whole_is_named_set_aside_and_absent(store, file, how):
    store.put({"k1": (RECORD, GROUPS)})
    damage(store.folder / "entries" / "k1" / file, how)
    with pytest.warns(UserWarning, match="k1 is damaged"):
        assert store.find("k1") is None
    assert store.keys() == []


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.EMFILE])
def test_what_cannot_be_read_this_time_is_not_damaged(store, monkeypatch, code):
    store.put({"k1": (RECORD, GROUPS)})
    checkpoint = Checkpoint(store, ["k2"])
    checkpoint.save(Progress(3, {}))
    entry = store.find("k1")

    def refuse(*_, **__):
        raise OSError(code, "no")

    with monkeypatch.context() as patched:
        for name in ("read_text", "read_bytes", "open"):
            patched.setattr(pathlib.Path, name, refuse)
        for ask in (partial(store.find, "k1"), partial(entry.tensors, "weights"), partial(Checkpoint, store, ["k2"])):
            with pytest.raises(InputError, match="cannot be read .no.. It is left as it is"):
                ask()
        with pytest.raises(InputError, match="left as it is"):
            housekeeping.verify(store)
    assert housekeeping.verify(store) == [] and store.keys() == ["k1"] and checkpoint.path.exists()


def test_an_entry_that_another_process_removes_meanwhile_is_absent_and_not_damaged(store, monkeypatch, recwarn):
    store.put({"k1": (RECORD, GROUPS)})

    def gone(text):
        shutil.rmtree(store.entries / "k1")
        raise ValueError

    monkeypatch.setattr("lib.stages.store.json.loads", gone)
    assert store.find("k1") is None and not recwarn.list


def test_a_measurement_is_made_once_for_its_stages_and_its_description(store):
    calls = []

    def compute():
        calls.append(1)
        return [{"value": 0.1, "at": (1, 2)}]

    kept = [store.measured(["k1", "k2"], {"what": "loss", "version": 1}, compute) for _ in range(2)]
    assert kept == [[{"value": 0.1, "at": [1, 2]}]] * 2 and len(calls) == 1
    Store(store.folder).measured(["k1", "k2"], {"version": 1, "what": "loss"}, compute)
    assert len(calls) == 1
    for keys, version in ((["k2", "k1"], 1), (["k1", "k2"], 2)):
        store.measured(keys, {"what": "loss", "version": version}, compute)
    assert len(calls) == 3


def test_a_measurement_that_is_killed_or_damaged_is_made_again(store):
    def fail():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.measured(["k1"], {}, fail)
    assert store.measured(["k1"], {}, lambda: [1.5]) == [1.5]
    (file,) = (store.folder / "measurements").iterdir()
    file.write_text(file.read_text().replace("1.5", "2.5"))
    with pytest.warns(UserWarning, match="value differs from its checksum"):
        assert store.measured(["k1"], {}, lambda: [1.5]) == [1.5]
    assert store.measured(["k1"], {}, fail) == [1.5]


def test_a_full_disk_leaves_nothing_half_written(store, monkeypatch):
    store.put({"k0": (RECORD, GROUPS)})
    from lib.stages import entry as module

    calls = []

    def full(tensors, metadata):
        calls.append(tensors)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return b"x"

    monkeypatch.setattr(module, "save", full)
    with pytest.raises(InputError, match="no space left.*finished stages are untouched"):
        store.put({"k1": (RECORD, GROUPS), "k2": (RECORD, GROUPS)})
    assert store.keys() == ["k0"]
    assert not any(p.is_dir() for p in (store.folder / "incoming").iterdir())


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="the store .* cannot be written.*another folder|Another folder"):
        Store(tmp_path / "file" / "store")


def test_a_batch_declared_complete_is_carried_to_its_end(store):
    """Killed between the declaration and the moves: both entries appear; an undeclared batch never does."""
    store.put({"k1": (RECORD, GROUPS)})
    batch = store.folder / "incoming" / "x.complete"
    batch.mkdir()
    (store.folder / "entries" / "k1").rename(batch / "k1")
    undeclared = store.folder / "incoming" / "y"
    (undeclared / "k2").mkdir(parents=True)
    os.utime(undeclared, times=(time.time() - 7200, time.time() - 7200))
    again = Store(store.folder)
    assert again.keys() == ["k1"] and again.find("k1")
    assert not any(p.is_dir() for p in (store.folder / "incoming").iterdir())


def test_export_and_import(store, tmp_path):
    store.put({"k1": (RECORD, GROUPS), "k2": (RECORD, GROUPS)})
    store.measured(["k1", "k2"], {}, lambda: [1.0])
    file = tmp_path / "export.tar"
    assert housekeeping.export(store, file) == 2
    other = Store(tmp_path / "other")
    assert housekeeping.import_(other, file) == 2 and housekeeping.import_(other, file) == 0
    assert other.find("k2") and other.measured(["k1", "k2"], {}, lambda: pytest.fail("not there")) == [1.0]
    part = tmp_path / "part.tar"
    assert housekeeping.export(store, part, ["k2"]) == 1
    third = Store(tmp_path / "third")
    assert housekeeping.import_(third, part) == 1 and not [*(third.folder / "measurements").iterdir()]
    file.write_bytes(file.read_bytes()[:1500])
    for bad in (file, tmp_path / "none.tar"):
        with pytest.raises(InputError, match="nothing was imported"):
            housekeeping.import_(Store(tmp_path / "fourth"), bad)
    assert Store(tmp_path / "fourth").keys() == []


def test_import_refuses_damaged_entries(store, tmp_path):
    store.put({"k1": (RECORD, GROUPS)})
    manifest = store.folder / "entries" / "k1" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["files"]["weights.safetensors"] = "0" * 64
    manifest.write_text(json.dumps(content))
    with pytest.raises(InputError, match="k1 is damaged"):
        housekeeping.export(store, tmp_path / "bad.tar")
    assert not [*tmp_path.glob("bad*")]
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        archive.add(manifest.parent, arcname="k1")
    with pytest.raises(InputError, match="k1 is damaged"):
        housekeeping.import_(Store(tmp_path / "other"), tmp_path / "bad.tar")


def test_a_compressed_export_is_whole_or_refused(store, tmp_path):
    store.put({"k1": (RECORD, GROUPS)})
    housekeeping.export(store, tmp_path / "all.tar")
    packed = gzip.compress((tmp_path / "all.tar").read_bytes())
    (tmp_path / "cut.tar.gz").write_bytes(packed[:-200])
    with pytest.raises(InputError, match="nothing was imported"):
        housekeeping.import_(Store(tmp_path / "other"), tmp_path / "cut.tar.gz")
    (tmp_path / "all.tar.gz").write_bytes(packed)
    assert housekeeping.import_(Store(tmp_path / "other"), tmp_path / "all.tar.gz") == 1


def test_a_number_that_changed_on_disk_is_noticed(store):
    store.put({"k1": ({"losses": [0.25], "by_level": {1: 2.0}}, GROUPS)})
    manifest = store.folder / "entries" / "k1" / "manifest.json"
    assert store.find("k1") and housekeeping.verify(store) == []
    without = {name: value for name, value in json.loads(manifest.read_text()).items() if name != "sha256"}
    manifest.write_text(json.dumps(without))
    assert store.find("k1"), "stages from before there was a checksum are read"
    store.put({"k2": ({"losses": [0.25]}, GROUPS)})
    other = store.folder / "entries" / "k2" / "manifest.json"
    other.write_text(other.read_text().replace("0.25", "0.75"))
    with pytest.warns(UserWarning, match="its record differs from its checksum"):
        assert store.find("k2") is None


def test_cleaning_leaves_checkpoints_of_what_is_kept(store):
    for key in ("kept", "other"):
        Checkpoint(store, [key]).save(Progress(3, {}))
    (store.checkpoints / "damaged.pt").write_bytes(b"nonsense")
    for path in store.checkpoints.iterdir():
        os.utime(path, times=(time.time() - 3 * 86400, time.time() - 3 * 86400))
    housekeeping.clean(store, keep=["kept"])
    assert [*store.checkpoints.iterdir()] == [Checkpoint(store, ["kept"]).path]
    training = Store(store.folder)
    training.hold(["kept"])
    housekeeping.clean(store, older_than_days=0)
    assert [*store.checkpoints.iterdir()] == [Checkpoint(store, ["kept"]).path], "a process goes on from it"
    del training
    gc.collect()
    housekeeping.clean(store, older_than_days=2)
    assert not [*store.checkpoints.iterdir()]


def test_cleaning(store):
    store.put({key: (RECORD, GROUPS) for key in ("old", "new", "kept")})
    for keys in (["kept"], ["kept", "new"]):
        store.measured(keys, {}, lambda: [])
    for key in ("old", "kept"):
        os.utime(store.folder / "entries" / key, times=(time.time() - 10 * 86400, time.time() - 10 * 86400))
    with pytest.raises(InputError, match="older_than_days"):
        housekeeping.clean(store)
    assert housekeeping.clean(store, older_than_days=5, keep=["kept"]) == ["old"]
    assert len([*(store.folder / "measurements").iterdir()]) == 2
    assert housekeeping.clean(store, keep=["kept"]) == ["new"]
    assert store.keys() == ["kept"] and len([*(store.folder / "measurements").iterdir()]) == 1


def test_cleaning_leaves_what_is_locked(store):
    """A20: a stage that another process trains, or waits for, stays."""
    store.put({key: (RECORD, GROUPS) for key in ("k1", "k2")})
    with store.locked(["k1"]):
        assert housekeeping.clean(Store(store.folder), keep=[]) == ["k2"]
    assert housekeeping.clean(Store(store.folder), keep=[]) == ["k1"]


def test_damaged_checkpoint_starts_over(store):
    checkpoint, cpu = Checkpoint(store, ["k1"]), torch.device("cpu")
    checkpoint.save(Progress(3, {}))
    assert Checkpoint(store, ["k1"]).resume(cpu) == Progress(3, {})
    checkpoint.path.write_bytes(b"nonsense")
    with pytest.warns(UserWarning, match="starts over"):
        assert Checkpoint(store, ["k1"]).resume(cpu) is None


def test_a_part_is_exported_by_the_names_of_what_needs_it(store, tmp_path, capsys):
    store.put({key: (RECORD, GROUPS) for key in ("k1", "k2")})
    store.measured(["k1"], {}, lambda: 1.5)
    asked = []

    def needed(**part):
        asked.append(part)
        return {"k1", "k9"}

    file = tmp_path / "part.tar"
    command = ["--store", str(store.folder), "export", str(file), "--page", "dynamics", "--scale", "laptop"]
    assert main(command, needed) == 0 and "1 of 2 stages written" in capsys.readouterr().out
    assert asked == [{"page": "dynamics", "scale": "laptop"}]
    other = Store(tmp_path / "other")
    assert housekeeping.import_(other, file) == 1 and other.keys() == ["k1"]
    assert other.measured(["k1"], {}, lambda: 0) == 1.5, "what was measured on it came with it"


def test_housekeeping_commands(store, tmp_path, capsys):
    store.put({"k1": (RECORD, GROUPS)})
    at = ["--store", str(store.folder)]
    assert main([*at, "size"]) == 0 and "1 finished stages" in capsys.readouterr().out
    assert main([*at, "verify"]) == 0
    assert main([*at, "export", str(tmp_path / "f.tar")]) == 0
    assert main([*at, "clean"]) == 2 and "clean needs --days N: what" in capsys.readouterr().err
    assert main([*at, "clean", "--unneeded"], needed_keys=lambda: {"k2"}) == 0 and store.keys() == []
    assert main([*at, "import", str(tmp_path / "f.tar")]) == 0 and store.keys() == ["k1"]
    damage(store.folder / "entries" / "k1" / "weights.safetensors", "flip")
    store.measured(["k1"], {}, lambda: [1.5])
    (file,) = (store.folder / "measurements").iterdir()
    file.write_text("{}")
    with pytest.warns(UserWarning, match="is damaged"):
        assert main([*at, "verify"]) == 1
    assert "k1" in capsys.readouterr().out and store.keys() == [] and not file.exists()
