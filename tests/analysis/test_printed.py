"""The printed record: what is numeric is read as a number, what is text stays text."""

import re

import pytest

from lib.analysis.files import REPOSITORY
from lib.analysis.printed import printed
from lib.errors import InputError

TABLES = sorted((REPOSITORY / "papers").glob("*/printed/*.csv"))


def test_all_four_papers_have_their_record():
    assert {path.parts[-3] for path in TABLES} == {
        "training_regularization",
        "label_noise",
        "lost_in_pruning",
        "generalization_stability",
    }
    assert len(TABLES) == 34


@pytest.mark.parametrize("path", TABLES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_numbers_are_read_where_numbers_are_printed(path):
    frame = printed(path.parts[-3], path.stem)
    assert set(frame["source"]) <= {"main text", "appendix", "paper"}
    assert len(frame) > 0
    if "mean" in frame.columns:
        numeric = frame["raw_cell"].str.fullmatch(r"[+-]?\d+(\.\d+)?\s*%?(\s*±\s*\d+(\.\d+)?\s*%?)?")
        assert not frame.loc[numeric & (frame["text_value"] == ""), "mean"].isna().any()
        # A value is a number, a text or stated to be absent, never nothing at all.
        assert all(
            mean == mean or text or note
            for mean, text, note in zip(frame["mean"], frame["text_value"], frame["note"], strict=True)
        )


def test_the_record_names_no_file_of_ours():
    for path in [*TABLES, REPOSITORY / "papers" / "claims.csv"]:
        assert not re.search(r"\.txt|[0-9a-f]{16}|(^|[ ,\"])/(work|tmp|home|opt)", path.read_text(encoding="utf-8"))


def test_unknown_names_are_refused():
    with pytest.raises(InputError, match="Did you mean 'label_noise'"):
        printed("label_nois", "table")
    with pytest.raises(InputError, match="Did you mean 'table_06_sparse_vs_dense'"):
        printed("training_regularization", "table_06_sparse_vs_dens")
