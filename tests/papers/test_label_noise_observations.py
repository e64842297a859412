"""What LN says of its figures: chosen by the numbers, against the paper where they are, and never a crash."""

import pytest

from lib.analysis.display import Markdown
from lib.analysis.table import find_tables
from papers.label_noise import figures, observations
from papers.label_noise.names import GRADIENT, RANDOM, WIDTH, WR
from tests.papers.label_noise_cases import BEST, LAST, TRAIN, made_up

SEEN = [
    name for name, found in vars(figures).items() if hasattr(found, "__wrapped__") and name != "worst_fitted_images"
]
LEARNED = [name for name in vars(observations) if name.startswith("learned_")]
CASES = [*SEEN, "efficacy_table", *LEARNED]


def said(name: str, *tables) -> str:
    found = getattr(observations, name)(tables)
    assert isinstance(found, Markdown)
    return str(found.data)


@pytest.mark.parametrize("name", CASES)
def test_every_figure_has_words_for_the_committed_tables(name):
    for benchmark in ("mnist-lenet", "cifar10-resnet18", "cifar100-resnet18"):
        tables = [one for one in find_tables("label_noise", benchmark) if one.origin == "committed"]
        words = said(name, *tables)
        assert words.startswith(("**What we", "*Nothing to")) and "nan" not in words
        assert "is not one value per seed" not in words, "a sentence asks for less than it reads"
        assert "by 0.00 ± 0.00" not in words, "what does not climb is said so"


@pytest.mark.parametrize("name", CASES)
def test_what_a_table_lacks_is_said(name):
    assert "yet" in said(name, made_up({"original training loss (nats)": [1.0]}))


def test_a_climb_and_a_fall_are_told_with_their_numbers():
    words = said("errors_while_pruning", made_up(noises=(20.0, 40.0, 80.0)))
    assert "15.0 % in the dense network, up to 26.0 % at 6.4 % of the weights, down to 8.00 % at 1.02 %" in words
    assert "climbs above the dense network's before it falls at every noise level" in words
    assert "its lowest point behind that lies below the dense network's at every noise level" in words
    assert "12.0 ± 0.3 % then, the best sparse network after its last epoch on 8.00 ± 0.30 %" in words


def test_where_only_the_dense_network_fits_its_labels_no_pruned_one_is_said_to():
    training = [0.2, 1.5, *[3.0] * (len(LAST) - 2)]
    rows = {"test error (%)": LAST, "best test error (%)": BEST, "training error (%)": training}
    words = said("efficacy_table", made_up(rows, algorithms=(WR, WIDTH)))
    assert "no pruned network fits them to within a point; of the dense ones only the widest does" in words


def test_what_contradicts_the_paper_is_said():
    worse = [15.0, *(error + 10 for error in LAST[1:])]
    words = said(
        "errors_while_pruning",
        made_up({"test error (%)": worse, "best test error (%)": BEST, "training error (%)": TRAIN}),
    )
    assert "below the dense network's at no noise level, against the paper" in words
    assert "What the paper does not mention" in words and "stopped at its best epoch" in words


def test_the_score_with_the_lowest_best_error_is_named():
    rows = {"test error (%)": LAST, "best test error (%)": BEST, "training error (%)": TRAIN}
    table = made_up(rows, algorithms=(WR, GRADIENT, RANDOM))
    frame = table.frame.copy()
    own = (frame["quantity"] == "best test error (%)") & (frame["level"] > 0)
    for algorithm, leads in (
        (RANDOM, "Pruning *at random* leads"),
        (GRADIENT, "As the paper says, the gradient score leads"),
    ):
        changed = frame.copy()
        changed.loc[own & (frame["algorithm"] == algorithm), "value"] -= 2.0
        words = said("errors_by_score", table.with_frame(changed))
        assert leads in words and "by more than seeds differ at 20 % noise" in words


def test_one_seed_is_said_to_be_one():
    words = said("errors_while_pruning", made_up(seeds=(0,)))
    assert words.count("chance") == 1 and "1 seed" in words


def test_a_rise_that_chance_could_make_is_not_said_to_be_hidden():
    steep, flat = made_up(), made_up({"test error (%)": [15.0, *(15.0 - level for level in range(1, 8))]})
    assert "hides at least half of the rise" in said("error_at_few_levels", steep)
    assert "not at all with all levels" in said("error_at_few_levels", flat)
    assert "none can be hidden" in said("error_at_few_levels", flat)


def test_memorization_goes_first_only_if_the_rest_stays():
    errors = {"test error (%)": LAST, "noisy training error (%)": [0.0] * 5 + [80.0, 85.0, 90.0]}
    for original, taken in ((10.0, "takes first is memorization"), (70.0, "takes both"), (85.0, "takes no more")):
        rows = errors | {"original training error (%)": [0.0] * 5 + [original, 90.0, 95.0]}
        assert taken in said("learned_dynamics", made_up(rows))
