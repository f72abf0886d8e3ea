"""The tables of notebook 06, from made records with known answers."""

import numpy as np
import pandas as pd
import pytest

from lesions.baselines import baselines
from lesions.core.errors import LesionsError
from lesions.experiments import experiments
from lesions.figures import plots_comparison
from lesions.paper import comparison, rules
from lesions.training import run_records
from made import write_record

CLASSES = ["bkl", "mel", "nv"]


def answers(right: float, split: str = "test", sure: float = 0.8, n: int = 300) -> pd.DataFrame:
    """Predictions that are right for this share of the images, evenly over the classes."""
    truth = np.array(CLASSES)[np.arange(n) % 3]
    given = np.where(np.arange(n) // 3 < right * n / 3, truth, np.roll(truth, 1))
    ids = [f"{split}{i}" for i in range(n)]
    table = pd.DataFrame({"image_id": ids, "lesion_id": ids, "split": split, "truth": truth})
    p = {f"p_{c}": np.where(given == c, sure, (1 - sure) / 2) for c in CLASSES}
    return table.assign(**p)


@pytest.fixture
def records(tmp_path):
    write_record(tmp_path, "cnn", "dx", "paper", 0.9)
    write_record(tmp_path, "cnn", "dx", "honest", 0.6)
    return run_records.load_records(tmp_path)


def cheap_for(records: pd.DataFrame, right: float) -> dict:
    """The cheap baseline and the majority class on the records' own test images."""
    found = {}
    for run in records.itertuples():
        test = run_records.predictions_of(run.record)
        p = [f"p_{c}" for c in CLASSES]
        truth = test["truth"].to_numpy()
        given = np.where(np.arange(len(test)) < right * len(test), truth, np.roll(truth, 1))
        own = test.copy()
        own[p] = np.stack([np.where(given == c, 0.8, 0.1) for c in CLASSES], axis=1)
        most = test.copy()
        most[p] = [1.0, 0.0, 0.0]
        found[run.protocol, "dx", baselines.CHEAP] = own
        found[run.protocol, "dx", "majority"] = most
    return found


def test_nine_rows_set_ours_beside_the_papers_and_the_baselines(records):
    table = comparison.nine_rows(records, cheap_for(records, 0.7), n=200).set_index("key")
    assert list(table["row"]) == list(range(1, 10))
    cnn = table.loc["cnn"]
    assert cnn["published"] == 0.64
    assert cnn["paper"] == pytest.approx(0.9) and cnn["honest"] == pytest.approx(0.6)
    assert cnn["honest_cheap"] == pytest.approx(0.7)
    assert cnn["honest_majority"] == pytest.approx(0.34)
    for name in ("paper", "honest", "honest_cheap"):
        assert cnn[f"{name}_low"] < cnn[name] < cnn[f"{name}_high"]
    assert table["honest"].notna().sum() == 1, "what was not run is empty"
    shown = comparison.readable(table.reset_index())
    assert shown["honest"].str.match(r"0\.60 \(0\.\d\d to 0\.\d\d\)|-").all()
    plots_comparison.nine_rows(table.reset_index())


def test_a_protocol_that_was_not_run_has_no_column(records):
    honest = records[records["protocol"] == "honest"]
    table = comparison.nine_rows(honest, {}, n=50)
    assert "honest" in table and "paper" not in table


def test_the_gap_is_between_the_protocols_and_over_seeds(records):
    more = records.assign(seed=1)
    more.loc[more["protocol"] == "paper", "balanced_accuracy"] += 0.05
    table = comparison.gap(pd.concat([records, more]))
    (row,) = table.to_dict("records")
    difference = records.set_index("protocol")["balanced_accuracy"]
    expected = difference["paper"] - difference["honest"]
    assert row["seeds"] == 2
    assert row["gap_low"] == pytest.approx(expected)
    assert row["gap"] == pytest.approx(expected + 0.025)
    plots_comparison.gaps(table)
    none = comparison.gap(records[records["protocol"] == "honest"])
    assert none.empty and list(none) == list(table)
    plots_comparison.gaps(none)


@pytest.mark.parametrize(
    "right, verdict", [(0.2, "ahead"), (0.6, "not told apart"), (1.0, "behind")]
)
def test_networks_are_compared_in_pairs(records, right, verdict):
    (row,) = comparison.against_cheap(records, cheap_for(records, right), n=200).to_dict("records")
    assert row["verdict"] == verdict and row["network"] == pytest.approx(0.6)
    assert row["low"] <= row["difference"] <= row["high"]


def test_the_board_has_networks_and_baselines(records):
    table = comparison.board(records, cheap_for(records, 0.7), n=50)
    assert set(table["kind"]) == {"network", "baseline"}
    best = table[table["metric"] == "accuracy"].set_index("name")["value"]
    assert best["histogram, logistic regression"] == pytest.approx(0.7)
    with pytest.raises(LesionsError, match="PROTOCOL=both"):
        comparison.board(records[records["protocol"] == "paper"], {}, n=50)
    figure = plots_comparison.board(table, "dx")
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()][-1].startswith("histogram")


def test_temperature_and_decision_are_chosen_on_validation():
    # Right in 60 % and sure to 90 %: too sure, and validation shows it.
    models = {"m": (answers(0.6, "validation", 0.9), answers(0.6, "test", 0.9))}
    (row,) = comparison.calibrations(models).to_dict("records")
    assert row["temperature"] > 1 and row["ece_scaled"] < 0.05 < row["ece"]
    table = comparison.decisions(models).set_index("rule")
    assert list(table.index) == ["most probable", "chosen on validation"]
    assert table.loc["most probable", "mel_sensitivity"] == pytest.approx(0.6)
    plots_comparison.reliability(models)
    swapped = {"m": (answers(0.6, "test"), answers(0.6, "test"))}
    for choose in (comparison.calibrations, comparison.decisions):
        with pytest.raises(LesionsError, match="hold test images"):
            choose(swapped)


def test_validation_predictions_are_those_of_the_same_model(records):
    cheap = cheap_for(records, 0.7)
    models = comparison.with_validation(records, cheap, cheap)
    assert list(models) == ["cnn", "histogram, logistic"]


def test_subgroups_of_every_column_that_has_some():
    predictions = answers(0.6)
    table = pd.DataFrame({"image_id": predictions["image_id"], "sex": ["male", "female"] * 150,
                          "age": 50.0, "localization": "back", "dataset": "a"})  # fmt: skip
    found = comparison.by_subgroups(predictions, table, n=50)
    assert set(found["column"]) == {"sex"} and set(found["group"]) == {"male", "female"}
    plots_comparison.subgroup_scores(found)


def test_cohorts_are_scored_with_and_without_them():
    one, two = answers(0.9), answers(0.5)
    table = pd.concat([
        one.assign(fold=0, cohort="vienna"), two.assign(fold=-1, cohort="vienna"),
        one.assign(fold=0, cohort="brisbane"),
    ])  # fmt: skip
    found = rules.across_cohorts(table, n=50)
    accuracy = found.query("metric == 'accuracy' and cohort == 'vienna'").set_index("trained")
    assert accuracy.loc["with it", "value"] == pytest.approx(0.9)
    assert accuracy.loc["without it", "value"] == pytest.approx(0.5)
    # The other cohort has the same class shares, so to be told them changes nothing.
    told = accuracy.loc["without it, told its shares", "value"]
    assert told == pytest.approx(0.5)
    plots_comparison.cohorts(found)


# ---------------------------------------------------------------- one rule for all


def shifted(learnt: str, shares: dict[str, float], n: int = 900) -> rules.Model:
    """A model that knows the class shares and nothing else, on a test part with these shares."""
    truth = np.repeat(list(shares), [round(n * share) for share in shares.values()])
    ids = [f"i{i}" for i in range(len(truth))]
    table = pd.DataFrame({"image_id": ids, "lesion_id": ids, "truth": truth})
    natural = {f"p_{c}": share for c, share in shares.items()}
    p = natural if learnt == "natural" else dict.fromkeys(natural, 1 / len(shares))
    table = table.assign(**p)
    return rules.Model("dx", learnt, "network", learnt, table.assign(split="validation"),
                       table.assign(split="test"))  # fmt: skip


def test_two_models_of_one_knowledge_score_alike_under_one_rule():
    """One learnt with equal classes, one with natural ones: only the rule differed."""
    shares = {"bkl": 0.2, "mel": 0.1, "nv": 0.7}
    table = rules.both_rules([shifted("equal", shares), shifted("natural", shares)])
    natural = table[f"accuracy, {rules.RULES[0]}"]
    assert natural.tolist() == pytest.approx([0.7, 0.7])
    alike = table[f"balanced accuracy, {rules.RULES[1]}"]
    assert alike.tolist() == pytest.approx([1 / 3, 1 / 3])
    weights = rules.rule_weights(shifted("equal", shares), rules.RULES[0])
    assert weights["nv"] == 1 and weights["mel"] == pytest.approx(1 / 7)
    assert set(rules.rule_weights(shifted("natural", shares), rules.RULES[0]).values()) == {1.0}


def test_natural_shares_come_from_validation_not_from_the_test_part():
    model = shifted("equal", {"bkl": 0.2, "mel": 0.1, "nv": 0.7})
    other = model._replace(test=model.test.assign(truth="mel"))
    assert rules.rule_weights(model, rules.RULES[0]) == rules.rule_weights(other, rules.RULES[0])


@pytest.mark.parametrize(
    "right, verdict", [(0.9, "ahead"), (0.6, "not told apart"), (0.2, "behind")]
)
def test_ranking_is_compared_in_pairs_on_the_same_lesions(right, verdict):
    colours = rules.Model("dx", baselines.BASELINES[baselines.CHEAP].about, "baseline", "natural",
                          answers(0.6, "validation"), answers(0.6))  # fmt: skip
    network = rules.Model("dx", "cnn", "network", "equal", answers(right, "validation"),
                          answers(right))  # fmt: skip
    table = rules.without_rule([network, colours], n=100).set_index("name")
    assert table.loc["cnn", "verdict"] == verdict
    assert np.isnan(table.loc[colours.name, "minus_colours"])


def test_a_rule_looks_better_where_it_was_chosen():
    rng = np.random.default_rng(0)
    noise = answers(0.5, "validation", n=90)
    noise[[f"p_{c}" for c in CLASSES]] = rng.dirichlet(np.ones(3), 90)
    model = rules.Model("dx", "noise", "network", "equal", noise, noise.assign(split="test"))
    (row,) = rules.flattery([model]).to_dict("records")
    assert row["flattered"] > 0.02
    assert row["flattered"] == pytest.approx(row["chosen_on_them"] - row["on_others"])
    assert rules.flattery([model._replace(kind="baseline")]).empty


def test_classes_that_the_test_part_lacks_are_named():
    model = rules.Model("dx", "cnn", "network", "equal", answers(0.6, "validation"),
                        answers(0.6).query("truth != 'mel'"))  # fmt: skip
    (row,) = rules.absent([model]).to_dict("records")
    assert (row["classes"], row["in_the_test_part"], row["absent"]) == (3, 2, "mel")


def test_images_of_ones_own_have_a_class_to_look_at():
    both = answers(0.6, "validation"), answers(0.6)
    assert "mel_sensitivity" in comparison.decisions({"cnn": both})
    own = [part.replace({"truth": {"mel": "own"}}).rename(columns={"p_mel": "p_own"})
           for part in both]  # fmt: skip
    fewer = [part.drop(part.index[part["truth"] == "own"][:50]) for part in own]
    assert "own_sensitivity" in comparison.decisions({"cnn": tuple(fewer)})
    records = pd.DataFrame({"protocol": ["paper"]})
    assert rules.main_protocol(records) == "paper"


def test_one_seed_has_no_range(records):
    one = comparison.seeds_of(records)
    assert one["lowest"].isna().all() and (one["seeds"] == 1).all()
    other = records.assign(accuracy=records["accuracy"] - 0.1)
    two = comparison.seeds_of(pd.concat([records, other]))
    assert (two["highest"] - two["lowest"]).tolist() == pytest.approx([0.1, 0.1])


def test_a_missing_experiment_says_what_to_run(tmp_path):
    with pytest.raises(LesionsError, match="run notebook 05 first"):
        experiments.experiment(tmp_path, "dial-dx")
