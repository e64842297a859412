"""From stages to tables: every row once, in parts that no later measuring empties; nothing is trained unasked."""

import dataclasses
import shutil
import time

import pytest

from lib.analysis import experiments
from lib.analysis import measure as measuring
from lib.analysis.experiments import Measurement, find_page, plan_of, reported
from lib.analysis.measure import How, complete, find, main, measure, train
from lib.analysis.part import read_part, write_part
from lib.analysis.table import EPOCHS, SIZE, find_tables, read_table, table_folder, values
from lib.changes import Changes
from lib.errors import InputError
from lib.stages import Store
from tests.analysis.made import TEST

LRR, EDT = "learning-rate rewinding", "extended dense training"
ASKED = ("digits", "laptop")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A store that all tests share, so that networks are trained once."""
    return str(tmp_path_factory.mktemp("store"))


@pytest.fixture
def how(trained, tmp_path):
    return How(trained, "cpu", root=tmp_path)


@pytest.fixture
def toy(page, paper):
    """A page whose paper has no other."""
    return paper(page)


def parts_of(how):
    return sorted(p.stem for p in table_folder("toy", *ASKED, "this machine", how.root).glob("*.json"))


def sorted_rows(table):
    columns = [*table.key, "value", "stage_key", "part"]
    return sorted(map(str, table.frame[columns].itertuples(index=False, name=None)))


def test_a_page_is_measured_into_a_part_for_each_algorithm_and_measurement(toy, how):
    table = measure(toy, *ASKED, how)
    assert parts_of(how) == ["extended_dense_training", "last_epoch_page", "learning_rate_rewinding"]
    again = read_table("toy", *ASKED, "this machine", how.root)
    assert again is not None and sorted_rows(again) == sorted_rows(table)
    assert values(table, SIZE, algorithm=LRR, noise_percent=20.0).to_numpy().tolist() == [[100.0, 50.0]] * 2
    assert values(table, EPOCHS, algorithm=EDT, noise_percent=0.0).to_numpy().tolist() == [[3.0, 5.0]] * 2
    assert set(table.frame.loc[table.frame["noise_percent"] == 20.0, "quantity"]) >= {"noisy training loss (nats)"}
    made = table.parts["last_epoch_page"]
    assert made.seeds == (0, 1) and made.stacking == "stacked" and made.measurements == {"last epoch": "1; groups=20"}
    assert made.algorithms == (LRR, EDT) and made.training_seconds > 0 and made.commit
    found = find(toy, *ASKED, how.root)
    assert found.missing == {found.tables[0].label: []} and "Not measured" not in found.note


def test_the_time_of_a_part_is_that_of_all_that_was_measured_also_if_the_store_had_kept_it(page, paper, tmp_path):
    def look(context):
        for columns, _, _, entry in (one for results in context.results for one in reported(results)):
            yield columns | {"quantity": "slow", "value": context.measured([entry], lambda: time.sleep(0.1) or 1.0)}

    slow = Measurement("slow", look, 1, detail=lambda context: [row["value"] for row in look(context)])
    toy = paper(dataclasses.replace(page, measurements=(slow,)))
    how = How(str(tmp_path / "store"), "cpu", root=tmp_path)
    seconds = [measure(toy, *ASKED, how).parts["slow_page"].measuring_seconds for _ in range(2)]
    assert min(seconds) >= 1.2 and seconds[1] < seconds[0] + 1  # twelve networks


def test_measuring_again_or_a_part_never_removes_or_empties_a_part(toy, how, paper):
    """A5: whatever is asked for in part, a whole part stays as it was."""
    measure(toy, *ASKED, how, commit=True)
    committed = table_folder("toy", *ASKED, "committed", how.root)
    before = {file.name: file.read_bytes() for file in committed.iterdir()}
    for seeds, algorithms in (([0], None), (None, [LRR]), ([1], [EDT]), (None, None)):
        measure(toy, *ASKED, how, seeds, algorithms, commit=True)
        now = {file.name: file.read_bytes() for file in committed.iterdir()}
        assert before.items() <= now.items()
    assert before == {file.name: file.read_bytes() for file in committed.iterdir()}, (
        "whole again: parts of parts are gone"
    )
    silent = Measurement("last epoch", lambda context: (), 1, {"groups": 20})
    quiet = dataclasses.replace(toy, measurements=(silent,))
    measure(quiet, *ASKED, how, commit=True)
    assert len(read_part(committed / "last_epoch_page.csv")[0]) == 2 * 2 * 2 * 2


def test_a_page_with_fewer_noise_levels_leaves_another_pages_part_whole(toy, how):
    whole = measure(toy, *ASKED, how)
    less = dataclasses.replace(toy, plans=lambda *asked: toy.plans(*asked).but(noise_percents=(20.0,)))
    measure(less, *ASKED, how)
    again = read_table("toy", *ASKED, "this machine", how.root)
    assert again is not None and sorted_rows(again) == sorted_rows(whole)


def test_a_page_with_fewer_noise_levels_trained_anew_loses_no_row_of_another_page(toy, how):
    measure(toy, *ASKED, how)
    folder = table_folder("toy", *ASKED, "this machine", how.root)
    rows, made = read_part(folder / "learning_rate_rewinding.csv")
    write_part(folder, LRR, rows.assign(value=rows["value"] + 1), made)  # as another machine might have it
    less = dataclasses.replace(toy, plans=lambda *asked: toy.plans(*asked).but(noise_percents=(20.0,)))
    measure(less, *ASKED, how)
    again, now = read_part(folder / "learning_rate_rewinding.csv")
    keys = ["noise_percent", "seed", "level", "quantity", "position"]
    both = again.merge(rows, on=keys, suffixes=("", "_before"))
    assert len(both) == len(again) == len(rows) and now.seeds == made.seeds
    moved = (both["value"] - both["value_before"]).to_numpy()
    anew = (both["noise_percent"] == 20).to_numpy()
    assert not moved[anew].any() and moved[~anew].any()


def test_a_measurement_that_finds_nothing_is_measured_all_the_same(toy, how, monkeypatch):
    silent = dataclasses.replace(toy, measurements=(Measurement("silence", lambda context: ()),))
    monkeypatch.setattr(experiments, "pages_of", lambda paper: {"page": silent})
    measure(silent, *ASKED, how)
    found = find(silent, *ASKED, how.root)
    assert found.missing[found.tables[0].label] == []


def test_what_a_measurement_sets_beside_the_pages_algorithms_is_drawn_by_that_page_alone(toy, how, monkeypatch):
    def beside(context):
        first = context.table.frame[["noise_percent", "seed", "level", "stage_key"]].drop_duplicates().iloc[0]
        yield first.to_dict() | {"algorithm": "another network", "quantity": "distance", "value": 1.0}

    page = dataclasses.replace(toy, measurements=(Measurement("beside", beside),))
    other = dataclasses.replace(toy, name="other", measurements=())
    monkeypatch.setattr(experiments, "pages_of", lambda paper: {"page": page, "other": other})
    measure(page, *ASKED, how)
    drawn = [set(find(one, *ASKED, how.root).tables[0].frame["algorithm"]) for one in (page, other)]
    assert drawn == [{LRR, EDT, "another network"}, {LRR, EDT}]


def test_a_partial_table_says_so_and_never_hides_a_whole_one(toy, how):
    """A7: neither one seed nor one algorithm on this machine is preferred to the committed table."""
    measure(toy, *ASKED, how, seeds=[0], algorithms=[LRR])
    found = find(toy, *ASKED, how.root)
    label = found.tables[0].label
    assert found.missing[label] == [f"{LRR} (seeds 1, levels 0, 1)", EDT, "last epoch"]
    assert "Not measured for" in found.note and EDT in found.note
    whole = table_folder("toy", *ASKED, "this machine", how.root)
    measure(toy, *ASKED, how, seeds=[1])
    measure(toy, *ASKED, how, seeds=[0])
    assert find(toy, *ASKED, how.root).missing[label] == [], "measured seed by seed it is whole"
    measure(toy, *ASKED, how)
    committed = table_folder("toy", *ASKED, "committed", how.root)
    shutil.move(whole, committed)
    measure(toy, *ASKED, how, seeds=[1])
    assert [one.origin for one in find(toy, *ASKED, how.root).tables] == ["committed"], (
        "the same numbers are drawn once"
    )


def test_seeds_that_another_page_does_not_run_are_kept(toy, how, paper):
    """A page of one replicate measures an algorithm whose other seeds were measured by themselves."""
    measure(toy, *ASKED, how, seeds=[1])
    measure(paper(toy, seeds=(0,)), *ASKED, how)
    there = parts_of(how)
    assert {"learning_rate_rewinding", "learning_rate_rewinding_seeds_1"} <= {*there}
    measure(paper(toy, seeds=(0, 1)), *ASKED, how)
    assert not any("_seeds_" in part for part in parts_of(how)), "all of their numbers are in the whole part"


def test_more_seeds_and_levels_of_a_plan_are_missing_until_asked_for(toy, how, paper):
    measure(toy, *ASKED, how)
    more = paper(toy, seeds=(0, 1, 2), levels=2)
    label = find(more, *ASKED, how.root).tables[0].label
    assert find(more, *ASKED, how.root).missing[label]
    found = complete(more, *ASKED, how, recompute=True)
    assert found.missing == {found.tables[0].label: []} and found.tables[0].seeds == [0, 1, 2]


def test_a_paper_may_vary_something_of_its_own(page, how, paper):
    wider = dataclasses.replace(page, dimensions=("noise_percent", "distribution"))
    own = paper(wider, dimensions=(("distribution", ("clean", "blurred")),), noise_percents=(0.0,), seeds=(0,))
    table = measure(own, *ASKED, how)
    assert values(table, "last epoch", algorithm=LRR, distribution="blurred").to_numpy().tolist() == [[3.0, 3.0]]
    found = find(own, *ASKED, how.root)
    assert found.missing == {found.tables[0].label: []}
    with pytest.raises(InputError, match="choose distribution"):
        values(table, TEST, algorithm=LRR)


def test_nothing_is_trained_without_being_asked(toy, how, monkeypatch):
    """A17: a page without a table has none, and one with a table draws it."""
    assert not complete(toy, *ASKED, how).tables
    complete(toy, *ASKED, how, recompute=True)
    monkeypatch.setattr(measuring, "run", lambda *a, **k: pytest.fail("trained"))
    assert complete(toy, *ASKED, how).tables
    other = complete(toy, "digits", "smoke", how)
    assert [one.scale for one in other.tables] == ["laptop"], (
        "a larger scale is drawn where the asked-for one is missing"
    )


def test_a_recipe_that_moved_on_is_named_not_drawn(toy, how, paper, recipe):
    measure(toy, *ASKED, how)
    moved = paper(toy, recipe=recipe.but(epochs=2))
    found = complete(moved, *ASKED, how)
    assert not found.tables and found.stale and "recipe or measurement has changed" in found.note


def test_what_cannot_be_measured_in_part_waits_for_the_whole(toy, how):
    joint, by_algorithm = (
        dataclasses.replace(toy, measurements=(dataclasses.replace(toy.measurements[0], needs=needs),))
        for needs in (experiments.ALL, ("seeds",))
    )
    measure(joint, *ASKED, how, algorithms=[LRR])
    assert parts_of(how) == ["learning_rate_rewinding"]
    measure(by_algorithm, *ASKED, how, seeds=[0])
    assert not [part for part in parts_of(how) if part.startswith("last_epoch")]
    measure(by_algorithm, *ASKED, how, algorithms=[LRR])
    assert "last_epoch_page_of_learning_rate_rewinding" in parts_of(how)
    for seeds, algorithms in (([7], None), (None, ["weight rewinding"])):
        with pytest.raises(InputError, match="unknown"):
            measure(joint, *ASKED, how, seeds, algorithms)


def test_what_reads_some_algorithms_needs_no_others(toy, how):
    [one] = toy.measurements
    page = dataclasses.replace(toy, measurements=(dataclasses.replace(one, needs=experiments.ALL, algorithms=(LRR,)),))
    measure(page, *ASKED, how, algorithms=[LRR])
    assert "last_epoch_page_of_learning_rate_rewinding" in parts_of(how)
    table = complete(page, *ASKED, how).tables[0]
    assert one.name not in experiments.missing(page, table, *ASKED)
    other = dataclasses.replace(toy, measurements=(dataclasses.replace(one, needs=experiments.ALL),))
    assert one.name in experiments.missing(other, table, *ASKED)


def test_bad_names_on_the_command_line(capsys):
    assert main(["training_regularization", "additional_regularisation", "mnist-lenet", "smoke"]) == 2
    assert "Did you mean 'additional_regularization'" in capsys.readouterr().err
    assert main(["training_regularization", "additional_regularization", "mnist", "smoke"]) == 2
    assert "mnist-lenet" in capsys.readouterr().err
    asked = ["training_regularization", "additional_regularization", "mnist-lenet", "smoke"]
    assert main([*asked, "--set", "seed=7"]) == 2 and "Did you mean 'seeds'" in capsys.readouterr().err
    assert main([*asked, "--set", "seeds=7", "--commit"]) == 2 and "never committed" in capsys.readouterr().err


def test_training_alone_measures_nothing(toy, how):
    train(toy, *ASKED, how, seeds=[0])
    assert Store(how.store).keys() and not table_folder("toy", *ASKED, "this machine", how.root).exists()
    kept = Store(how.store).keys()
    measure(toy, *ASKED, how, seeds=[0])
    assert Store(how.store).keys() == kept


def test_errors_of_the_largest_scale_come_before_smaller_ones(toy, how):
    for scale in ("smoke", "laptop", "paper"):
        measure(toy, "digits", scale, how)
    assert [one.scale for one in find(toy, "digits", "laptop", how.root).tables] == ["paper", "laptop"]
    small = find(toy, "digits", "smoke", how.root)
    assert [one.scale for one in small.tables] == ["paper", "laptop", "smoke"]
    assert values(small.tables[0], TEST, algorithm=LRR, noise_percent=0.0).shape == (2, 2)


def test_a_table_that_lacks_an_algorithm_leads_only_where_figures_choose(toy, how):
    """A page that compares all of its algorithms at once opens on what can be compared."""
    measure(toy, "digits", "laptop", how)
    measure(toy, "digits", "paper", how, algorithms=[LRR])
    assert [one.scale for one in find(toy, "digits", "laptop", how.root).tables] == ["laptop", "paper"]
    choosing = dataclasses.replace(toy, whole=False)
    assert [one.scale for one in find(choosing, "digits", "laptop", how.root).tables] == ["paper", "laptop"]
    measure(toy, "digits", "paper", how)
    assert [one.scale for one in find(toy, "digits", "laptop", how.root).tables] == ["paper", "laptop"]


CHANGED = Changes(noise_percents=(40.0,), seeds=(5, 6))


def test_a_changed_run_has_tables_and_a_label_of_its_own(toy, how):
    """What a reader changes stands beside the book's table, last, and touches none of its files."""
    measure(toy, *ASKED, how)
    before = parts_of(how)
    found = complete(toy, *ASKED, how, recompute=True, changes=CHANGED)
    assert parts_of(how) == before
    book, own = found.tables
    assert book.label.startswith("yours (laptop,") and own.label.startswith("yours: noise 40 %, 2 seeds (laptop,")
    assert own.seeds == [5, 6] and own.changes == CHANGED and not book.changes
    assert set(own.frame["noise_percent"]) == {40.0} and found.missing == {book.label: [], own.label: []}
    assert experiments.current(own)[1] == [] and own.where(seed=5).changes == CHANGED
    assert plan_of(toy, own).seeds == (5, 6) and plan_of(toy, book).seeds == (0, 1)
    assert [one.label for one in find(toy, *ASKED, how.root).tables] == [book.label], "only who asks for it sees it"
    assert [one.label for one in find_tables("toy", root=how.root)] == [book.label], "the scoreboard never does"


def test_a_changed_score_keeps_its_algorithms_name(toy, how):
    own = measure(toy, *ASKED, how, changes=Changes(score="random"))
    book = measure(toy, *ASKED, how)
    assert set(own.frame["algorithm"]) == {LRR, EDT}
    there = [set(table.where(algorithm=LRR, level=1).frame["stage_key"]) for table in (own, book)]
    dense = [set(table.where(algorithm=LRR, level=0).frame["stage_key"]) for table in (own, book)]
    assert dense[0] == dense[1] and not there[0] & there[1], "the dense networks are shared"


def test_what_changes_nothing_is_no_change(toy, how):
    complete(toy, *ASKED, how, recompute=True, changes=Changes(seeds=(0, 1), levels=1, fraction=0.5))
    assert parts_of(how), "it is the plan's run, in the plan's folder"


def test_a_change_that_was_not_measured_is_said(toy, how):
    measure(toy, *ASKED, how)
    found = complete(toy, *ASKED, how, changes=CHANGED)
    assert len(found.tables) == 1 and "yours: noise 40 %, 2 seeds: everything" in found.note


def test_a_changed_run_is_never_committed(toy, how):
    with pytest.raises(InputError, match="noise 40 %, 2 seeds is the reader's own and never committed"):
        measure(toy, *ASKED, how, commit=True, changes=CHANGED)
    assert not table_folder("toy", *ASKED, "committed", how.root).parent.exists()
    with pytest.raises(InputError, match="Allowed: .* from 0 to 100 %"):
        measure(toy, *ASKED, how, changes=Changes(noise_percents=(101.0,)))


def test_a_table_of_a_larger_scale_keeps_the_algorithms_that_only_that_scale_runs():
    page = find_page("lost_in_pruning", "prune_potential")
    leads, other = find(page, "cifar10-resnet20", "laptop").tables[:2]
    assert (leads.scale, other.scale) == ("short", "laptop")
    assert set(other.frame["algorithm"]) == {"WT", "FT"} < set(leads.frame["algorithm"])
