"""Each claim gets a verdict by rule; the order of the rules; what is missing is said."""

import numpy as np
import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.paper import audit, claims

PAPER = pd.read_csv(ROOT / "data" / "paper_results.csv")


def judge(ours=None, facts=None, runs="", **claim):
    """Verdict and reason of one claim."""
    filled = dict.fromkeys(claims.load().columns, "") | {"id": "X1"} | claim
    result = claims.verdicts(pd.DataFrame([filled]), PAPER, ours, facts, runs)
    return result["verdict"].item(), result["reason"].item()


def our_run(row, value, protocol="paper", metric="accuracy", init="scratch", spread=0.02):
    return {
        "row": row, "protocol": protocol, "init": init, "metric": metric, "value": value,
        "low": value - spread, "high": value + spread,
    }  # fmt: skip


def ours(*runs):
    return pd.DataFrame(list(runs))


# ---------------------------------------------------------------- the file of claims


def test_every_claim_has_a_verdict_and_a_reason():
    result = claims.verdicts(claims.load(), PAPER)
    assert set(result["verdict"]) <= set(claims.VERDICTS)
    assert (result["reason"] != "").all()
    # Without runs and data the reason says what would be needed.
    needs = result[result["reason"].str.startswith("needs ")]
    assert len(needs) > 40 and set(needs["verdict"]) == {claims.NOT_CHECKABLE}
    assert needs["reason"].str.contains("HAM10000").all()


def test_every_number_of_the_table_is_a_claim():
    table = claims.load().query("section == 'Results, table'")
    assert len(table) == 9 * 7
    for claim in table.to_dict("records"):
        number = PAPER.set_index("row").loc[int(claim["row"]), claim["metric"]]
        assert float(claim["value"]) == number
        assert claim["quote"].endswith(f"{number:.2f}")


def test_claims_are_well_formed():
    table = claims.load()
    assert table["id"].is_unique
    assert set(table["kind"]) == set(claims.KINDS)
    needed = {
        "score": ["row", "metric", "value"], "order": ["row", "other", "metric", "relation"],
        "constant": ["row"], "resampled": ["row"], "fact": ["fact", "relation", "value"],
        "sum": ["value"], "conflict": ["value", "other", "why"],
        "known": ["value", "other", "why"], "setting": [], "outside": [], "open": ["why"],
    }  # fmt: skip
    for kind, columns in needed.items():
        part = table[table["kind"] == kind]
        assert (part[["section", "quote", *columns]] != "").all(axis=None), kind
    assert set(table.loc[table["kind"] == "order", "relation"]) == {"above", "below"}
    assert set(table.loc[table["kind"] == "fact", "relation"]) <= {
        "equals",
        "about",
        "above",
        "below",
    }


# ---------------------------------------------------------------- scores


def test_text_is_held_against_the_table_first():
    verdict, reason = judge(kind="score", row="9", metric="f1", value="0.42")
    assert verdict == claims.CONTRADICTED
    assert reason == "row 9 of the table has macro_f1 0.40 and weighted_f1 0.40"


def test_then_arithmetic_then_constant_answers():
    assert judge(kind="score", row="4", metric="accuracy", value="0.64")[0] == audit.IMPOSSIBLE
    assert judge(kind="score", row="6", metric="f1", value="0.53")[0] == audit.IMPOSSIBLE
    assert judge(kind="score", row="2", metric="recall", value="0.55")[0] == audit.CONSTANT
    # The rule that row 4 breaks says nothing of its precision.
    assert (
        judge(kind="score", row="4", metric="macro_precision", value="0.75")[0]
        == claims.NOT_CHECKABLE
    )


@pytest.mark.parametrize(
    ("value", "spread", "expected"),
    [(0.50, 0.02, claims.REPRODUCED), (0.524, 0.02, claims.REPRODUCED),
     (0.53, 0.02, claims.NOT_REPRODUCED), (0.60, 0.02, claims.NOT_REPRODUCED),
     (0.40, 0.02, claims.NOT_REPRODUCED), (0.60, 0.1, claims.REPRODUCED)],
)  # fmt: skip
def test_a_score_is_compared_with_ours_under_paper(value, spread, expected):
    runs = ours(our_run(1, value, spread=spread), our_run(1, 0.9, protocol="honest"))
    verdict, reason = judge(
        kind="score", row="1", metric="accuracy", value="0.50", ours=runs, runs="64 pixels"
    )
    assert verdict == expected
    assert f"under paper {value:.3f}" in reason
    assert "under honest 0.900" in reason
    assert reason.endswith("; 64 pixels")


def test_what_run_is_missing_is_said():
    claim = {"kind": "score", "row": "1", "metric": "accuracy", "value": "0.50"}
    only_honest = ours(our_run(1, 0.5, protocol="honest"))
    for runs in (None, only_honest):
        verdict, reason = judge(ours=runs, **claim)
        assert verdict == claims.NOT_CHECKABLE
        assert reason == "needs the paper run of fcnn_relu:sex on HAM10000"


def test_a_random_backbone_is_no_reproduction():
    claim = {"kind": "score", "row": "5", "metric": "accuracy", "value": "0.52"}
    random = our_run(5, 0.52, init="random")
    verdict, reason = judge(ours=ours(random), **claim)
    assert verdict == claims.NOT_CHECKABLE
    assert "vgg16:dx on HAM10000 with ImageNet weights" in reason
    both = ours(random, our_run(5, 0.80, init="imagenet"))
    assert judge(ours=both, **claim)[0] == claims.NOT_REPRODUCED


# ---------------------------------------------------------------- order


def order(row, other, relation="above", metric="accuracy", **more):
    return judge(kind="order", row=row, other=other, metric=metric, relation=relation, **more)


def test_an_order_is_held_against_the_table():
    verdict, reason = order("5", "4")
    assert verdict == claims.CONTRADICTED
    assert reason == "accuracy of row 5 (vgg16:dx) is 0.52, of row 4 (cnn:dx) 0.64"
    assert order("9", "4 6")[0] == claims.CONTRADICTED
    assert order("4", "7 9")[0] == claims.NOT_CHECKABLE  # other targets
    assert order("2", "1 3")[0] == audit.CONSTANT
    assert order("9", "8")[0] == audit.IMPOSSIBLE
    assert order("7", "4 5 6", relation="below")[0] == audit.CONSTANT


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(0.70, 0.50, claims.REPRODUCED), (0.52, 0.50, claims.NOT_REPRODUCED),
     (0.50, 0.70, claims.NOT_REPRODUCED)],
)  # fmt: skip
def test_an_order_needs_intervals_that_do_not_touch(first, second, expected):
    """FCNN ReLU before FCNN L2 by macro F1: nothing in the table speaks against it."""
    runs = ours(our_run(1, first, "honest", "macro_f1"), our_run(3, second, "honest", "macro_f1"))
    assert order("1", "3", metric="macro_f1", ours=runs)[0] == expected
    turned = order("3", "1", metric="macro_f1", relation="below", ours=runs)
    assert turned[0] == expected


def test_an_order_says_all_runs_it_lacks():
    verdict, reason = order("1", "3", metric="macro_f1", ours=ours(our_run(1, 0.5)))
    assert verdict == claims.NOT_CHECKABLE
    assert "honest run of fcnn_relu:sex" in reason
    assert "honest run of fcnn_l2:sex" in reason


# ---------------------------------------------------------------- the other kinds


@pytest.mark.parametrize(
    ("relation", "value", "fact", "expected"),
    [("equals", "10015", 10015, True), ("equals", "391", 392, False), ("equals", "nv", "nv", True),
     ("about", "0.70", 0.67, True), ("about", "0.70", 0.64, False), ("below", "0.02", 0.011, True),
     ("below", "0.02", 0.03, False), ("above", "1", 1.2, True), ("above", "1", 0.9, False)],
)  # fmt: skip
def test_facts(relation, value, fact, expected):
    claim = {"kind": "fact", "fact": "thing", "relation": relation, "value": value}
    verdict, _ = judge(facts={"thing": fact}, **claim)
    assert verdict == (claims.REPRODUCED if expected else claims.NOT_REPRODUCED)
    assert judge(facts={}, **claim)[0] == claims.NOT_CHECKABLE


def test_sums_conflicts_and_what_is_known():
    assert judge(kind="sum", value="10015 - 391 = 9624")[0] == claims.REPRODUCED
    assert judge(kind="sum", value="70 + 15 + 20 = 100")[0] == audit.IMPOSSIBLE
    assert judge(kind="conflict", value="2.10.0", other="2.16.2")[0] == claims.CONTRADICTED
    assert judge(kind="conflict", value="7", other="7")[0] == claims.REPRODUCED
    assert judge(kind="known", value="13", other="13")[0] == claims.REPRODUCED
    assert judge(kind="known", value="MNIST", other="HAM10000")[0] == claims.NOT_REPRODUCED
    assert judge(kind="open", why="not said") == (claims.NOT_CHECKABLE, "not said")
    assert judge(kind="constant", row="1 2")[0] == audit.CONSTANT
    assert judge(kind="constant", row="1")[0] == claims.NOT_CHECKABLE
    assert judge(kind="resampled", row="4 6")[0] == claims.CONTRADICTED
    assert judge(kind="resampled", row="6")[0] == claims.NOT_CHECKABLE


def test_unknown_kinds_are_refused():
    with pytest.raises(LesionsError, match="Unknown kind of claim rumour in claim X1"):
        judge(kind="rumour")


# ---------------------------------------------------------------- evidence


def test_facts_of_a_small_table():
    table = pd.DataFrame(
        {
            "lesion_id": ["a", "a", "b", "c"],
            "dx": ["nv", "nv", "nv", "df"],
            "sex": ["male", "female", "male", "unknown"],
            "localization": ["scalp", "lower extremity", "upper extremity", "ear"],
            "age": [1.0, 2.0, 3.0, np.nan],
        }
    )
    facts = claims.dataset_facts(
        table, removed=1, sizes=pd.DataFrame({"width": [600], "height": [450]})
    )
    assert facts["images"] == 4
    assert facts["largest_class"] == "nv"
    assert facts["largest_share"] == 0.75
    assert facts["images_sharing_a_lesion"] == 2
    assert facts["extremities_women_over_men"] == 2
    assert facts["removed"] == 1
    assert facts["share_600x450"] == 1
    # No woman has it on the scalp, so the ratio cannot be counted; neither was given.
    assert "scalp_and_ear_men_over_women" not in facts
    assert "identical_or_unreadable" not in facts


def test_facts_of_ham10000(ham_dir):
    table = pd.read_csv(ham_dir / "HAM10000_metadata.csv")
    facts = claims.dataset_facts(table, removed=392, identical_or_unreadable=2)
    result = claims.verdicts(claims.load(), PAPER, facts=facts)
    by_kind = result[claims.load()["kind"] == "fact"].set_index("id")["verdict"]
    counts = by_kind.value_counts().to_dict()
    assert counts == {claims.REPRODUCED: 15, claims.NOT_REPRODUCED: 3, claims.NOT_CHECKABLE: 1}


def test_our_scores_are_averaged_over_seeds():
    def predictions(record):
        share = float(record)
        truth = np.array(["female", "male"] * 50)
        p = np.where(np.arange(100) < share * 100, 0.9, 0.1)  # right in this share
        male = np.where(truth == "male", p, 1 - p)
        ids = [f"I{i}" for i in range(100)]
        return pd.DataFrame(
            {
                "image_id": ids,
                "lesion_id": ids,
                "truth": truth,
                "p_female": 1 - male,
                "p_male": male,
            }
        )

    about = {"model": "fcnn_relu", "target": "sex", "protocol": "paper", "init": "scratch"}
    records = pd.DataFrame(
        [
            about | {"record": "0.6"},
            about | {"record": "0.8"},
            about | {"target": "dx", "record": "1"},
        ]
    )
    table = claims.our_scores(records, PAPER, predictions, n=50)
    assert set(table["row"]) == {1}
    accuracy = table[table["metric"] == "accuracy"].iloc[0]
    assert accuracy["value"] == pytest.approx(0.7)
    assert accuracy["low"] < 0.6
    assert accuracy["high"] > 0.8
    assert set(table["metric"]) == set(audit.SCORES)
    none = claims.our_scores(records.iloc[2:], PAPER, predictions)
    assert none.empty
    result = claims.verdicts(claims.load(), PAPER, none)
    assert (result["verdict"] == claims.NOT_CHECKABLE).sum() > 40
