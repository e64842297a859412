"""A chain of stages: the one idea behind every algorithm of the book.

A stage says where its weights come from, what is pruned, and which slice of the recipe's schedule is trained. Its key is
the hash of its parents' keys and its own description, so chains that share a beginning share its work.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lib import by_name
from lib.descriptions import Description
from lib.pruning import find_score
from lib.pruning.methods import check_method
from lib.stages.entry import digest
from lib.stages.filter_events import FilterEvents
from lib.training import Precision, Recipe, Replicate

NUMERICS_VERSION = 1
"""Raise it whenever the same description gives other numbers; the golden run in the tests asks for it."""


class Prune(Description):
    """Remove weights by score.

    Attributes:
        score: name of a score, see `lib.pruning.scores`; with the scope "parameters" also of a method of
            `lib.pruning.methods`.
        fraction: share of the remaining weights that is removed, inside (0, 1); not used where `keep` is given.
        keep: share of all weights that remains, in place of `fraction`.
        scope: "global" or "layer"; "parameters" for a share of all parameters and not of the weights alone (LIP), as
            `keep` says.
        examples: how many training examples, drawn at random, a score looks at, at most all; None for 10 of each class, with
            more than 100 classes for as many of each as make 1,000. With the scope "parameters" they are held-out ones, at
            most half of those that there are; None for 256 (facts L29).
    """

    score: str = "magnitude"
    fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    keep: Annotated[float, Field(gt=0, lt=1)] | None = None
    scope: Literal["global", "layer", "parameters"] = "global"
    examples: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_share(self) -> Self:
        if self.keep is not None and "fraction" in self.model_fields_set:
            raise ValueError(f"fraction={self.fraction} and keep={self.keep}; only one of them can be given")
        if self.scope == "parameters" and self.keep is None:
            raise ValueError("scope='parameters' needs keep, the share of all parameters that remains")
        return self

    @model_validator(mode="after")
    def _score_exists(self) -> Self:
        (check_method if self.scope == "parameters" else find_score)(self.score)
        return self


class Subset(Description):
    """The training examples that a stage sees, chosen by what earlier stages of its chain do with them.

    Attributes:
        rule: "correct" keeps those that the judge classifies correctly (TR App. E); "without_improved" leaves out the
            `share` whose loss falls most from the reference to the judge, "without_random" as many at random (App. D);
            "with_worsened" keeps a random `share` of all, `added` of all among them being those whose loss rises
            most, "with_random" the same with random ones in their place (App. K.2).
        judge: position in the chain of the stage that chooses.
        reference: position of the stage that its losses are compared with, by default the dense network.
        share: left out, or kept, of all examples.
        added: of all examples; the part of a kept share that the judge chooses.
        equal_steps: take as many steps as on all examples, by seeing the chosen ones more often; without it
            an epoch is one pass over them.
    """

    rule: Literal["correct", "without_improved", "without_random", "with_worsened", "with_random"]
    judge: Annotated[int, Field(ge=0)]
    reference: Annotated[int, Field(ge=0)] = 1
    share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    added: Annotated[float, Field(gt=0, lt=1)] = 0.01
    equal_steps: bool = False

    @model_validator(mode="after")
    def _same_size(self) -> Self:
        if self.rule == "correct" and not self.equal_steps:
            raise ValueError("'correct' keeps another number in each replicate, so it needs equal_steps=True")
        if self.rule.startswith("with_") and self.added >= self.share:
            raise ValueError(f"added={self.added} must be less than share={self.share}, of which it is a part")
        return self


class Stage(Description):
    """One stage of a chain.

    Attributes:
        start: "fresh" draws new weights, "previous" takes those of the stage before, "rewind" those of the
            first stage. Masks come from the stage before.
        prune: what to remove before training; scored on the final weights of the stage before.
        lift_masks: forget what was pruned, so that all weights train again.
        filters: events in which filters are pruned while it trains.
        examples: what to train on; None for all.
        from_epoch, to_epoch: slice of the recipe's schedule that is trained, with a fresh optimizer. Past its end the
            schedule goes on at its last learning rate.
        from_step, to_step: steps by which the slice begins and ends later.
        level: how many times the chain has pruned, or lengthened training, up to here; None marks a preparation,
            which is not reported.
    """

    start: Literal["fresh", "previous", "rewind"]
    prune: Prune | None = None
    lift_masks: bool = False
    filters: FilterEvents | None = None
    examples: Subset | None = None
    from_epoch: Annotated[int, Field(ge=0)]
    to_epoch: Annotated[int, Field(ge=0)]
    from_step: Annotated[int, Field(ge=0)] = 0
    to_step: Annotated[int, Field(ge=0)] = 0
    level: int | None = None


class Chain(Description):
    """An algorithm on a recipe: its stages, in order.

    Attributes:
        algorithm: name that tables, legends and menus show, see `lib.stages.algorithms`.
        recipe: how the benchmark is trained.
        stages: the first must start fresh.
    """

    algorithm: str
    recipe: Recipe
    stages: tuple[Stage, ...]

    @field_validator("stages")
    @classmethod
    def _possible(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        if not stages or stages[0].start != "fresh" or stages[0].prune is not None:
            raise ValueError("the first stage starts fresh and prunes nothing")
        for position, stage in enumerate(stages):
            start, end = stage.from_epoch, stage.to_epoch
            if (end, stage.to_step) < (start, stage.from_step):
                raise ValueError(f"stage {position} ends at epoch {end}, before it starts at {start}")
            last = max(stage.examples.judge, stage.examples.reference) if stage.examples else -1
            if last >= position:
                raise ValueError(f"the examples of stage {position} must be chosen by stages before it, not by {last}")
        return stages


def stage_keys(chain: Chain, replicate: Replicate, precision: Precision) -> list[str]:
    """Return the key of every stage of a chain for one replicate.

    A level and an algorithm's name do not enter a key: they label a stage, they do not change it. A score or a network of
    the reader's own enters with the hash of the module that defines it (`lib.by_name`).
    """
    # Defaults are left out, so that a setting added later does not change the keys of what never used it. Whoever changes a
    # default raises NUMERICS_VERSION; a test asks for it.
    recipe = chain.recipe.model_dump(mode="json", exclude={"benchmark"}, exclude_defaults=True)
    recipe["network"] = by_name.identity(chain.recipe.network)
    who = replicate.model_dump(mode="json", exclude_defaults=True)
    root = digest([NUMERICS_VERSION, recipe, who, precision])
    keys: list[str] = []
    for position, stage in enumerate(chain.stages):
        description = stage.model_dump(mode="json", exclude={"level"}, exclude_defaults=True)
        if stage.prune:
            description["prune"]["score"] = by_name.identity(stage.prune.score)
        if stage.filters and "score" in description["filters"]:
            description["filters"]["score"] = by_name.identity(stage.filters.score)
        parents = [keys[-1] if keys else root]
        if stage.start == "rewind":
            parents.append(keys[0])
        if stage.examples:  # every stage before this one is an ancestor; these two also by what they do
            parents += [keys[stage.examples.judge], keys[stage.examples.reference]]
        keys.append(digest([parents, position, description]))
    return keys
