"""The page on section 2 of TR: its stages are those of the page on label noise, and Table 1 is the printed one."""

from lib.stages.experiment_plan import plan_keys
from papers.training_regularization import additional_regularization, preliminaries, recipes


def test_every_stage_is_one_of_the_page_on_label_noise():
    for benchmark, scales in recipes.PLANS.items():
        for scale in scales:
            own, other = (
                plan_keys(page.plans(benchmark, scale), page.chains(page.plans(benchmark, scale)))
                for page in (preliminaries.PAGE, additional_regularization.PAGE)
            )
            assert own and own <= other
            plan = preliminaries.plan(benchmark, scale)
            (replicate,) = plan.replicates()
            assert replicate.noise_percent == max(recipes.plan(benchmark, scale).noise_percents)


def test_table_1_is_read_as_printed_and_agrees_with_the_recipes():
    table = preliminaries.hyperparameters().set_index(["network", "data set"])
    assert list(table.index.get_level_values("network")) == [
        "LeNet",
        "ResNet-20",
        "VGG-16",
        "ResNet-32",
        "ResNet-50",
    ]
    assert table.loc[("ResNet-50", "ImageNet"), "drops"] == "÷ 10 at 30, 60, 80"
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
    assert table.loc[("LeNet", "MNIST"), "drops"] == "none"
