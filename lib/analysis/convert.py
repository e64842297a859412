"""Convert the tables of the first format (one a page) into the second (one a paper, benchmark and scale), number for number.

Run once: python -m lib.analysis.convert. It goes with the first format.
"""

import csv
import json
from pathlib import Path

import pandas

from lib.analysis.files import REPOSITORY
from lib.analysis.part import COLUMNS, Provenance, write_part
from lib.analysis.table import table_folder

ALGORITHMS = {
    "learning_rate_rewinding": "learning-rate rewinding",
    "random_pruning": "learning-rate rewinding, random score",
    "snip_pruning": "learning-rate rewinding, SNIP score",
    "synflow_pruning": "learning-rate rewinding, SynFlow score",
    "weight_rewinding": "weight rewinding",
    "weight_rewinding_gradient": "weight rewinding, gradient score",
    "weight_rewinding_random": "weight rewinding, random score",
    "redense_training": "re-dense training",
    "extended_dense_training": "extended dense training",
    "fine_tuning": "fine-tuning",
    "one_shot": "one-shot pruning",
    "width_downscaling": "width down-scaling",
    "longer_width_downscaling": "longer width down-scaling",
    "correct_examples_only": "correct examples only",
    "without_improved_examples": "without improved examples",
    "without_random_examples": "without random examples",
    "without_improved_examples_10_percent": "without improved examples (10 %)",
    "without_random_examples_10_percent": "without random examples (10 %)",
}
SUBSETS = {
    "test": "test",
    "validation": "validation",
    "train": "training",
    "train_noisy": "noisy training",
    "train_original": "original training",
    "train_restored": "restored training",
}
QUANTITIES = {
    "best_test_error_percent": "best test error (%)",
    "test_error_change_over_ten_epochs_percent": "test error change over ten epochs (%)",
    **{f"epoch_error_percent_{old}": f"{new} error by epoch (%)" for old, new in SUBSETS.items()},
    "train_loss_of_el2n_group_nats": "training loss of EL2N group (nats)",
    "mean_el2n_of_group": "mean EL2N of group",
    "overlap_of_most_changed_examples": "overlap of most changed examples",
    "loss_change_nats": "loss change by pruning (nats)",
    "first_order_loss_change_nats": "first-order loss change by pruning (nats)",
    "path_train_loss_nats": "training loss on path (nats)",
    "path_train_error_percent": "training error on path (%)",
    "path_test_loss_nats": "test loss on path (nats)",
    "path_test_error_percent": "test error on path (%)",
    "slice_train_loss_nats": "training loss along direction (nats)",
    "distance_from_initialization": "distance from initialization",
    "distance_from_masked_initialization": "distance from masked initialization",
    **{
        f"{category}_{old}": f"{category.replace('_', ' ')}: {new}"
        for category in ("most_worsened", "most_improved", "least_affected")
        for old, new in {
            "example_index": "index",
            "example_label": "label",
            "example_majority_prediction": "majority prediction",
            "example_loss_change_nats": "loss change (nats)",
            "mean_el2n": "mean EL2N",
            "noisy_labels_percent": "noisy labels (%)",
        }.items()
    },
}
IDENTITIES = {
    "errors": "1",
    "errors by epoch": "1; most_epochs=30; most_rows=8000",
    "example groups": "1; groups=20; networks=10",
    "overlap": "1; share=0.1",
    "loss change": "1",
    "loss path": "1; points=101; sample=2000; statistics=interpolated",
    "loss slice": "1; points=51; reach=1.0; sample=2000",
    "distance": "1",
    "ranked examples": "1; floor=1e-05; networks=10; shown=20; worse_by=2.0",
}
"""What identified each measurement when the old tables were made (`lib.analysis.experiments.Measurement`)."""

OF_EVERY_NETWORK = ("best test error (%)", "test error change over ten epochs (%)")
WIDE = {"error_percent": "error (%)", "cross_entropy_nats": "loss (nats)", "examples": "examples"}


def old_rows(csv_path: Path) -> list[dict]:
    """Return the rows of one old file in the new form, in its order."""
    found = []
    with csv_path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            network = {
                "noise_percent": float(row["noise_percent"]),
                "algorithm": ALGORITHMS[row["algorithm"]],
                "seed": int(row["seed"]),
                "level": int(row["level"]),
                "stage_key": row["stage_key"],
            }
            if "quantity" in row:
                found.append(
                    network
                    | {
                        "quantity": QUANTITIES[row["quantity"]],
                        "position": float(row["position"]),
                        "value": float(row["value"]),
                    }
                )
                continue
            assert row["diverged"] == "False"
            subset = SUBSETS[row["subset"]]
            for old, new in WIDE.items():
                if old != "examples" or network["level"] == 0:
                    found.append(
                        network | {"quantity": f"{subset} {new}", "position": 0.0, "value": float(row[old])}
                    )
            if row["subset"] == "test":
                for old, new in {
                    "weights_remaining_percent": "weights remaining (%)",
                    "epochs_trained": "epochs trained",
                }.items():
                    found.append(network | {"quantity": new, "position": 0.0, "value": float(row[old])})
    return found


def main() -> None:
    """Write the parts of every paper, benchmark and scale: one for each algorithm and for what each page measured besides."""
    for paper in ("training_regularization", "label_noise"):
        seen: dict[tuple, set] = {}
        results = REPOSITORY / "papers" / paper / "results"
        for file in sorted(results.glob("*/*.json")):
            made = json.loads(file.read_text())
            if "page" not in made:  # of the second format
                continue
            folder = table_folder(paper, made["benchmark"], made["scale"], "committed")
            known = seen.setdefault((made["benchmark"], made["scale"]), set())
            parts: dict[str, list[dict]] = {}
            with file.with_suffix(".csv").open(encoding="utf-8", newline="") as table:
                everything = dict.fromkeys(ALGORITHMS[row["algorithm"]] for row in csv.DictReader(table))
            for path in (file.with_suffix(".csv"), file.with_suffix(".quantities.csv")):
                for row in old_rows(path) if path.exists() else ():
                    key = tuple(
                        row[name]
                        for name in ("noise_percent", "algorithm", "seed", "level", "quantity", "position")
                    )
                    if key not in known:
                        known.add(key)
                        further = row["quantity"] in QUANTITIES.values()
                        further = further and row["quantity"] not in OF_EVERY_NETWORK
                        part = part_of(row["quantity"], made["page"]) if further else row["algorithm"]
                        parts.setdefault(part, []).append(row)
            for part, rows in parts.items():
                frame = pandas.DataFrame(rows)[["noise_percent", *COLUMNS]].assign(part=part)
                provenance = Provenance(
                    seeds=made["seeds"], device=made["device"], precision=made["precision"],
                    deterministic=made.get("deterministic", True), stacking=made["stacking"], date=made["date"],
                    training_seconds=made["wall_clock_seconds"], versions=made["versions"],
                    numerics_version=made["numerics_version"], commit="90f9517",
                    measurements={kind: IDENTITIES[kind] for kind in [part.split(", ")[0]] if kind in IDENTITIES}
                    or {"errors": IDENTITIES["errors"]},
                    algorithms=(part,) if part in everything else tuple(everything),
                )  # fmt: skip
                write_part(folder, part, frame, provenance)


def part_of(quantity: str, page: str) -> str:
    """Name the part of a quantity that a page measured besides errors."""
    kinds = {
        "by epoch": "errors by epoch",
        "EL2N group": "example groups", "EL2N of group": "example groups", "overlap": "overlap", "by pruning": "loss change",
        "path": "loss path", "direction": "loss slice", "distance": "distance", ": ": "ranked examples",
    }  # fmt: skip
    return next(f"{name}, {page.replace('_', ' ')}" for sign, name in kinds.items() if sign in quantity)


if __name__ == "__main__":
    main()
