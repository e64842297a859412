"""What a reader changes of a plan, in the parameters cell of a page or by `--set noise_percents=20,60`.

Empty means as the plan has it. A changed run is one of its own: it has a folder of tables and a label of its own, stands
beside the book's tables, and counts for no claim.

Neither this module nor what it imports loads torch.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from lib.by_name import identity
from lib.descriptions import Description
from lib.errors import InputError, unknown


class Changes(Description):
    """What a reader changes of a plan (`lib.stages.experiment_plan.change` makes it).

    Attributes:
        noise_percents, seeds: of the replicates, in place of the plan's; empty for these.
        levels: how often is pruned; here and below, 0 or "" is for the plan's.
        fraction: share of the remaining weights that each level removes.
        score: which weights go, see `lib.pruning.scores`, or which filters, `lib.pruning.filter_scores`; "__main__:name"
            is a function of the notebook.
        target: which filters events prune while a network trains: "smallest", "largest" or "random".
        every: epochs between two such events, counted in the schedule of the plan's events.
        epochs: length of the schedule, whose other epochs move in proportion.
        images: trained on.
    """

    noise_percents: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    levels: int = 0
    fraction: float = 0.0
    score: str = ""
    target: str = ""
    every: int = 0
    epochs: int = 0
    images: int = 0

    @property
    def words(self) -> str:
        """What is changed, in words: "noise 60 %, 2 seeds"; nothing where nothing is."""
        few = len(self.seeds) < 2
        said = {
            "noise_percents": f"noise {', '.join(f'{one:g}' for one in self.noise_percents)} %",
            "seeds": f"seed {self.seeds[0]}" if self.seeds and few else f"{len(self.seeds)} seeds",
            "levels": f"{self.levels} level{'s' * (self.levels > 1)}",
            "fraction": f"{100 * self.fraction:.4g} % a cut",
            "score": f"score {self.score.rpartition(':')[2]}",
            "target": f"{self.target} filters",
            "every": f"events every {self.every} epochs",
            "epochs": f"{self.epochs} epoch{'s' * (self.epochs > 1)}",
            "images": f"{self.images:,} images",
        }
        return ", ".join(words for name, words in said.items() if getattr(self, name))

    @property
    def slug(self) -> str:
        """A name for folders: what is changed, and a hash of it with the source of a score of the reader's own."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        if self.score:
            content["score"] = identity(self.score)
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
        return "-".join([re.sub(r"[^a-z0-9.]+", "-", self.words.lower())[:40].strip("-"), digest])

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in Changes.model_fields)


NO_CHANGES = Changes()
KINDS = {
    "noise_percents": "numbers, as in noise_percents=20,60",
    "seeds": "whole numbers, as in seeds=0,1",
    "fraction": "a number, as in fraction=0.5",
}


def read_changes(given: Iterable[str]) -> Changes:
    """Read changes from a command line: "noise_percents=20,60", "seeds=7".

    Raises:
        InputError: a text is not name=value, a name is unknown or given twice, or a value has another type.
    """
    values: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--set {text!r} is no change. Allowed: name=value, such as noise_percents=20,60.")
        if name not in Changes.model_fields:
            raise unknown("name after --set", name, Changes.model_fields)
        if name in values:
            raise InputError(f"--set {name} was given twice. Allowed: once, with several values as {name}=0,1.")
        kind: Any = Changes.model_fields[name].annotation
        several = get_args(kind)
        try:
            read = TypeAdapter(several[0] if several else kind).validate_strings
            values[name] = tuple(read(one.strip()) for one in value.split(",")) if several else read(value)
        except ValidationError:
            allowed = KINDS.get(name, "a whole number")
            raise InputError(f"--set {name} was given {value!r}. Allowed: {allowed}.") from None
    return Changes(**values)
