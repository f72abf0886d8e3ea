"""`protocols`: what the networks really get; honest rows leak nothing, the paper's rows do."""

import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.settings.parameters import Settings
from lesions.splits import handover, protocols
from lesions.splits.leaks import leak_report
from made import made_groups, made_table


@pytest.fixture
def table() -> pd.DataFrame:
    return made_table(600)


def keep_list(table: pd.DataFrame) -> pd.DataFrame:
    """Every tenth image goes; some images are duplicates of one another."""
    kept = pd.Series(range(len(table))) % 10 > 0
    groups = made_groups(table, 40).to_numpy()
    return pd.DataFrame(
        {
            "image_id": table["image_id"],
            "keep_honest": kept,
            "keep_paper": kept,
            "group": groups,
        }
    )


def test_what_has_one_class_only_is_no_target(table: pd.DataFrame) -> None:
    full = table.assign(sex=list("mf") * 300, dx_type="histo", localization=list("ab") * 300)
    assert protocols.targets(full) == ["sex", "dx", "localization"]
    bare = full.assign(sex="unknown", localization="unknown")
    assert protocols.targets(bare) == ["dx"]
    with pytest.raises(LesionsError, match=r"no two values of sex.*there are: honest-dx\."):
        handover.rows_of({"honest-dx": bare}, "honest", "sex")


@pytest.mark.parametrize("resample", ["over", "under", "none"])
def test_honest_rows_leak_nothing(table: pd.DataFrame, resample: str) -> None:
    keep = keep_list(table)
    settings = Settings(RESAMPLE=resample, SEED=1)
    rows = protocols.rows_for("honest", table, keep, "dx", settings)
    groups = keep.set_index("image_id")["group"]
    report = leak_report(rows, duplicates=groups).query("label == 'all'").set_index("split")
    assert (report["images"] > 50).all()
    assert report["leaked"].to_dict() == {"validation": 0, "test": 0}
    seen = rows[rows["split"] != "train"]
    assert not seen["image_id"].duplicated().any()
    assert set(rows["image_id"]) <= set(keep.loc[keep["keep_honest"], "image_id"])


def test_the_papers_rows_have_most_test_images_in_training(table: pd.DataFrame) -> None:
    settings = Settings(RESAMPLE="over", SEED=1)
    rows = protocols.rows_for("paper", table, keep_list(table), "dx", settings)
    report = leak_report(rows).query("label == 'all'")
    assert (report["same_image"] / report["images"]).min() > 0.7
