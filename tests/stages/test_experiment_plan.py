"""A plan with what a reader changes of it: the same recipe in proportion, and errors before any work."""

import pytest

from lib.analysis.experiments import changed
from lib.changes import NO_CHANGES, Changes, read_changes
from lib.errors import InputError
from lib.stages.experiment_plan import change, real_changes
from papers.generalization_stability import recipes
from papers.generalization_stability.experiments import PAGES
from papers.generalization_stability.names import FIGURE_2
from papers.label_noise.recipes import plan as label_noise_plan
from papers.lost_in_pruning.recipes import plan as lost_in_pruning_plan
from papers.training_regularization.recipes import plan

VGG = recipes.plan("cifar10-vgg11", "smoke")
LENET, RESNET = plan("mnist-lenet", "laptop"), plan("cifar10-resnet20", "paper")


def test_nothing_changed_is_the_plan():
    assert change(LENET, NO_CHANGES) == LENET and not NO_CHANGES and NO_CHANGES.words == ""
    same = Changes(
        noise_percents=LENET.noise_percents, seeds=LENET.seeds, levels=LENET.levels, fraction=LENET.prune.fraction,
        score="magnitude", epochs=LENET.recipe.epochs, images=LENET.recipe.data.train or 0,
    )  # fmt: skip
    assert same and real_changes(LENET, same) == NO_CHANGES and change(LENET, same) == LENET


def test_each_change_is_where_it_acts():
    own = change(
        LENET, Changes(noise_percents=(60.0,), seeds=(7, 8), levels=2, fraction=0.5, score="snip", epochs=3, images=500)
    )
    assert [(one.seed, one.noise_percent) for one in own.replicates()] == [(7, 60.0), (8, 60.0)]
    assert (own.levels, own.prune.fraction, own.prune.score) == (2, 0.5, "snip")
    assert (own.recipe.epochs, own.recipe.data.train) == (3, 500)
    kept = {"learning_rate", "batch_size", "network", "optimizer"}
    assert all(getattr(own.recipe, name) == getattr(LENET.recipe, name) for name in kept)


def test_where_filters_are_pruned_a_score_is_one_of_filters():
    own = change(VGG, Changes(score="expected"))
    assert own.filters and own.filters.score == "expected" and own.prune == VGG.prune
    assert real_changes(VGG, Changes(score="l2")) == NO_CHANGES
    with pytest.raises(InputError, match="score of filters"):
        change(VGG, Changes(score="magnitude"))
    page = PAGES["less_stable_better"]
    mine = changed(page, Changes(score=f"{__name__}:narrow"))
    assert [chain.algorithm for chain in mine.chains(mine.plans("cifar10-vgg11", "smoke"))] == [*FIGURE_2]


def narrow(filters):
    return filters.weight.flatten(1).abs().amax(1)


def test_a_shorter_schedule_keeps_its_shape():
    assert RESNET.recipe.drop_epochs == (80, 120) and RESNET.recipe.rewind_epoch == 10
    short = change(RESNET, Changes(epochs=16)).recipe
    assert (short.epochs, short.drop_epochs, short.rewind_epoch) == (16, (8, 12), 1)
    for epochs in (1, 2, 3):
        tiny = change(RESNET, Changes(epochs=epochs)).recipe
        assert tiny.rewind_epoch < epochs and min(tiny.drop_epochs) >= 1


def test_a_rewinding_step_stays_at_its_share_of_the_schedule():
    """At the laptop's 40 epochs of 16 steps it is step 32."""
    laptop = label_noise_plan("cifar10-resnet18", "laptop")
    assert laptop.recipe.rewind_step == 32 == change(laptop, NO_CHANGES).recipe.rewind_step

    def changed_step(**what):
        return change(laptop, Changes(**what)).recipe.rewind_step

    assert [changed_step(epochs=epochs) for epochs in (80, 20, 2, 1)] == [64, 16, 2, 1]
    assert changed_step(images=1000) == 16 and changed_step(images=100) == 2 and changed_step(images=100, epochs=1) == 0


def test_all_images_are_the_plan_of_all_images():
    assert change(LENET, Changes(images=58_000)).recipe.data.train is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (Changes(noise_percents=(120.0,)), "noise_percents has 120. Allowed: .* from 0 to 100"),
        (Changes(noise_percents=(20.0, 20.0)), "noise_percents has 20 twice"),
        (Changes(seeds=(-1,)), "seeds has -1"),
        (Changes(seeds=(1, 1)), "seeds has 1 twice"),
        (Changes(levels=-2), "levels is -2. Allowed: 1 or more; 0 for the plan's"),
        (Changes(levels=40), "40 levels .* at most [0-9]+ levels"),
        (Changes(fraction=1.5), "fraction is 1.5. Allowed: .* above 0 and below 1"),
        (Changes(score="magnitud"), "Did you mean 'magnitude'"),
        (Changes(score="__main__:no_such_function"), "cannot be imported"),
        (Changes(epochs=-1), "epochs is -1"),
        (Changes(images=70_000), "images is 70,000. Allowed: from 100 to 58,000"),
        (Changes(images=3), "images is 3. Allowed: from 100"),
    ],
)
def test_what_cannot_be_run_is_said(given, says):
    for ask in (change, real_changes):
        with pytest.raises(InputError, match=says):
            ask(LENET, given)


def test_what_segmentation_cannot_do_is_said():
    voc = lost_in_pruning_plan("voc-deeplabv3", "paper")
    for given, says in (
        (Changes(score="snip"), "score is 'snip', which asks for one answer an image"),
        (Changes(images=129), "images is 129, which leaves one for the last batch of 32.* 128 or 130"),
    ):
        with pytest.raises(InputError, match=says):
            change(voc, given)
    assert change(voc, Changes(score="sipp", images=128)).prune.score == "sipp"


def test_changes_have_words_and_a_folder_of_their_own():
    one, two = Changes(noise_percents=(60.0,), seeds=(0, 1)), Changes(noise_percents=(60.0,), seeds=(0, 2))
    assert one.words == two.words == "noise 60 %, 2 seeds"
    assert one.slug != two.slug and one.slug.startswith("noise-60-2-seeds-")
    assert Changes(score="own.module:sharpness", levels=1).words == "1 level, score sharpness"


def test_changes_on_a_command_line():
    read = read_changes(["noise_percents=20,60", "seeds=7", "fraction=0.5", "epochs=3", "score=snip"])
    assert read == Changes(noise_percents=(20.0, 60.0), seeds=(7,), fraction=0.5, epochs=3, score="snip")
    for given, says in (
        (["seeds=one"], "seeds was given 'one'. Allowed: whole numbers, as in seeds=0,1"),
        (["epochs=1.5"], "Allowed: a whole number"),
        (["epoch=1"], "Did you mean 'epochs'"),
        (["epochs"], "name=value"),
        (["epochs=1", "epochs=2"], "given twice"),
    ):
        with pytest.raises(InputError, match=says):
            read_changes(given)


@pytest.mark.parametrize(
    ("paper", "given", "said"),
    [
        ("weights", {"every": 4}, "every is 4, but this page prunes weights"),
        ("weights", {"target": "largest"}, "this page prunes weights"),
        ("filters", {"target": "larges"}, "largest"),
        ("filters", {"every": 325}, "from 1 to 324 epochs"),
        ("filters", {"fraction": 0.5}, "this page prunes filters"),
    ],
)
def test_only_what_a_plan_prunes_can_be_changed(paper, given, said):
    from papers.generalization_stability.recipes import plan as filters
    from papers.training_regularization.recipes import plan as weights

    plan = filters("cifar10-vgg11", "smoke") if paper == "filters" else weights("mnist-lenet", "smoke")
    with pytest.raises(InputError, match=said):
        change(plan, Changes(**given))


def test_target_and_rate_of_a_plan_are_changed():
    from papers.generalization_stability.experiments import less_stable_better
    from papers.generalization_stability.recipes import plan

    changed = change(plan("cifar10-vgg11", "smoke"), Changes(target="largest", every=100))
    assert [chain.algorithm for chain in less_stable_better(changed)] == [
        "no pruning",
        "largest filters, every 100 epochs",
    ]
