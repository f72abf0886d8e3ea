"""Scores agree with scikit-learn; intervals resample lesions; bad predictions are refused."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from lesions.core.errors import LesionsError
from lesions.scores import evaluation, scoring


def make_predictions(truth, p, classes, lesions=None):
    table = pd.DataFrame({"image_id": [f"I{i:05d}" for i in range(len(truth))]})
    table["lesion_id"] = [f"L{i:05d}" for i in (range(len(truth)) if lesions is None else lesions)]
    table["split"] = "test"
    table["truth"] = [classes[t] for t in truth]
    return table.assign(**{f"p_{name}": p[:, i] for i, name in enumerate(classes)})


def random_predictions(n=200, k=4, seed=0, ties=False, images_per_lesion=1, signal=1.0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(k, size=n // images_per_lesion).repeat(images_per_lesion)
    z = rng.normal(size=(len(truth), k)) + signal * np.eye(k)[truth]
    p = np.exp(z)
    p = np.round(p * 2) + 1 if ties else p
    lesions = np.arange(n // images_per_lesion).repeat(images_per_lesion)
    classes = sorted(["mel", "nv", "bkl", "df", "akiec", "bcc", "vasc"][:k])
    return make_predictions(truth, p / p.sum(axis=1, keepdims=True), classes, lesions)


@st.composite
def prediction_tables(draw):
    """Predictions with ties, absent classes and classes that are never chosen."""
    k = draw(st.integers(2, 5))
    n = draw(st.integers(1, 30))
    truth = draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n))
    rows = st.lists(st.integers(0, 4), min_size=k, max_size=k).filter(any)
    p = np.array(draw(st.lists(rows, min_size=n, max_size=n)), float)
    lesions = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    # Columns in an order that is not the alphabet's, which scikit-learn would sort by.
    classes = ["nv", "mel", "bkl", "df", "akiec"][:k]
    return make_predictions(truth, p / p.sum(axis=1, keepdims=True), classes, lesions)


def by_scikit_learn(predictions, weights=None):
    """The same scores, from scikit-learn and the definitions; `weights` one an image."""
    classes = scoring.classes_of(predictions)
    p = predictions[[f"p_{c}" for c in classes]].to_numpy()
    truth = np.array([classes.index(t) for t in predictions["truth"]])
    weights = np.ones(len(truth)) if weights is None else weights
    chosen = p.argmax(axis=1)
    seen = [c for c in range(len(classes)) if weights[truth == c].sum() > 0]
    result = {"accuracy": sk.accuracy_score(truth, chosen, sample_weight=weights)}
    for average in ("macro", "weighted"):
        values = sk.precision_recall_fscore_support(
            truth, chosen, labels=seen, average=average, zero_division=0, sample_weight=weights
        )
        for name, value in zip(("precision", "recall", "f1"), values, strict=False):
            result[f"{average}_{name}"] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes that are chosen but absent
        result["balanced_accuracy"] = sk.balanced_accuracy_score(
            truth, chosen, sample_weight=weights
        )
    result["macro_auc"] = np.nan
    if len(seen) > 1:
        aucs = [sk.roc_auc_score(truth == c, p[:, c], sample_weight=weights) for c in seen]
        result["macro_auc"] = aucs[0] if len(classes) == 2 else np.mean(aucs)
    labels = list(range(len(classes)))
    result["log_loss"] = sk.log_loss(truth, p, labels=labels, sample_weight=weights)
    result["brier"] = sk.brier_score_loss(
        truth, p, labels=labels, sample_weight=weights, scale_by_half=False
    )
    return result


def expected_ece(predictions, bins):
    """The definition, image by image and bin by bin."""
    classes = scoring.classes_of(predictions)
    members = {}
    for row in predictions.to_dict("records"):
        p = [row[f"p_{c}"] for c in classes]
        for m in range(1, bins + 1):
            if (m - 1) / bins < max(p) <= m / bins:
                right = classes[p.index(max(p))] == row["truth"]
                members.setdefault(m, []).append((max(p), right))
    gaps = [abs(sum(c for c, _ in part) - sum(r for _, r in part)) for part in members.values()]
    return sum(gaps) / len(predictions)


@settings(max_examples=150, deadline=None)
@given(prediction_tables())
def test_scores_agree_with_scikit_learn(predictions):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = evaluation.scores(predictions)
    for name, value in by_scikit_learn(predictions).items():
        assert ours[name] == pytest.approx(value, abs=1e-9, nan_ok=True), name


@settings(max_examples=60, deadline=None)
@given(prediction_tables(), st.integers(0, 2**32 - 1))
def test_weighted_scores_agree_with_scikit_learn(predictions, seed):
    """The scores of a resample, for several resamples in one call."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 4, size=(3, len(predictions))).astype(float)
    weights[:, 0] += 1  # no empty resample
    names = [name for name in scoring.SCORES if name != "ece"]
    ours = scoring.compute(scoring.read(predictions), names, weights)
    for i, row in enumerate(weights):
        drawn = predictions.loc[predictions.index.repeat(row.astype(int))]
        expected = by_scikit_learn(drawn)
        for name in names:
            assert ours[name][i] == pytest.approx(expected[name], abs=1e-9, nan_ok=True), name


def test_calibration_error_is_its_definition():
    predictions = random_predictions(n=300, seed=3)
    ours = evaluation.scores(predictions)["ece"]
    assert ours == pytest.approx(expected_ece(predictions, scoring.ECE_BINS), abs=1e-12)
    assert ours > 0.01


def test_scores_come_in_a_fixed_order_as_plain_numbers():
    result = evaluation.scores(random_predictions())
    assert list(result) == [
        "n", "accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1",
        "weighted_precision", "weighted_recall", "weighted_f1", "macro_auc", "log_loss", "brier",
        "ece",
    ]  # fmt: skip
    assert type(result["n"]) is int
    assert all(type(value) is float for name, value in result.items() if name != "n")


def test_macro_averages_leave_out_absent_classes_and_say_so():
    p = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    predictions = make_predictions([0, 1, 1], p, ["bkl", "mel", "nv"])
    assert evaluation.absent_classes(predictions) == ["nv"]
    assert evaluation.scores(predictions)["macro_recall"] == 0.75
    table = evaluation.per_class(predictions)
    assert np.isnan(table.loc["nv", "auc"])
    assert np.isnan(table.loc["nv", "sensitivity"])
    assert table.loc["nv", "support"] == 0
    assert table.loc["nv", "specificity"] == pytest.approx(2 / 3)


def test_a_decision_changes_the_labels_and_not_the_probabilities():
    predictions = random_predictions(k=3, seed=5)
    plain = evaluation.scores(predictions)
    always = {"bkl": 1.0, "mel": 1e9, "nv": 1.0}
    tilted = evaluation.scores(predictions, always)
    assert tilted["accuracy"] == (predictions["truth"] == "mel").mean()
    assert tilted["balanced_accuracy"] == pytest.approx(1 / 3)
    for name in scoring.FROM_PROBABILITIES:
        assert tilted[name] == plain[name]
    assert evaluation.confusion(predictions, always)["mel"].sum() == len(predictions)


@settings(max_examples=60, deadline=None)
@given(prediction_tables(), st.sampled_from([0.0, 0.5, 0.8, 0.95, 1.0]))
def test_sensitivity_at_specificity_is_the_best_of_all_thresholds(predictions, specificity):
    cls = scoring.classes_of(predictions)[1]
    ill = (predictions["truth"] == cls).to_numpy()
    score = predictions[f"p_{cls}"].to_numpy()
    best = 0.0
    for threshold in [*score, np.inf]:
        alarm = score >= threshold
        false = (alarm & ~ill).sum()
        if ill.any() and false <= (1 - specificity) * (~ill).sum() + 1e-9:
            best = max(best, (alarm & ill).sum() / ill.sum())
    ours = evaluation.sensitivity_at_specificity(predictions, cls, specificity)
    assert ours == pytest.approx(best if ill.any() else np.nan, abs=1e-12, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(prediction_tables())
def test_per_class_agrees_with_the_four_counts(predictions):
    table = evaluation.per_class(predictions)
    matrix = evaluation.confusion(predictions)
    assert matrix.to_numpy().sum() == len(predictions)
    chosen = predictions[[f"p_{c}" for c in table.index]].to_numpy().argmax(axis=1)
    chosen = table.index.to_numpy()[chosen]
    truth = predictions["truth"].to_numpy()
    for name, row in table.iterrows():
        tp = ((chosen == name) & (truth == name)).sum()
        fp = ((chosen == name) & (truth != name)).sum()
        fn = ((chosen != name) & (truth == name)).sum()
        tn = ((chosen != name) & (truth != name)).sum()
        assert matrix.loc[name, name] == tp
        assert row["support"] == tp + fn
        assert row["precision"] == pytest.approx(tp / (tp + fp) if tp + fp else 0)
        for kind, above, below in (("sensitivity", tp, tp + fn), ("specificity", tn, tn + fp)):
            assert row[kind] == pytest.approx(above / below if below else np.nan, nan_ok=True)


# ---------------------------------------------------------------- intervals


def test_bootstrap_equals_resampling_the_rows_by_hand():
    predictions = random_predictions(n=60, seed=1, images_per_lesion=3)
    weights = np.vstack(list(evaluation._resamples(predictions, "lesion_id", 40, seed=4)))
    by_hand = [
        evaluation.scores(predictions.loc[predictions.index.repeat(row.astype(int))])
        for row in weights
    ]
    names = ["accuracy", "macro_auc", "ece"]
    table = evaluation.bootstrap(predictions, names, n=40, seed=4)
    for name in names:
        low, high = np.quantile([one[name] for one in by_hand], [0.025, 0.975])
        assert table.loc[name, "value"] == evaluation.scores(predictions)[name]
        assert table.loc[name, "low"] == pytest.approx(low, abs=1e-9)
        assert table.loc[name, "high"] == pytest.approx(high, abs=1e-9)


def test_a_resample_draws_whole_lesions():
    predictions = random_predictions(n=60, images_per_lesion=3)
    weights = np.vstack(list(evaluation._resamples(predictions, "lesion_id", 30, seed=0)))
    assert weights.shape == (30, 60)
    assert (weights.sum(axis=1) == 60).all()
    of_lesions = weights.reshape(30, 20, 3)
    assert (of_lesions == of_lesions[:, :, :1]).all()
    assert len(np.unique(weights, axis=0)) == 30


def test_intervals_widen_when_images_of_a_lesion_are_alike():
    """Ten copies of each image tell nothing new; resampling images would pretend they do."""
    one = random_predictions(n=80, seed=2)
    copies = one.loc[one.index.repeat(10)].reset_index(drop=True)
    widths = {}
    for by in ("lesion_id", "image"):
        table = evaluation.bootstrap(copies.assign(image=range(800)), "accuracy", by=by, n=400)
        widths[by] = table.loc["accuracy", "high"] - table.loc["accuracy", "low"]
    assert widths["lesion_id"] > 2 * widths["image"]


def test_interval_of_a_proportion_has_the_known_width():
    truth = np.r_[np.zeros(700, int), np.ones(300, int)]
    p = np.tile([0.9, 0.1], (1000, 1))  # always right for the first class: accuracy 0.7
    table = evaluation.bootstrap(make_predictions(truth, p, ["a", "b"]), "accuracy", n=2000)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 1000)
    assert table.loc["accuracy", "low"] == pytest.approx(0.7 - half, abs=0.005)
    assert table.loc["accuracy", "high"] == pytest.approx(0.7 + half, abs=0.005)


def test_bootstrap_is_fixed_by_its_seed():
    predictions = random_predictions()
    first = evaluation.bootstrap(predictions, n=150, seed=1)
    pd.testing.assert_frame_equal(first, evaluation.bootstrap(predictions, n=150, seed=1))
    assert not first.equals(evaluation.bootstrap(predictions, n=150, seed=2))


def test_scores_of_one_class_have_intervals_too():
    predictions = random_predictions(n=400)
    name = "sensitivity_at_95_specificity:mel"
    table = evaluation.bootstrap(predictions, ["sensitivity:mel", name], n=100)
    assert table.loc[name, "value"] == evaluation.sensitivity_at_specificity(predictions)
    sensitivity = evaluation.per_class(predictions).loc["mel", "sensitivity"]
    assert table.loc["sensitivity:mel", "value"] == sensitivity
    assert (table["low"] < table["value"]).all()
    assert (table["value"] < table["high"]).all()


def test_paired_difference_is_surer_than_two_intervals():
    good = random_predictions(n=400, seed=1)
    columns = [name for name in good if name.startswith("p_")]
    worse = good.copy()
    # Blurred answers: the same images are hard for both, some more are wrong.
    noise = np.random.default_rng(0).dirichlet(np.ones(len(columns)), len(good))
    worse[columns] = 0.75 * good[columns] + 0.25 * noise
    table = evaluation.paired_difference(good, worse, ["accuracy", "macro_auc"], n=300)
    row = table.loc["macro_auc"]
    assert row["difference"] == pytest.approx(row["a"] - row["b"])
    assert row["low"] < row["difference"] < row["high"]
    assert row["low"] > 0
    assert row["a_larger"] > 0.97
    alone = evaluation.bootstrap(good, "macro_auc", n=300).loc["macro_auc"]
    assert row["high"] - row["low"] < alone["high"] - alone["low"]


def test_paired_difference_with_itself_is_nothing():
    predictions = random_predictions()
    shuffled = predictions.sample(frac=1, random_state=0)
    row = evaluation.paired_difference(predictions, shuffled, "accuracy", n=50).loc["accuracy"]
    assert row[["difference", "low", "high"]].tolist() == [0, 0, 0]
    assert row["a_larger"] == 0.5


def test_paired_differences_resample_lesions():
    one, other = random_predictions(n=80, seed=2), random_predictions(n=80, seed=2, signal=0.5)
    widths = {}
    for copies in (1, 10):
        a, b = (t.loc[t.index.repeat(copies)].reset_index(drop=True) for t in (one, other))
        ids = [f"I{i}" for i in range(80 * copies)]
        a, b = a.assign(image_id=ids), b.assign(image_id=ids)
        row = evaluation.paired_difference(a, b, "accuracy", n=400).loc["accuracy"]
        widths[copies] = row["high"] - row["low"]
    assert widths[10] == pytest.approx(widths[1], rel=0.2)


def test_paired_difference_refuses_other_images():
    predictions = random_predictions()
    with pytest.raises(LesionsError, match="2 images stand in only one"):
        other = predictions.assign(image_id=predictions["image_id"].replace("I00003", "other"))
        evaluation.paired_difference(predictions, other)
    with pytest.raises(LesionsError, match="one has 200 rows, the other 199"):
        evaluation.paired_difference(predictions, predictions.iloc[1:])


def test_folds_are_scored_each_on_its_test_rows():
    folds = [random_predictions(n=100, seed=seed) for seed in range(3)]
    mixed = [
        pd.concat([fold, random_predictions(n=40, seed=9, signal=9.0).assign(split="validation")])
        for fold in folds
    ]
    table = evaluation.across_folds(mixed, ["accuracy", "macro_auc"])
    values = [evaluation.scores(fold)["accuracy"] for fold in folds]
    assert table.loc["accuracy", ["fold_0", "fold_1", "fold_2"]].tolist() == values
    assert table.loc["accuracy", "mean"] == pytest.approx(np.mean(values))
    assert table.loc["accuracy", "sd"] == pytest.approx(np.std(values, ddof=1))


# ---------------------------------------------------------------- bad input


def damage_truth(table):
    return table.assign(truth="ufo")


def damage_sum(table):
    return table.assign(p_nv=table["p_nv"] + 1)


def damage_nan(table):
    return table.assign(p_nv=np.nan)


def damage_empty(table):
    return table.iloc[:0]


def damage_columns(table):
    return table[["image_id", "truth"]]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_truth, "truth holds ufo"),
        (damage_sum, "do not sum to 1"),
        (damage_nan, "do not sum to 1"),
        (damage_empty, "no rows"),
        (damage_columns, "at least two columns p_"),
    ],
)
def test_bad_predictions_are_refused_in_one_sentence(damage, message):
    with pytest.raises(LesionsError, match=message) as caught:
        evaluation.scores(damage(random_predictions()))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["acuracy", "auc:ufo", "sensitivity"])
def test_unknown_metrics_are_refused(name):
    with pytest.raises(LesionsError, match=f"Unknown metric {name}"):
        evaluation.bootstrap(random_predictions(), name, n=10)


def test_other_bad_requests_are_refused():
    predictions = random_predictions()
    with pytest.raises(LesionsError, match="no column patient"):
        evaluation.bootstrap(predictions, by="patient")
    with pytest.raises(LesionsError, match="specificity from 0 to 1"):
        evaluation.sensitivity_at_specificity(predictions, "mel", 95)
    with pytest.raises(LesionsError, match="weight above 0 for each"):
        evaluation.scores(predictions, {"mel": 1.0})
