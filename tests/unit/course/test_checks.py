"""The exercises: what each checker says to right, wrong and untouched answers; quizzes; record."""

import ast
import json
import re
from collections import Counter

import nbformat
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, recall_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils.class_weight import compute_class_weight

from course import catalogue, checks, editions, gradebook, grading
from course.exercise import KINDS
from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.splits import balance, splits

NUMBERS = [catalogue.number_of(name) for name in catalogue.names()]
CODE = [n for n, one in checks.EXERCISES.items() if one.judge is not None]
TEXTS = [n for n, one in checks.EXERCISES.items() if one.kind == "think"]


@pytest.fixture(autouse=True)
def record(tmp_path, monkeypatch):
    """A record of its own, so that no test ticks off a real exercise."""
    monkeypatch.setattr(gradebook, "BUILD", tmp_path)
    return tmp_path / "exercises" / "instructor.json"


def cells_of(number: str, edition: str = "instructor") -> list:
    """The code cells of an exercise in one of the editions."""
    (path,) = catalogue.NOTEBOOKS.glob(f"{number.partition('.')[0]}_*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    if edition == "student":
        notebook = editions.without_solutions(notebook)
    found = editions.by_exercise(notebook.cells)
    return [cell for n, _, cell in found if n == number and cell.cell_type == "code"]


def answer_in_notebook(number: str, edition: str = "instructor"):
    """What the exercise's own cell defines: the function, or the text, that goes to `check`."""
    from lesions.networks import backbones

    names = {"np": np, "pd": pd, "splits": splits, "balance": balance, "backbones": backbones,
             "checks": checks}  # fmt: skip
    cells = cells_of(number, edition)
    (check,) = [cell for cell in cells if f'checks.exercise("{number}").check(' in cell.source]
    wanted = re.search(r"\.check\((\w+)\)", check.source)[1]
    for cell in cells:
        defines = re.search(rf"^(def {wanted}\(|{wanted} = )", cell.source, flags=re.M)
        if defines:
            exec(cell.source.replace(f'checks.exercise("{number}").check({wanted})', ""), names)
    return names[wanted]


# ---------------------------------------------------------------- the notebooks' own answers


@pytest.mark.parametrize("number", CODE + TEXTS)
def test_the_solution_in_the_notebook_is_right(number):
    state, says = checks.exercise(number).verdict(answer_in_notebook(number))
    assert state == "done", says


@pytest.mark.parametrize("number", CODE + TEXTS)
def test_the_untouched_stub_is_not_tried_yet(number, capsys, record):
    checks.exercise(number).check(answer_in_notebook(number, "student"))
    assert capsys.readouterr().out.startswith(f"{number}: not tried yet.")
    assert not record.exists()


@pytest.mark.parametrize("number", NUMBERS)
def test_every_notebook_has_exercises_of_each_kind(number):
    here = [one for n, one in checks.EXERCISES.items() if n.startswith(number)]
    assert len(here) >= 4 and {one.kind for one in here} == set(KINDS)
    (path,) = catalogue.NOTEBOOKS.glob(f"{number}_*.ipynb")
    found = editions.by_exercise(nbformat.read(path, as_version=4).cells)
    assert {n for n, _, _ in found if n} == {one.number for one in here}


@pytest.mark.parametrize("number", checks.EXERCISES)
def test_every_exercise_has_hints_and_a_solution_in_words(number, capsys):
    one = checks.exercise(number)
    one.hint()
    one.hint(99)
    said = capsys.readouterr().out
    assert all(hint in said for hint in (one.hints[0], one.hints[-1])) and len(one.hints) >= 2
    text = editions.solution(number)
    assert "SOLUTION" not in text and len(re.sub(r"```.*?```", "", text, flags=re.S).split()) > 20
    if one.judge or one.kind == "think":
        assert "```python" in text


# ---------------------------------------------------------------- wrong answers


def raising(*_):
    return {}["no such key"]


def nothing(*_):
    pass


def _isin_empty(rows):
    train, test = (rows[rows["split"] == part] for part in ("train", "test"))
    shared = test[["image_id", "lesion_id", "group"]].apply(lambda c: c.isin(train[c.name]))
    return sorted(set(test.loc[shared.any(axis=1), "image_id"]))


def _contrastive(kept=lambda eye, partner: ~eye, unit=True, end=np.mean):
    """The loss of 09.3 with one thing changed."""

    def loss(views, temperature):
        count = len(views)
        if unit:
            views = views / np.linalg.norm(views, axis=1, keepdims=True)
        likeness = views @ views.T / temperature
        partner = (np.arange(count) + count // 2) % count
        eye = np.eye(count, dtype=bool)
        mask = kept(eye, eye[partner])
        return end(np.log((np.exp(likeness) * mask).sum(axis=1)) - likeness[eye[partner]])

    return loss


def _drawn(rows, share, seed, again=0):
    lesions = np.sort(rows["lesion_id"].unique())
    shuffled = np.random.default_rng([seed, again]).permutation(lesions)
    return rows["lesion_id"].isin(shuffled[: round(share * len(lesions))]).to_numpy()


def _by(columns):
    def leaked(rows):
        train, test = (rows[rows["split"] == part] for part in ("train", "test"))
        shared = [test[column].isin(train[column].dropna()) for column in columns]
        return sorted(set(test.loc[np.any(shared, axis=0), "image_id"]))

    return leaked


def _unsorted(rows):
    train, test = (rows[rows["split"] == part] for part in ("train", "test"))
    return list(test.loc[test["lesion_id"].dropna().isin(train["lesion_id"]), "image_id"])


def _resampled_first(table, seed):
    rows = balance.resample(table.assign(label=table["dx"]), "over", seed)
    return splits.split_by_image(rows, "dx", seed=seed)


def _by_image(table, seed):
    rows = splits.split_by_image(table, "dx", seed=seed)
    train = rows["split"] == "train"
    return pd.concat([balance.resample(rows[train], "over", seed), rows[~train]])


def _resampled_by_lesion_first(table, seed):
    rows = balance.resample(table.assign(label=table["dx"]), "over", seed)
    return splits.split_by_lesion(rows, "dx", seed=seed)


def _under(table, seed):
    rows = splits.split_by_lesion(table, "dx", seed=seed)
    train = rows["split"] == "train"
    return pd.concat([balance.resample(rows[train], "under", seed), rows[~train]])


def _one_lesion_to_test(table, seed):
    """A right preparation, but for a test part of a single lesion."""
    rows = splits.split_by_lesion(table, "dx", seed=seed)
    first = rows.loc[rows["split"] == "test", "lesion_id"].iloc[0]
    rows.loc[(rows["split"] == "test") & (rows["lesion_id"] != first), "split"] = "train"
    return _oversampled(rows, seed)


def _oversampled(rows, seed):
    train = rows["split"] == "train"
    return pd.concat([balance.resample(rows[train], "over", seed), rows[~train]])


def _naevi_only_in_test(table, seed):
    rows = splits.split_by_lesion(table, "dx", seed=seed)
    rows.loc[(rows["split"] == "test") & (rows["label"] == "mel"), "split"] = "train"
    return _oversampled(rows, seed)


def _seed_ignored(table, seed):
    return _oversampled(splits.split_by_lesion(table, "dx", seed=0), 0)


def _never_the_same(table, seed):
    drawn = int(np.random.default_rng().integers(10**6))
    return _oversampled(splits.split_by_lesion(table, "dx", seed=drawn), drawn)


def _lesions_in_validation_and_test(table, seed):
    rows = splits.split_by_lesion(table, "dx", seed=seed)
    rest = rows.index[rows["split"] != "train"]
    rows.loc[rest, "split"] = ["validation", "test"] * (len(rest) // 2) + ["test"] * (len(rest) % 2)
    return _oversampled(rows, seed)


def _balanced_everywhere(table, seed):
    rows = splits.split_by_lesion(table, "dx", seed=seed)
    parts = [balance.resample(part, "over", seed) for _, part in rows.groupby("split")]
    return pd.concat(parts)


def _own_names(table, seed):
    return _oversampled(splits.split_by_lesion(table, "dx", seed=seed), seed).replace(
        {"validation": "val"}
    )


def _split_as_label(table, seed):
    rows = _oversampled(splits.split_by_lesion(table, "dx", seed=seed), seed)
    return rows.assign(label=0)


def _two_parts(table, seed):
    rows = splits.split_by_lesion(table, "dx", (0.8, 0.0, 0.2), seed=seed)
    return _oversampled(rows, seed)


def _label_into_the_table(table, seed):
    table["label"] = table["dx"]
    return _oversampled(splits.split_by_lesion(table, "dx", seed=seed), seed)


def _loop_right(table, known, wanted):
    right = 0
    for value in set(table[known]):
        right += table[table[known] == value].groupby(wanted).size().max()
    return right / len(table)


def _loop_hash(small):
    value = 0
    for row in small:
        for grey in row:
            value = value * 2 + (float(grey) > float(np.mean(small)))
    return value


def _packed(small):
    return np.packbits(small > small.mean()).view(">u8")[0]


def _by_loop(rows):
    known = rows[rows["split"] == "train"]
    found = set()
    for row in rows[rows["split"] == "test"].itertuples():
        if row.image_id in set(known["image_id"]) or row.group in set(known["group"]):
            found.add(row.image_id)
        if isinstance(row.lesion_id, str) and row.lesion_id in set(known["lesion_id"]):
            found.add(row.image_id)
    return np.array(sorted(found))


def _with_scikit_learn(table, seed):
    """Seven folds: five for training, one each for validation and test."""
    folds = StratifiedGroupKFold(7, shuffle=True, random_state=seed)
    rows = table.assign(label=table["dx"], split="train")
    for number, (_, test) in enumerate(folds.split(table, table["dx"], table["lesion_id"])):
        if number < 2:
            rows.loc[table.index[test], "split"] = ("test", "validation")[number]
    return _oversampled(rows, seed).sample(frac=1, random_state=1)


def _by_sklearn(labels):
    classes = np.unique(labels)
    return dict(zip(classes, compute_class_weight("balanced", classes=classes, y=labels),
                    strict=True))  # fmt: skip


# exercise, and a right answer in a form that is not ours
RIGHT = [
    ("01.2", _loop_right),
    ("01.2", lambda t, known, wanted: t.groupby(known)[wanted].agg(
        lambda s: s.value_counts().iloc[0]).sum() / t.shape[0]),
    ("01.3", balanced_accuracy_score),
    ("01.3", lambda truth, answers: float(
        pd.Series(truth == answers).groupby(truth).mean().mean())),
    ("02.2", _loop_hash),
    ("02.2", _packed),
    ("02.2", lambda grey: _text_bits(grey > grey.sum() // 64)),  # whole numbers: it is the same
    ("02.3", _by_loop),
    ("02.3", lambda rows: pd.Series(answer_in_notebook("02.3")(rows), dtype=str)),
    ("03.2", _with_scikit_learn),
    ("03.3", _by_sklearn),
    ("03.3", lambda labels: pd.Series({c: len(labels) / len(set(labels)) / labels.count(c)
                                       for c in set(labels)})),
    ("04.2", lambda steps: np.exp(np.log(0.01) / steps)),
    ("04.2", lambda steps: min(0.99, 10 ** (-2 / steps))),
    ("04.2", lambda steps: np.float32(np.power(1 / 100, 1 / steps))),
    ("04.3", lambda scores: scores.loc[scores["validation"].idxmax(), "test"]),
    ("04.3", lambda scores: max(scores.to_numpy().tolist(), key=lambda row: row[0])[1]),
    ("04.3", lambda scores: scores.sort_values("validation", ascending=False, kind="stable")
     .head(1)["test"].item()),
    ("04.4", lambda share: pd.Series({"accuracy": share, "macro_precision": share / 2,
                                      "macro_recall": 1 / 2, "macro_f1": share / (1 + share)})),
    ("04.4", lambda share: {"macro_f1": np.mean([2 * share / (1 + share), 0]), "accuracy": share,
                            "macro_recall": np.float32(0.5), "macro_precision": share / 2,
                            "weighted_f1": None}),
    ("05.2", lambda pixels, name: _prepare(name, 255 * pixels.copy())),
    ("05.2", lambda pixels, name: _prepare(name, np.float64(255) * pixels).tolist()),
    ("05.3", lambda m: np.nanmean(np.diag(m) / m.sum(axis=1).to_numpy())),
    ("05.3", lambda m: sum(m.loc[c, c] / m.loc[c].sum() for c in m if m.loc[c].sum())
     / (m.sum(axis=1) > 0).sum()),
    ("05.3", lambda m: np.float32((np.diag(m) / m.sum(axis=1)).mean())),
]  # fmt: skip


@pytest.mark.parametrize("number, answer", RIGHT)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
def test_a_right_answer_in_another_form_is_right(number, answer):
    state, says = checks.exercise(number).verdict(answer)
    assert state == "done", says


def _in_place(pixels, name):
    pixels *= 255.0
    return answer_in_notebook("05.2")(pixels / 255.0, name)


def _images(table, rng):
    return table.iloc[rng.integers(len(table), size=len(table))]


def _without_replacement(table, rng):
    order = rng.permutation(table["lesion_id"].unique())
    return pd.concat([table[table["lesion_id"] == lesion] for lesion in order])


def _drawn_once(table, rng):
    return table[table["lesion_id"].isin(rng.choice(table["lesion_id"].unique(), 30))]


def _size_biased(table, rng):
    """A lesion for each row drawn: one with many images comes more often."""
    chosen = rng.choice(table["lesion_id"], table["lesion_id"].nunique())
    return pd.concat([table[table["lesion_id"] == lesion] for lesion in chosen])


def _first_lesions(table, rng):
    chosen = rng.choice(table["lesion_id"].unique()[:15], table["lesion_id"].nunique())
    return pd.concat([table[table["lesion_id"] == lesion] for lesion in chosen])


def _scaled(values):
    return values / values.sum()


def _shares_in_place(p, learnt, there):
    p *= there / learnt
    return p / p.sum()


def _own_numbers(table, rng):
    return answer_in_notebook("06.1")(table, np.random.default_rng(7))


def _constant(**changed):
    def scores(share):
        right = {"accuracy": share, "macro_precision": share / 2, "macro_recall": 0.5,
                 "macro_f1": share / (1 + share)}  # fmt: skip
        return right | {name: value(share) for name, value in changed.items()}

    return scores


def _counts(labels):
    return pd.Series(list(labels)).value_counts()


def _text_bits(bits):
    return int("".join("01"[int(bit)] for bit in np.ravel(bits)), 2)


def _prepare(name, pixels):
    from lesions.networks import backbones

    return backbones.BACKBONES[name].preprocess(pixels)


# exercise, a wrong answer, and a part of what is said of it
WRONG = [
    ("01.2", lambda t, known, wanted: t[wanted].value_counts(normalize=True).iloc[0], "its size"),
    ("01.2", lambda t, known, wanted: t.groupby(known)[wanted].agg(
        lambda s: s.value_counts(normalize=True).iloc[0]).mean(), "counts by its size"),
    ("01.2", lambda t, known, wanted: pd.crosstab(t["place"], t["dx"]).max(axis=1).sum() / len(t),
     "KeyError"),
    ("01.2", lambda t, known, wanted: pd.crosstab(t[known], t[wanted]).max(axis=1), "one number"),
    ("01.2", lambda t, known, wanted: 100 * _loop_right(t, known, wanted), "Give the share"),
    ("01.2", lambda t, known, wanted: round(_loop_right(t, known, wanted), 2), "is rounded"),
    ("01.2", lambda t, known, wanted: t.groupby(known)[wanted].nunique().sum() / len(t),
     "Name the most frequent dx"),
    ("01.2", lambda t, known, wanted: _loop_right(t, known, wanted) * len(t), "divide by all rows"),
    ("01.2", lambda t, known, wanted: (t[known] == t[wanted]).mean(), "not 0.833"),
    ("01.3", lambda truth, answers: np.mean(truth == answers), "not the ten answers"),
    ("01.3", f1_score, "not 0.5"),
    ("01.3", lambda truth, answers: 100 * balanced_accuracy_score(truth, answers), "in percent"),
    ("01.3", lambda truth, answers: answers[truth].mean() + (~answers[~truth]).mean(), "Average"),
    ("01.3", lambda truth, answers: (np.mean(truth[answers]) + np.mean(~truth[~answers])) / 2,
     "not 0.5"),
    ("01.3", lambda truth, answers: recall_score(truth, answers, average="macro"),
     "only one class"),
    ("01.3", lambda truth, answers: answers[truth].mean(), "not 0.5"),
    ("01.3", lambda truth, answers: (answers[truth].mean() + (~answers[~truth]).mean()) / 2,
     "only one class"),
    ("01.3", lambda truth, answers: 0.5, "perfect answers"),
    ("02.2", lambda grey: _text_bits(grey >= grey.mean()), "not with >="),
    ("02.2", lambda grey: _text_bits((grey > grey.mean()).ravel()[::-1]), "wrong order"),
    ("02.2", lambda grey: _text_bits((grey > grey.mean()).T), "row by row"),
    ("02.2", lambda grey: _text_bits(grey > np.median(grey)), "compare with the median"),
    ("02.2", lambda grey: grey > grey.mean(), "one whole number"),
    ("02.2", lambda grey: float(_text_bits(grey > grey.mean())), "float"),
    ("02.2", lambda grey: "".join("01"[int(bit)] for bit in (grey > grey.mean()).ravel()),
     "int(text, 2)"),
    ("02.2", lambda grey: _text_bits(grey > 127), "mean of all 64"),
    ("02.2", lambda grey: _text_bits(grey > 4), "brighter than the mean"),
    ("02.2", lambda grey: _text_bits(grey > grey.mean(axis=1, keepdims=True)), "mean of all 64"),
    ("02.2", lambda grey: _text_bits(grey < grey.mean()), "has one bit set"),
    ("02.3", _by(["image_id"]), "Look at lesion_id"),
    ("02.3", lambda rows: set(answer_in_notebook("02.3")(rows)), "has no order"),
    ("02.3", lambda rows: rows[rows["image_id"].isin(answer_in_notebook("02.3")(rows))],
     "a sorted list of image ids"),
    ("02.3", lambda rows: rows.loc[rows["split"].ne("train") & rows["lesion_id"].isin(
        rows.loc[rows["split"] == "train", "lesion_id"].dropna()), "image_id"].tolist(),
     "Look at group"),
    ("02.3", lambda rows: sorted(set(answer_in_notebook("02.3")(rows)) | set(
        answer_in_notebook("02.3")(rows.replace({"validation": "test"})))),
     "not those of validation"),
    ("02.3", lambda rows: answer_in_notebook("02.3")(rows.replace({"validation": "train"})),
     "Only the training part"),
    ("02.3", _unsorted, "Look at group"),
    ("02.3", _by(["image_id", "lesion_id"]), "Look at group"),
    ("02.3", _isin_empty, "empty lesion_ids"),
    ("02.3", lambda rows: len(rows), "should give a sorted list"),
    ("02.3", lambda rows: rows.loc[rows["split"] == "test", "image_id"].tolist(), "not ['a']"),
    ("03.2", _resampled_first, "Split first, then resample"),
    ("03.2", _by_image, "Split by lesion"),
    ("03.2", _resampled_by_lesion_first, "Resample the training part only"),
    ("03.2", _under, "every image stays"),
    ("03.2", lambda table, seed: splits.split_by_lesion(table, "dx", seed=seed), "equally large"),
    ("03.2", lambda table, seed: table, "should give a table with"),
    ("03.2", _one_lesion_to_test, "a small part measures badly"),
    ("03.2", _naevi_only_in_test, "0% of test are melanomas"),
    ("03.2", _seed_ignored, "Three seeds give one"),
    ("03.2", _never_the_same, "let `seed` fix the split"),
    ("03.2", _lesions_in_validation_and_test, "have their lesion in validation"),
    ("03.2", _balanced_everywhere, "Resample the training part only"),
    ("03.2", _own_names, "not ['val']"),
    ("03.2", _split_as_label, "label should hold the diagnosis"),
    ("03.2", _two_parts, "no rows of validation"),
    ("03.2", _label_into_the_table, "changes the table"),
    ("03.3", lambda labels: (len(labels) / _counts(labels)).to_dict(), "number of classes, too"),
    ("03.3", lambda labels: (_counts(labels).max() / _counts(labels)).to_dict(), "not 3.33"),
    ("03.3", lambda labels: dict(enumerate(_by_sklearn(labels).values())), "not for the classes"),
    ("03.3", lambda labels: {name: round(weight, 2) for name, weight in
                             _by_sklearn(labels).items()}, "is rounded"),
    ("03.3", lambda labels: labels.sort() or _by_sklearn(labels), "changes the list"),
    ("03.3", lambda labels: (_counts(labels) / len(labels)).to_dict(), "not 3.33"),
    ("03.3", lambda labels: (_counts(labels) * _counts(labels).size / len(labels)).to_dict(),
     "upside down"),
    ("03.3", lambda labels: (1 / _counts(labels)).to_dict(), "add up to their number"),
    ("03.3", lambda labels: [1.0], "should give a dict"),
    ("03.3", lambda labels: {"nv": 1.0}, "has weights for"),
    ("04.2", lambda steps: 0.99, "is left, more than a hundredth"),
    ("04.2", lambda steps: 0.9, "more than a hundredth"),
    ("04.2", lambda steps: 0.5, "follow the last batches alone"),
    ("04.2", lambda steps: 1 - 1 / steps, "more than a hundredth"),
    ("04.2", lambda steps: 1 - 0.01 ** (1 / steps), "forget faster"),
    ("04.2", lambda steps: 0.01 / steps, "forget faster"),
    ("04.2", lambda steps: 0.01**steps, "forget faster"),
    ("04.2", lambda steps: 100 * 0.01 ** (1 / steps), "lies from 0 to 1"),
    ("04.2", lambda steps: 1.0, "never leave their beginning"),
    ("04.2", lambda steps: "0.01 ** (1 / steps)", "one number"),
    ("04.3", lambda scores: scores["test"].max(), "must not choose"),
    ("04.3", lambda scores: scores["validation"].max(), "a validation score"),
    ("04.3", lambda scores: scores["test"].mean(), "best on validation"),
    ("04.3", lambda scores: scores["test"][scores["validation"].to_numpy().argmax()], "KeyError"),
    ("04.3", lambda scores: scores["test"][scores["validation"] == scores["validation"].max()]
     .max(), "must not choose"),
    ("04.3", lambda scores: scores.sort_values("validation")["test"].iloc[-1], "Of equals"),
    ("04.3", lambda scores: scores["validation"].idxmax(), "should be a score"),
    ("04.3", lambda scores: scores.mean(axis=1).max(), "best on validation"),
    ("04.3", lambda scores: scores.loc[scores["validation"].idxmax()], "one number"),
    ("04.4", _constant(macro_recall=lambda share: 1.0), "macro_recall"),
    ("04.4", _constant(macro_recall=lambda share: share), "the mean of 1 and 0"),
    ("04.4", _constant(macro_precision=lambda share: share), "Average the two"),
    ("04.4", _constant(macro_precision=lambda share: share**2), "Average the two"),
    ("04.4", _constant(macro_f1=lambda share: 2 * share / (share + 1)), "that of the other is 0"),
    ("04.4", _constant(macro_f1=lambda share: share / (share + 1) * 2 * share), "macro_f1"),
    ("04.4", _constant(accuracy=lambda share: 0.5), "larger class are right"),
    ("04.4", _constant(accuracy=lambda share: 100 * share), "not a percentage"),
    ("04.4", lambda share: (share, share / 2, 0.5, share / (1 + share)), "should give a dict"),
    ("04.4", lambda share: {"accuracy": share}, "has no macro_precision"),
    ("05.2", lambda pixels, name: _prepare(name, pixels.copy()), "nearly black"),
    ("05.2", lambda pixels, name: _prepare(name, pixels / 255.0), "even darker"),
    ("05.2", lambda pixels, name: _prepare("vgg16", pixels * 255.0), "Use the name"),
    ("05.2", lambda pixels, name: pixels * 255.0, "bare pixels"),
    ("05.2", lambda pixels, name: pixels, "bare pixels"),
    ("05.2", _in_place, "changes the pixels"),
    ("05.2", lambda pixels, name: _prepare(name, pixels[..., ::-1] * 255.0), "starts with"),
    ("05.2", lambda pixels, name: _prepare(name, pixels * 255.0)[0], "has the shape"),
    ("05.2", lambda pixels, name: _prepare(name, _prepare(name, pixels * 255.0)), "starts with"),
    ("05.3", lambda m: np.diag(m).sum() / m.to_numpy().sum(), "the accuracy"),
    ("05.3", lambda m: (np.diag(m) / m.sum(axis=0)).mean(), "sum of its row"),
    ("05.3", lambda m: (np.diag(m) / m.sum(axis=1).clip(lower=1)).mean(), "Leave it out"),
    ("05.3", lambda m: np.mean(np.diag(m) / m.sum(axis=1).to_numpy().clip(1)), "Leave it out"),
    ("05.3", lambda m: 100 * (np.diag(m) / m.sum(axis=1)).mean(), "not a percentage"),
    ("05.3", lambda m: np.diag(m) / m.sum(axis=1), "one number"),
    ("05.3", lambda m: np.mean(np.diag(m) / m.sum(axis=1).to_numpy()), "0 / 0"),
    ("06.1", _images, "apart"),
    ("06.1", _without_replacement, "the table itself"),
    ("06.1", _drawn_once, "with replacement"),
    ("06.1", _own_numbers, "the rng it is given"),
    ("06.1", lambda table, rng: table, "the table itself"),
    ("06.1", _size_biased, "you draw from rows"),
    ("06.1", _first_lesions, "never came in"),
    ("06.2", lambda p, learnt, there: p * there / learnt, "Divide by their sum"),
    ("06.2", lambda p, learnt, there: _scaled(p * learnt / there), "not 0.900, 0.100"),
    ("06.2", lambda p, learnt, there: _scaled(p * there), "the same: nothing changes"),
    ("06.2", lambda p, learnt, there: there, "Multiply by the new share"),
    ("06.2", lambda p, learnt, there: (p * there / learnt).argmax(), "one a class"),
    ("06.2", lambda p, learnt, there: _scaled(p + there - learnt), "sum to 1"),
    ("06.2", _shares_in_place, "make new ones"),
    ("07.2", lambda a, b: a == b, "rounded up once"),
    ("07.2", lambda a, b: abs(a - b) <= 0.01, "computer's"),
    ("07.2", lambda a, b: a - b <= 0.0101, "not False"),
    ("07.2", lambda a, b: abs(a - b) < 0.03, "both .50 and .48"),
    ("07.2", lambda a, b: abs(a - b) < 0.02, "two hundredths apart"),
    ("07.2", lambda a, b: round(a, 1) == round(b, 1), "both .50 and .48"),
    ("07.2", lambda a, b: abs(a - b), "True or False"),
    ("07.3", lambda n: [[n, 0], [0, n]], "0.000 apart"),
    ("07.3", lambda n: [[n // 2, n - n // 2], [n - n // 2, n // 2]], "and another the reverse"),
    ("07.3", lambda n: [[10, 90], [0, 100]], "each class has 40 images"),
    ("07.3", lambda n: [[n // 10, 0], [n - n // 10, n]], "Rows are the truth"),
    ("07.3", lambda n: [n // 10, n], "as long as there are classes"),
    ("07.3", lambda n: [[0.1, 0.9], [0.0, 1.0]], "count no images"),
    ("07.3", lambda n: [[n]], "one class only"),
    ("07.3", lambda n: "a matrix", "no table of numbers"),
    ("08.2", lambda channels, slopes: np.maximum((channels * slopes).sum(-1), 0), "one weight"),
    ("08.2", lambda channels, slopes: (channels * slopes.mean((0, 1))).sum(-1), "below 0"),
    ("08.2", lambda channels, slopes: np.maximum(channels * slopes.mean((0, 1)), 0), "add them up"),
    ("08.2", lambda channels, slopes: np.maximum((channels * slopes.sum((0, 1))).sum(-1), 0),
     "not their sum"),
    ("08.2", lambda channels, slopes: slopes.mean((0, 1)), "has the shape"),
    ("08.3", lambda value, low, high, controls: value > 0.5, "untrained network's maps do as well"),
    ("08.3", lambda value, low, high, controls: value > max(controls.values()), "untrained"),
    ("08.3", lambda value, low, high, controls: low > controls["chance"], "do as well"),
    ("08.3", lambda value, low, high, controls: low > max(controls["chance"], 0.5)
     and low > controls.get("untrained", 0), "in the middle"),
    ("08.3", lambda value, low, high, controls: low - max(controls.values()), "True or False"),
    ("09.2", lambda rows, share, seed: np.random.default_rng(seed).random(len(rows)) < share,
     "labelled and unlabelled at once"),
    ("09.2", lambda rows, share, seed: _drawn(rows, share, seed, round(10 * share)),
     "are not all among"),
    ("09.2", lambda rows, share, seed: _drawn(rows, share, 0), "Another seed"),
    ("09.2", lambda rows, share, seed: _drawn(rows, share / 2, seed), "Count lesions"),
    ("09.2", lambda rows, share, seed: rows["lesion_id"].unique(), "True or False"),
    ("09.3", _contrastive(kept=lambda eye, partner: eye | ~eye), "its own partner"),
    ("09.3", _contrastive(kept=lambda eye, partner: ~eye & ~partner), "partner is missing"),
    ("09.3", _contrastive(unit=False), "length 1"),
    ("09.3", _contrastive(end=np.sum), "not the sum"),
    ("09.3", lambda views, temperature: 0.0, "gives 0, not"),
    ("10.2", lambda scores, best: [best - score for score in scores], "never rises"),
    ("10.2", lambda scores, best: best - max(scores), "one number"),
    ("10.2", lambda scores, best: best - np.maximum.accumulate(scores), "has NaN after a trial"),
    ("10.2", lambda scores, best: max(scores) - np.fmax.accumulate(scores), "best of the whole"),
    ("10.2", lambda scores, best: (best - np.fmax.accumulate(scores))[1:], "one after each"),
    ("10.3", lambda trials: trials["test"].max(), "the test part has chosen"),
    ("10.3", lambda trials: trials["validation"].max(), "best validation score"),
    ("10.3", lambda trials: trials["test"].mean(), "not 0.4321"),
    ("10.3", lambda trials: trials.sort_values("test")["validation"].iloc[-3], "not 0.4321"),
    ("10.3", lambda trials: trials.loc[trials["validation"].idxmax()], "one number"),
]  # fmt: skip


@pytest.mark.parametrize("number, answer, said", WRONG)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:Recall is ill-defined")
@pytest.mark.filterwarnings("ignore:F-score is ill-defined")
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
def test_a_wrong_answer_is_told_what_is_off(number, answer, said):
    state, says = checks.exercise(number).verdict(answer)
    assert state == "tried" and said in says, says


@pytest.mark.parametrize("number", CODE)
def test_broken_answers_get_a_sentence_and_no_traceback(number):
    judge = checks.exercise(number).verdict
    assert "KeyError: 'no such key'" in judge(raising)[1]
    assert "gives None" in judge(nothing)[1]
    assert "Give the function itself" in judge(0.5)[1]
    assert "TypeError" in judge(lambda: 1)[1]
    assert judge(None)[0] == judge(...)[0] == "open"


def test_each_checker_knows_mistakes_that_students_make():
    known = Counter(number for number, _, _ in WRONG)
    assert min(known[number] for number in CODE) >= 3
    assert min(known[number] for number in CODE if number < "04") >= 9
    assert min(known[number] for number in CODE if "04" < number < "06") >= 7


@pytest.mark.parametrize("number", TEXTS)
def test_written_answers(number, capsys, record):
    one = checks.exercise(number)
    assert one.verdict("   ")[0] == "open"
    assert "start" in one.verdict("The camera.")[1]
    one.check("Because the camera of each clinic gives the images a color of their own, I think.")
    assert "kept" in capsys.readouterr().out
    assert json.loads(record.read_text())[number]["answer"].startswith("Because")


# ---------------------------------------------------------------- predictions and the record


def test_a_prediction_is_kept_and_shown_beside_the_result(capsys, record):
    one = checks.exercise("01.1")
    one.compare(82.6)
    assert "82.6" not in capsys.readouterr().out, "no result before there is a prediction"
    one.predict(None)
    assert "not tried yet" in capsys.readouterr().out and not record.exists()
    one.predict(np.float64(70))
    assert json.loads(record.read_text())["01.1"] == {"state": "tried", "prediction": 70.0}
    capsys.readouterr()
    one.compare(np.float64(82.62))
    said = capsys.readouterr().out
    assert (
        "you predicted 70 %; the result is 82.6 %" in said
        and "Difference: 12.6 percentage points" in said
    )
    assert checks.progress("01").loc["01.1", "state"] == "done"
    checks.exercise("06.3").predict("VGG16 on dx")
    checks.exercise("06.3").compare("Classifier on localization")
    assert "you predicted VGG16 on dx" in capsys.readouterr().out


def test_progress_goes_from_open_to_done_and_not_back(capsys):
    table = checks.progress()
    assert len(table) == len(checks.EXERCISES) and set(table["state"]) == {"open"}
    for answer, state in (
        (nothing, "tried"),
        (answer_in_notebook("04.3"), "done"),
        (nothing, "done"),
    ):
        checks.exercise("04.3").check(answer)
        assert checks.progress("04")["state"].to_dict()["04.3"] == state
    assert len(checks.progress("04")) == 5


def test_a_record_is_handed_in_under_a_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LesionsError, match="nothing to hand in"):
        checks.hand_in("Ada")
    gradebook.note("03.1", "done")
    gradebook.note("03.2", "tried")
    gradebook.note("01.4", "done", answer="words")
    with pytest.raises(LesionsError, match="Give your name"):
        checks.hand_in(" ")
    folder = tmp_path / "class" / "one"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    checks.hand_in("Ada Lovelace")
    assert "hand-in-ada-lovelace.json" in capsys.readouterr().out
    (folder.parent / "bob.json").write_text('{"02.1": {"state": "done"}}')  # a record as it is
    (folder.parent / "strange.json").write_text("[1]")
    table, strange = grading.collect(folder.parent)
    table = table.set_index("student")
    assert list(table.index) == ["bob", "Ada Lovelace"]
    ada = table.loc["Ada Lovelace"]
    assert (ada["01"], ada["02"], ada["03"], ada["done"], ada["tried"]) == (1, 0, 1, 2, 1)
    assert len(strange) == 1 and "strange.json is no record" in strange[0]
    assert grading.main([str(folder.parent)]) == 1
    assert len(pd.read_csv(folder.parent / "grades.csv")) == 2


def test_progress_takes_a_number_with_or_without_its_zero():
    assert list(checks.progress("1").index) == list(checks.progress("01").index)
    assert list(checks.progress(1).index) == list(checks.progress("01").index)
    assert all(number.startswith("01.") for number in checks.progress("1").index)
    with pytest.raises(LesionsError, match=r"No exercise belongs to a notebook 99: there are 01, "):
        checks.progress("99")
    assert checks.questions("1") == checks.questions("01")


def test_the_exercises_are_those_of_every_module_there_is():
    modules = sorted((ROOT / "lib" / "course" / "exercises").glob("notebook_*.py"))
    numbers = {number.partition(".")[0] for number in checks.EXERCISES}
    assert numbers == {module.stem.removeprefix("notebook_") for module in modules}
    assert list(checks.EXERCISES) == sorted(checks.EXERCISES)


def hand_ins(folder, **texts) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def test_damaged_hand_ins_are_named_and_the_others_counted(tmp_path, capsys):
    whole = json.dumps({"student": "Ada", "exercises": {"01.1": {"state": "done"}}})
    hand_ins(tmp_path / "three", ada=whole, bob='{"student": "Bo', eve=whole.replace("Ada", "Eve"))
    assert grading.main([str(tmp_path / "three")]) == 1
    said = capsys.readouterr()
    assert "Ada" in said.out and "Eve" in said.out and "bob.json is no record" in said.err
    table = pd.read_csv(tmp_path / "three" / "grades.csv")
    assert list(table["done"]) == [1, 1] and set(table["of"]) == {len(checks.EXERCISES)}
    hand_ins(tmp_path / "none", ada="{", bob="[]")
    assert grading.main([str(tmp_path / "none")]) == 1
    said = capsys.readouterr().err
    assert "ada.json is no record" in said and "bob.json" in said and "Traceback" not in said
    assert not (tmp_path / "none" / "grades.csv").exists()


def test_written_answers_are_a_page_and_no_markup(tmp_path, capsys):
    number = TEXTS[0]
    answers = {number: {"state": "done", "answer": "Because <script>alert(1)</script> of\nlight."}}
    evil = {"student": "=cmd()<b>", "date": "<i>", "exercises": answers}
    hand_ins(tmp_path, evil=json.dumps(evil), quiet=json.dumps({"01.1": {"state": "tried"}}))
    assert grading.main([str(tmp_path)]) == 0
    assert "answers.html" in capsys.readouterr().out
    page = (tmp_path / "answers.html").read_text(encoding="utf-8")
    assert "<script>" not in page and "&lt;script&gt;alert(1)&lt;/script&gt; of\nlight." in page
    assert checks.EXERCISES[number].title in page and "Answers: 1, students: 2" in page
    table = pd.read_csv(tmp_path / "grades.csv").set_index("file")
    assert table.loc["evil.json", "student"].startswith("'=")


def test_a_long_or_strange_name_makes_a_short_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gradebook.note("03.1", "done")
    for name in ("x" * 300, "../../etc/passwd", "Æsa Þórsdóttir", "CON"):
        file = gradebook.hand_in(name)
        assert file.parent == tmp_path and len(file.name) < 80
        assert json.loads(file.read_text(encoding="utf-8"))["student"] == name


def test_nothing_handed_in_is_said(tmp_path, capsys):
    assert grading.main([str(tmp_path)]) == 1
    assert "holds no .json file" in capsys.readouterr().err


def test_a_notebook_that_was_handed_in_gets_a_record_of_its_own(tmp_path, monkeypatch, record):
    gradebook.note("03.1", "done")
    monkeypatch.setenv("LESIONS_RECORD", str(tmp_path / "ada.json"))
    assert gradebook.read() == {}
    gradebook.note("03.2", "tried")
    assert set(json.loads((tmp_path / "ada.json").read_text())) == {"03.2"}
    assert set(json.loads(record.read_text())) == {"03.1"}


def test_a_prediction_is_a_number_where_one_is_asked_for(record, capsys):
    one = checks.exercise("01.1")  # in percent
    for strange, says in (("80%", "Write a number"), (0.8, "Write it in percent: 80, not 0.8")):
        one.predict(strange)
        assert says in capsys.readouterr().out
    for strange, says in (
        (-3, "cannot be -3"),
        (101, "cannot be more than 100"),
        (float("nan"), "cannot be nan"),
        (True, "Write a number"),
    ):
        one.predict(strange)
        assert says in capsys.readouterr().out
    assert not record.exists()
    one.predict(80)
    one.compare(82.6)
    assert "Difference: 2.6 percentage points" in capsys.readouterr().out
    checks.exercise("01.0").predict(10)
    assert "cannot be more than 9" in capsys.readouterr().out
    pairs = checks.exercise("02.1")
    pairs.predict(10)
    pairs.compare(317)
    assert "a factor of 32" in capsys.readouterr().out


def test_the_first_prediction_is_kept(record, capsys):
    one = checks.exercise("01.1")
    one.predict(20)
    one.predict(82.6)
    said = capsys.readouterr().out.splitlines()
    assert said == ["01.1: kept: 20 %. Now run the next cell.",
                    "01.1: your first prediction stays: 20 %."]  # fmt: skip
    one.predict(20)  # the cell is run once more
    one.compare(82.6)
    assert "you predicted 20 %" in capsys.readouterr().out
    assert json.loads(record.read_text())["01.1"]["prediction"] == 20


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"01.1": 3}', '{"01.1": {}}', '{"01.1": {"state": 1}}']
)
def test_a_damaged_record_is_kept_and_a_new_one_begins(record, capsys, text):
    record.parent.mkdir()
    record.write_text(text)
    checks.exercise("04.3").check(answer_in_notebook("04.3"))
    assert "was damaged" in capsys.readouterr().out
    assert record.with_suffix(".damaged.json").read_text() == text
    assert json.loads(record.read_text()) == {"04.3": {"state": "done"}}


def test_the_student_s_record_is_not_the_headless_run_s(tmp_path, monkeypatch):
    (tmp_path / "student").mkdir()
    checks.exercise("04.3").check(answer_in_notebook("04.3"))
    monkeypatch.chdir(tmp_path / "student")
    assert checks.progress("04")["state"]["04.3"] == "open"
    checks.exercise("04.2").check(answer_in_notebook("04.2"))
    assert (tmp_path / "exercises" / "student.json").exists()


def test_an_unknown_exercise_is_named():
    with pytest.raises(LesionsError, match=r"no exercise 3\.2. Did you mean 03\.2"):
        checks.exercise("3.2")


# ---------------------------------------------------------------- quizzes


@pytest.mark.parametrize("number", NUMBERS)
def test_a_quiz_is_whole(number):
    questions = checks.questions(number)
    assert 3 <= len(questions) <= 6
    assert len({question["question"] for question in questions}) == len(questions)
    for question in questions:
        assert question["type"] == "multiple_choice"
        answers = question["answers"]
        assert len(answers) == 4 and sum(answer["correct"] for answer in answers) == 1
        for part in ("answer", "feedback"):
            assert len({answer[part] for answer in answers}) == 4
        for answer in answers:
            assert set(answer) == {"answer", "correct", "feedback"}
            assert len(answer["feedback"]) > 20
            assert answer["correct"] == answer["feedback"].startswith("Right.")
        # jupyterquiz takes these for a formula or a link.
        assert not re.search(r"[$\[]\w*\]\(|\$", json.dumps(question))


def test_a_quiz_without_trust_says_what_to_do():
    plain = {"text/plain": "<IPython.core.display.Javascript object>"}
    assert "run this cell" in checks._at_home(plain | {"application/javascript": "…"})["text/plain"]
    assert checks._at_home(plain | {"text/html": "<div>"})["text/plain"] == "A quiz."


def test_right_answers_stand_in_all_places_and_are_not_the_longest():
    questions = [question for number in NUMBERS for question in checks.questions(number)]
    places = Counter(
        [answer["correct"] for answer in question["answers"]].index(True) for question in questions
    )
    assert sorted(places) == [0, 1, 2, 3] and max(places.values()) - min(places.values()) <= 2
    longest = sum(
        max(question["answers"], key=lambda answer: len(answer["answer"]))["correct"]
        for question in questions
    )
    assert longest <= len(questions) / 2


def test_a_stored_quiz_is_small_repeatable_and_asks_no_server():
    for number in NUMBERS:
        (path,) = catalogue.NOTEBOOKS.glob(f"{number}_*.ipynb")
        cells = nbformat.read(path, as_version=4).cells
        (cell,) = [c for c in cells if c.get("source") == f'checks.quiz("{number}")']
        texts = ["".join(output.data.values()) for output in cell.outputs]
        assert cell.outputs and sum(map(len, texts)) < 60_000
        assert not any(re.search(r"https?://(?!\$)[\w.]+\.\w", text) for text in texts)
        # All that jupyterquiz needs is there: the questions and the program that shows them.
        assert json.dumps(checks.questions(number)[0]["question"]) in texts[-1]
        assert "function make_mc" in texts[-1]


def test_a_quiz_is_the_same_each_time_and_leaves_random_numbers_alone():
    import random

    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    try:
        random.seed(1)
        expected = random.Random(1).random()
        shown = []
        for _ in range(2):
            with capture_output() as captured:
                checks.quiz("03")
            shown.append([output.data for output in captured.outputs])
        assert shown[0] == shown[1] and len(shown[0]) == 2
        assert random.random() == expected
    finally:
        InteractiveShell.clear_instance()
        del shell


def test_an_absent_quiz_is_named():
    with pytest.raises(LesionsError, match="no quiz 99"):
        checks.quiz("99")


def test_no_checker_looks_into_a_library_of_the_course():
    """Checkers judge what an answer does; they have their own arithmetic to hold it against."""
    for number in NUMBERS:
        source = (ROOT / "lib" / "course" / "exercises" / f"notebook_{number}.py").read_text()
        imported = {
            node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)
        }
        assert {name for name in imported if name.startswith(("lesions", "course"))} == {
            "course.exercise", "course.feedback"}  # fmt: skip
