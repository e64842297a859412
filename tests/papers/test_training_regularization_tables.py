"""TR's small tables: printed hyper-parameters against the recipes, ranked examples, and what the text quotes."""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false

import pandas
import pytest

from lib.analysis.levels import chosen_level
from lib.analysis.ranked_examples import NOISY, SCORE, levels_at, quantity
from lib.analysis.table import SIZE, find_tables, values
from papers.training_regularization import recipes, tables
from papers.training_regularization.names import GROUP_LOSS, LRR, TEST
from tests.papers.label_noise_cases import made_up

LENET = "mnist-lenet"


@pytest.fixture(scope="module")
def lenet():
    return [one for one in find_tables("training_regularization", LENET) if one.origin == "committed"]


def test_table_1_agrees_with_the_recipes():
    table = tables.hyperparameters().set_index(["network", "data set"])
    assert len(table) == 5
    assert table.loc[("ResNet-50", "ImageNet"), "drops"] == "÷ 10 at 30, 60, 80"
    assert table.loc[("LeNet", "MNIST"), "drops"] == "none"
    for place, recipe in (
        (("LeNet", "MNIST"), recipes.MNIST_LENET),
        (("ResNet-20", "CIFAR-10"), recipes.CIFAR10_RESNET20),
        (("VGG-16", "CIFAR-10"), recipes.CIFAR10_VGG16),
        (("ResNet-32", "CIFAR-100"), recipes.CIFAR100_RESNET32),
        (("ResNet-50", "ImageNet"), recipes.IMAGENET_RESNET50),
    ):
        row = table.loc[place]
        assert (row["epochs"], row["batch"]) == (str(recipe.epochs), str(recipe.batch_size))
        assert float(row["learning rate"]) == recipe.learning_rate
        assert row["t"] == str(recipe.rewind_epoch)
        assert (0 if row["weight decay"] == "none" else float(row["weight decay"])) == recipe.weight_decay


def sizes_of(table, **where) -> pandas.Series:
    return values(table, SIZE, **where).mean()


def sizes_of_ends(sizes: pandas.Series, levels: list[int]) -> str:
    return "–".join(dict.fromkeys(f"{sizes[level]:.3g}" for level in (levels[0], levels[-1])))


def test_sizes_of_ranked_examples_stand_beside_table_4(lenet):
    found = tables.ranked_sizes(LENET, lenet).set_index("examples")
    assert list(found["printed (Table 4)"]) == ["1.4", "80–5.5", "100–1.4"]
    [laptop] = [one for one in lenet if one.scale == "laptop"]
    sizes, levels = (read(laptop, algorithm=LRR, noise_percent=0.0) for read in (sizes_of, levels_at))
    assert sizes_of_ends(sizes, levels["least affected"]) == found.loc["least affected", "laptop"]
    other = tables.ranked_sizes("cifar10-resnet20", [])
    assert list(other["printed (Table 4)"]) == ["16.7–13.4", "80–21", "100–5.5"]


def test_what_was_ranked_in_words(lenet):
    found = tables.ranked_groups(lenet).set_index(["scale", "examples"])
    for table in lenet:
        wrong = values(table, quantity("most worsened", NOISY), algorithm=LRR, noise_percent=15.0).to_numpy()
        score = values(table, quantity("most worsened", SCORE), algorithm=LRR, noise_percent=0.0).to_numpy()
        row = found.loc[(table.scale, "most worsened")]
        assert row["15 % noise"] == (f"{wrong.mean():.0f} %" if wrong.size else "–")
        assert row["mean EL2N"] == (f"{score.mean():.3f}" if score.size else "–")
    assert list(tables.ranked_groups([made_up()])["mean EL2N"]) == ["–"] * 3


def test_quoted_numbers_stand_beside_measured_ones(lenet):
    found = tables.quoted_numbers(LENET, lenet)
    assert list(found["printed"]) == ["3.5 to 71", "–"]
    for table in lenet:
        last = chosen_level(table, "highest improving", algorithm=LRR, noise_percent=0.0)
        sizes = sizes_of(table, algorithm=LRR, noise_percent=0.0)
        assert found[table.scale][1] == ("none" if last is None else f"{100 - sizes[last]:.4g}")
        assert found[table.scale][0] == tables.concentration(table)
    assert tables.quoted_numbers("cifar10-resnet20", [])["printed"].iloc[1] == "83.22"


def test_the_effect_ratio_is_that_of_the_hardest_fifth():
    table = made_up(
        {TEST: [9.0, 7.0], "validation error (%)": [9.0, 7.0]}, noises=(0.0,), algorithms=(LRR,), seeds=(0,)
    )
    frame = table.frame
    network = frame[frame["quantity"] == TEST]
    changes = [0.1] * 8 + [-0.5, -0.7]
    groups = [
        network.assign(quantity=GROUP_LOSS, position=float(i), value=network["level"] * change)
        for i, change in enumerate(changes, 1)
    ]
    more = table.with_frame(pandas.concat([frame, *groups], ignore_index=True))
    assert float(tables.concentration(more)) == pytest.approx(6.0)


def test_the_rule_of_pairs_tells_two_examples_apart():
    first = pandas.Series({0: 9.1, 1: 8.4, 2: 9.6})
    together, apart = pandas.Series({0: 9.4, 1: 8.8, 2: 9.8}), pandas.Series({0: 9.8, 1: 9.4, 2: 8.8})
    found = tables.paired_differences({"together": {"A": first, "B": together}, "apart": {"A": first, "B": apart}})
    assert list(found["A against B"]) == ["lower", "match"]
    assert list(found["mean difference"]) == ["−0.30", "−0.30"]
