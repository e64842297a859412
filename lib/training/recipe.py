"""A recipe says how one benchmark is trained: data, network, optimizer, schedule (TR Table 1)."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lib.data import CORRUPTIONS, normalization
from lib.data.corruptions import SEVERITIES
from lib.data.folder_images import SEGMENTED
from lib.descriptions import Description
from lib.errors import InputError, unknown
from lib.models import Network, build

Positive = Annotated[int, Field(gt=0)]
Precision = Literal["float32", "bfloat16", "tf32"]


class DataRecipe(Description):
    """Which images a network sees.

    Attributes:
        image_set: name of the image set, as in `lib.data.load` or `lib.data.open_folders`.
        validation: images of the training set held out, never relabelled (facts J3, J25).
        split_seed: which images those are; the same for all replicates.
        train: how many of the other images are trained on; None takes all, fewer are a seeded choice.
        test: how many test images are used; None takes all.
        normalization: name of the constants, or the constants spelled out, as `lib.data.normalization` takes them.
        augmentation: "none", or in every epoch "flip-crop" for a random flip and a 4-pixel shift, "resized-crop" for a
            random part of the image, resized, and a random flip, "resized-crop-wide" for smaller parts too (only images in
            files, see `lib.data.folder_images` and `lib.data.segmentation_images`).
        noise: "other" relabels with one of the other classes (TR), "any" with any class (LN).
        corruptions: of `lib.data.corruptions`, of which each image has one or none, drawn anew in every epoch before
            augmentation (LIP section 6) ...
        severities: ... at these. With one, none is drawn as often as each corruption; with several, each of them is drawn as
            often, 0 being none, then the corruption (as LIP's program does).
    """

    image_set: str
    validation: Annotated[int, Field(ge=0)]
    split_seed: int = 0
    train: Positive | None = None
    test: Positive | None = None
    normalization: str
    augmentation: Literal["none", "flip-crop", "resized-crop", "resized-crop-wide"] = "none"
    noise: Literal["other", "any"] = "other"
    corruptions: tuple[str, ...] = ()
    severities: tuple[int, ...] = (3,)

    @field_validator("normalization")
    @classmethod
    def _constants_exist(cls, name: str) -> str:
        normalization(name)
        return name

    @field_validator("corruptions")
    @classmethod
    def _corruptions_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in CORRUPTIONS:
                raise unknown("corruption", name, CORRUPTIONS)
        return names

    @field_validator("severities")
    @classmethod
    def _severities_exist(cls, given: tuple[int, ...]) -> tuple[int, ...]:
        if not any(given) or len(set(given)) < len(given) or not {*given} <= {0, *SEVERITIES}:
            raise InputError(f"severities are {given}; allowed: different ones of 0 to {SEVERITIES[-1]}, not 0 alone.")
        return given


class Recipe(Description):
    """How a benchmark is trained from start to end.

    Attributes:
        benchmark: its name, such as "mnist-lenet".
        data: which images, see `DataRecipe`.
        task: "classification" of images, or "segmentation", of their pixels, see `lib.training.task`.
        network: name of the network, as in `lib.models.build`, or "package.module:function"; `width` scales it where it
            has one.
        width_scale: of the width of every layer of that network, inside (0, 1] (TR section 5.2).
        normalization_scale: initial distribution of the scale of batch normalization.
        initial_bias, initial_weights: of convolutions and linear layers, see `lib.models.initialize`.
        backbone: published weights with which the network's part of that name begins, as in `lib.models.published`, or none.
        epochs: length of the whole schedule.
        batch_size: examples a step; the last, smaller batch of an epoch is kept.
        optimizer: "adam" (0.9, 0.999, 1e-8) or "sgd" with `momentum`, Nesterov's with `nesterov`.
        learning_rate: at the start; times `drop_factor` from each epoch in `drop_epochs` on, and rising linearly from
            zero over the first `warmup_epochs`, and times (1 - step / steps)^`decay_power` at each step of the schedule.
        weight_decay: on all parameters, as a term of the gradient.
        rewind_epoch: epoch t to which weights and schedule are rewound (TR Table 1) ...
        rewind_step: ... and as many steps more (LN App. A.1 counts in steps).
        record_epochs: keep the errors of every epoch, see `lib.training.epoch_errors`.
    """

    benchmark: str
    data: DataRecipe
    task: Literal["classification", "segmentation"] = "classification"
    network: str
    width: Positive | None = None
    width_scale: Annotated[float, Field(gt=0, le=1)] = 1.0
    normalization_scale: Literal["uniform", "one"] = "uniform"
    initial_bias: Literal["uniform", "zero"] = "uniform"
    initial_weights: Literal["fan-in", "fan-out", "fan-out-small-linear", "uniform"] = "fan-in"
    backbone: Literal["", "imagenet-resnet50"] = ""
    epochs: Positive
    batch_size: Positive
    optimizer: Literal["adam", "sgd"]
    learning_rate: Annotated[float, Field(gt=0)]
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    nesterov: bool = False
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    drop_epochs: tuple[int, ...] = ()
    drop_factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    decay_power: Annotated[float, Field(ge=0)] = 0.0
    rewind_epoch: Annotated[int, Field(ge=0)] = 0
    rewind_step: Annotated[int, Field(ge=0)] = 0
    record_epochs: bool = False

    @model_validator(mode="after")
    def _rewind_inside_schedule(self) -> Self:
        if self.rewind_epoch >= self.epochs:
            raise ValueError(f"rewind_epoch={self.rewind_epoch} must come before the end, epoch {self.epochs}")
        return self

    @model_validator(mode="after")
    def _images_for_the_task(self) -> Self:
        if (self.task == "segmentation") != (self.data.image_set in SEGMENTED):
            raise ValueError(f"task={self.task!r} on {self.data.image_set!r}; segmentation has {', '.join(SEGMENTED)}")
        if self.task == "segmentation" and self.record_epochs:
            raise ValueError("record_epochs=True counts the errors of images, not of pixels; leave it out")
        return self

    @model_validator(mode="after")
    def _momentum_to_look_ahead_by(self) -> Self:
        if self.nesterov and (self.optimizer != "sgd" or not self.momentum):
            given = f"optimizer={self.optimizer!r} and momentum={self.momentum}"
            raise ValueError(f"nesterov=True needs optimizer='sgd' with a momentum above 0, not {given}")
        return self


def network_of(recipe: Recipe, classes: int) -> Network:
    """Return the network of a recipe, in its width, with new weights; see `lib.models.build`."""
    return build(recipe.network, classes, recipe.width, recipe.width_scale)


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of one step, counted from the start of the recipe's schedule (facts A.4, C.1).

    Past the end of the schedule it stays that of its last step.
    """
    steps = recipe.epochs * steps_per_epoch
    step = min(step, steps - 1)
    drops = sum(step >= epoch * steps_per_epoch for epoch in recipe.drop_epochs)
    warmup = min(1.0, step / (recipe.warmup_epochs * steps_per_epoch)) if recipe.warmup_epochs else 1.0
    decay = (1 - step / steps) ** recipe.decay_power
    return recipe.learning_rate * recipe.drop_factor**drops * warmup * decay
