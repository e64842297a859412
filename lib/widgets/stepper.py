"""Prune a network step by step on a live kernel: choose score and fraction, prune and train, look, go back.

Every step is a stage of a chain and goes through the store, so that a way that was taken before is there at once. The
published page has the same figure for one finished chain, with a slider, and drops this widget.
"""

import html
from typing import Any

from lib import data
from lib.analysis.steps import Step, steps
from lib.charts.steps import step_chart, step_sentence
from lib.charts.theme import MIME, specification
from lib.errors import InputError
from lib.pruning import find_score
from lib.stages import Chain, Execution, Prune, Store, run
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.experiment_plan import Plan
from lib.training import network_of
from lib.widgets.live import without_widgets

SCORES = ("magnitude", "random", "snip", "synflow")


def chain_of_cuts(plan: Plan, cuts: tuple[Prune, ...]) -> Chain:
    """Return the chain of learning-rate rewinding whose levels each have a cut of their own, none for the dense network.

    It shares its stages with every chain that begins with the same cuts.
    """
    stages = learning_rate_rewinding(plan.recipe, 0, plan.prune).stages
    for count, cut in enumerate(cuts, 1):
        stages = (*stages, learning_rate_rewinding(plan.recipe, count, cut).stages[-1])
    return Chain(algorithm="step by step", recipe=plan.recipe, stages=stages)


def train_steps(plan: Plan, cuts: tuple[Prune, ...], store: Store, execution: Execution) -> list[Step]:
    """Train the plan's first replicate through these cuts, where the store has not got it; InputError if it diverged."""
    chain = chain_of_cuts(plan, cuts)
    classes = len(data.load(plan.recipe.data.image_set).class_names)
    network = network_of(plan.recipe, classes)
    entries = run(chain, plan.replicates()[:1], store, execution, progress=False).entries[0]
    done = steps(chain, entries, network)
    if len(done) <= len(cuts):
        raise InputError(f"training diverged at level {len(done)}; go back and prune less")
    return done


def step_through(
    plan: Plan, *, store: str = "", device: str = "auto", deterministic: bool = False, scores: tuple[str, ...] = SCORES,
    note: str = "",
) -> Any:  # fmt: skip
    """Build the stepper: score, fraction, a button that prunes and trains, one that goes back, and the figure.

    Args:
        plan: what is trained, for its first replicate; its fraction is the one offered.
        store, device, deterministic: see `lib.widgets.page.open_page`.
        scores: what the menu offers.
        note: what to call the network in the figure, such as "mnist-lenet, laptop scale"; seed and noise are added.

    Returns:
        A widget to display; the dense network is trained at once, unless the store has it. Without ipywidgets a text that
        says what to do, also displayable.

    Raises:
        InputError: for an unknown score, a device that is not there, or a store that cannot be written.
    """
    for score in scores:
        find_score(score)
    try:
        import ipywidgets
    except ImportError:
        return without_widgets("Pruning step by step")
    kept, execution = Store(store or None), Execution(device, plan.precision, deterministic=deterministic)
    replicate = plan.replicates()[0]
    noise = f"{replicate.noise_percent:g} % label noise"
    source = f"{note or plan.recipe.benchmark}, seed {replicate.seed}, {noise}."
    offered = round(100 * plan.prune.fraction, 1)
    taken: tuple[Prune, ...] = ()

    score_menu: Any = ipywidgets.Dropdown(options=list(scores), description="score")
    fraction: Any = ipywidgets.FloatSlider(value=offered, min=1, max=99, step=0.1, readout_format=".1f",
                                           description="prune (%)", continuous_update=False)  # fmt: skip
    forward: Any = ipywidgets.Button(description="prune and retrain", button_style="primary")
    back: Any = ipywidgets.Button(description="back", disabled=True)
    numbers, figure = ipywidgets.HTML(), ipywidgets.Output()

    def go_to(cuts: tuple[Prune, ...]) -> None:
        nonlocal taken
        forward.disabled = back.disabled = True
        numbers.value = f"Level {len(cuts)}: training, unless the store has it …"
        try:
            done = train_steps(plan, cuts, kept, execution)
        except (InputError, OSError, RuntimeError) as error:  # also memory that is full; what was drawn stays
            numbers.value = f"This step was not taken: {html.escape(str(error))}"
        else:
            taken, (numbers.value, figure.outputs) = cuts, _shown(done, source)
        finally:
            forward.disabled, back.disabled = False, not taken

    def prune_and_retrain(_: Any) -> None:
        # The plan's own fraction may have more digits than the slider: with it, the page's chain is found again.
        share = plan.prune.fraction if fraction.value == offered else fraction.value / 100
        go_to((*taken, plan.prune.but(score=score_menu.value, fraction=share)))

    forward.on_click(prune_and_retrain)
    back.on_click(lambda _: go_to(taken[:-1]))
    go_to(())
    return ipywidgets.VBox([score_menu, fraction, ipywidgets.HBox([forward, back]), numbers, figure])


def _shown(done: list[Step], source: str) -> tuple[str, tuple[dict[str, Any]]]:
    """Return what is said of the last step, and the chart as an output of a notebook."""
    last, dense = done[-1], done[0]
    error = f"<b>Test error {last.error_percent['test']:.2f} %</b>, dense {dense.error_percent['test']:.2f} %."
    title = "Your network, step by step"
    chart = specification(step_chart(done, note=source, shown=last.level, title=title))
    shown = {MIME: chart, "text/plain": chart["description"]}
    output = {"output_type": "display_data", "data": shown, "metadata": {}}
    return f"{step_sentence(last)} {error}", (output,)
