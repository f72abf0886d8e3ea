"""Each claim gets a verdict by rule; the order of the rules; what is missing is said."""

import numpy as np
import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.paper import audit, claims, evidence, readings

PAPER = pd.read_csv(ROOT / "data" / "paper_results.csv")


FOUND = readings.readings(PAPER[PAPER["row"].isin([4, 5, 7, 8, 9])])


def judge(ours=None, facts=None, runs="", differences=None, table=PAPER, found=FOUND, **claim):
    """Verdict and reason of one claim."""
    filled = dict.fromkeys(claims.load().columns, "") | {"id": "X1"} | claim
    listed = pd.DataFrame([filled])
    result = claims.verdicts(listed, table, ours, facts, runs, differences, found)
    return result["verdict"].item(), result["reason"].item()


def our_run(row, value, protocol="paper", metric="accuracy", init="scratch", spread=0.02):
    return {
        "row": row, "protocol": protocol, "init": init, "metric": metric, "value": value,
        "seeds": 1, "seed_low": value, "seed_high": value,
        "low": value - spread, "high": value + spread,
    }  # fmt: skip


def paired(row, other, difference, spread=0.02, metric="macro_f1", seeds=1):
    """Differences in both directions, as `evidence.our_differences` gives them."""
    return pd.DataFrame([
        {"row": a, "other": b, "metric": metric, "seeds": seeds, "difference": sign * difference,
         "low": sign * difference - spread, "high": sign * difference + spread}
        for a, b, sign in ((row, other, 1), (other, row, -1))
    ])  # fmt: skip


def ours(*runs):
    return pd.DataFrame(list(runs))


# ---------------------------------------------------------------- the file of claims


def test_every_claim_has_a_verdict_and_a_reason():
    result = claims.verdicts(claims.load(), PAPER, found=FOUND)
    assert set(result["verdict"]) <= set(claims.VERDICTS)
    assert (result["reason"] != "").all()
    # Without runs and data the reason says what would be needed.
    needs = result[result["reason"].str.startswith("needs ")]
    assert len(needs) > 25 and set(needs["verdict"]) == {claims.NOT_CHECKABLE}
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
        "plan": [],
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
    for metric, value in (("accuracy", "0.64"), ("weighted_recall", "0.73")):
        verdict, reason = judge(kind="score", row="4", metric=metric, value=value)
        assert verdict == claims.EXCLUDED and "0.73 is not 0.64" in reason
    assert judge(kind="score", row="6", metric="f1", value="0.53")[0] == claims.EXCLUDED
    mended = PAPER.assign(weighted_recall=PAPER["accuracy"])
    score = {"kind": "score", "row": "4", "metric": "accuracy", "value": "0.64"}
    assert judge(**score, table=mended)[0] == claims.NOT_CHECKABLE
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
    assert order("2", "1 3")[0] == audit.CONSTANT
    assert order("7", "4 5 6", relation="below")[0] == audit.CONSTANT
    better = PAPER.assign(
        accuracy=PAPER["accuracy"].where(PAPER["row"] != 5, 0.80),
        weighted_recall=PAPER["weighted_recall"].where(PAPER["row"] != 5, 0.80),
    )
    assert order("5", "4", table=better)[0] == claims.NOT_CHECKABLE  # a changed number turns it


def test_models_on_different_targets_are_not_compared():
    verdict, reason = order("9", "4 6")
    assert verdict == claims.TARGETS and "0.49 against 0.64, 0.41 says nothing" in reason
    assert order("4", "7 9")[0] == claims.TARGETS
    verdict, reason = order("8", "4 5 6 9")  # one of them has the same target, and is better
    assert verdict == claims.CONTRADICTED and reason.endswith("rows 4, 5, 6 have another target")


def test_an_order_that_hangs_on_numbers_that_exclude_each_other():
    """Row 4 has .64 and .73 for one quantity: a rival at .70 is above one and below the other."""
    rival = PAPER.assign(
        accuracy=PAPER["accuracy"].where(PAPER["row"] != 5, 0.70),
        weighted_recall=PAPER["weighted_recall"].where(PAPER["row"] != 5, 0.70),
    )
    assert order("4", "5", table=rival)[0] == claims.EXCLUDED
    assert order("4", "5")[0] == claims.NOT_CHECKABLE  # both are above .52


@pytest.mark.parametrize(
    ("difference", "expected"),
    [(0.20, claims.REPRODUCED), (0.01, claims.UNDECIDED), (-0.20, claims.NOT_REPRODUCED)],
)
def test_an_order_needs_a_paired_difference(difference, expected):
    """FCNN ReLU before FCNN L2 by macro F1: nothing in the table speaks against it.

    Both intervals are wide and overlap; that decides nothing.
    """
    runs = ours(our_run(1, 0.5, "honest", "macro_f1", spread=0.3),
                our_run(3, 0.5 - difference, "honest", "macro_f1", spread=0.3))  # fmt: skip
    pairs = paired(1, 3, difference)
    verdict, reason = order("1", "3", metric="macro_f1", ours=runs, differences=pairs)
    assert verdict == expected and f"{difference:+.3f}" in reason
    turned = order("3", "1", metric="macro_f1", relation="below", ours=runs, differences=pairs)
    assert turned[0] == expected
    assert order("1", "3", metric="macro_f1", ours=runs)[0] == claims.NOT_CHECKABLE


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
    assert judge(kind="known", value="MNIST", other="HAM10000")[0] == claims.FALSE
    assert judge(kind="outside")[0] == claims.NOT_CHECKED
    assert judge(kind="plan")[0] == claims.PLAN
    assert judge(kind="open", why="not said") == (claims.NOT_CHECKABLE, "not said")
    assert judge(kind="constant", row="1 2")[0] == audit.CONSTANT
    assert judge(kind="constant", row="1")[0] == claims.NOT_CHECKABLE
    assert judge(kind="resampled", row="4 5")[0] == claims.NOT_CHECKABLE
    verdict, reason = judge(kind="resampled", row="4 5 7")
    assert verdict == claims.CONTRADICTED and reason.startswith("row 7: ")
    assert reason.endswith("rows 4, 5 fit a test part as in nature, too")
    turned = FOUND.assign(verdict=FOUND["verdict"].where(FOUND["row"] != 7, "possible"))
    assert judge(kind="resampled", row="4 5 7", found=turned)[0] == claims.NOT_CHECKABLE


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
    assert facts["removed"] == 1
    assert facts["share_600x450"] == 1
    # There is no cancer, so the ratio cannot be counted; neither was given.
    assert "scalp_and_ear_men_over_women" not in facts
    assert "identical_or_unreadable" not in facts


def test_facts_of_ham10000(ham_dir):
    table = pd.read_csv(ham_dir / "HAM10000_metadata.csv")
    facts = claims.dataset_facts(table, removed=392, identical_or_unreadable=2)
    result = claims.verdicts(claims.load(), PAPER, facts=facts, found=FOUND)
    by_kind = result[claims.load()["kind"] == "fact"].set_index("id")["verdict"]
    counts = by_kind.value_counts().to_dict()
    assert counts == {claims.REPRODUCED: 14, claims.NOT_REPRODUCED: 3, claims.NOT_CHECKABLE: 1,
                      claims.UNDECIDED: 1}  # fmt: skip
    kept = evidence.kept_facts()
    for name, fact in kept.items():
        if isinstance(fact, evidence.Estimate):
            assert facts[name] == pytest.approx(fact, abs=1e-3)
        else:
            assert facts[name] == pytest.approx(fact)


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
    assert (accuracy["seeds"], accuracy["seed_low"], accuracy["seed_high"]) == (2, 0.6, 0.8)
    assert set(table["metric"]) == set(audit.SCORES)
    none = claims.our_scores(records.iloc[2:], PAPER, predictions)
    assert none.empty
    result = claims.verdicts(claims.load(), PAPER, none, found=FOUND)
    assert (result["verdict"] == claims.NOT_CHECKABLE).sum() > 40


def test_a_fact_with_an_interval_needs_all_of_it():
    claim = {"kind": "fact", "fact": "thing", "relation": "above", "value": "1"}
    for low, high, expected in ((1.1, 3.0, claims.REPRODUCED), (0.9, 4.0, claims.UNDECIDED),
                                (0.2, 0.8, claims.NOT_REPRODUCED)):  # fmt: skip
        fact = evidence.Estimate((low + high) / 2, low, high)
        assert judge(facts={"thing": fact}, **claim)[0] == expected
    turned = claim | {"relation": "below"}
    assert (
        judge(facts={"thing": evidence.Estimate(0.5, 0.2, 0.8)}, **turned)[0] == claims.REPRODUCED
    )


def test_differences_are_paired_and_within_one_target():
    def predictions(record):
        right = int(record)
        truth = np.array(["female", "male"] * 50)
        male = np.where((truth == "male") == (np.arange(100) < right), 0.9, 0.1)
        ids = [f"I{i}" for i in range(100)]
        return pd.DataFrame({"image_id": ids, "lesion_id": ids, "truth": truth,
                             "p_female": 1 - male, "p_male": male})  # fmt: skip

    rows = [("fcnn_relu", "sex", "90"), ("fcnn_l2", "sex", "60"), ("cnn", "dx", "90")]
    records = pd.DataFrame(rows, columns=["model", "target", "record"])
    records = records.assign(protocol="honest", init="scratch", seed=0)
    found = claims.our_differences(records, PAPER, predictions, n=100)
    assert set(zip(found["row"], found["other"], strict=True)) == {(1, 3), (3, 1)}
    accuracy = found.query("metric == 'accuracy' and row == 1").iloc[0]
    assert accuracy["difference"] == pytest.approx(0.3) and accuracy["low"] > 0.15
    assert claims.our_differences(records.iloc[2:], PAPER, predictions).empty


def test_the_ledger_on_the_kept_runs():
    """Which verdicts the kept study gives: another kept number turns them."""
    kept = evidence.kept_scores()
    result = claims.verdicts(claims.load(), PAPER, kept, evidence.kept_facts(), found=FOUND)
    verdict = result.set_index("id")["verdict"]
    for name in ("X19", "X20", "X21"):
        assert verdict[name] == claims.TARGETS
    assert verdict["X14"] == verdict["G15"] == verdict["X8"] == claims.CONTRADICTED
    assert verdict["C14"] != claims.CONTRADICTED and verdict["H2"] == claims.CONTRADICTED
    for name in ("T1", "G7", "A1"):
        assert verdict[name] == claims.FALSE
    assert verdict["G3"] == claims.UNDECIDED and verdict["G5"] == claims.REPRODUCED
    assert verdict["G1"] == claims.NOT_CHECKED and verdict["W1"] == claims.PLAN
    assert verdict["N22"] == verdict["N27"] == claims.EXCLUDED
    row_one = claims.load().query("kind == 'score' and row == '1' and metric == 'accuracy'")
    assert set(verdict[row_one["id"]]) == {claims.REPRODUCED}  # by three seeds, not by one
    moved = kept.assign(low=kept["low"].where(kept["row"] != 1, 0.51))
    again = claims.verdicts(row_one, PAPER, moved, found=FOUND)
    assert set(again["verdict"]) == {claims.NOT_REPRODUCED}
