"""What notebooks 04 and 05 write out is what the library has; their sentences fit kept tables."""

import ast
import inspect
import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom

from course import catalogue
from lesions.data.datacard import DATA_CARD
from lesions.experiments import search_trial
from lesions.networks import convolutional, fully_connected, normalisation, pieces
from lesions.networks.backend import keras
from lesions.paper import audit, published
from lesions.settings.parameters import Settings

SETTINGS = Settings(IMAGE_SIZE=32)


def notebook(name: str) -> list[dict]:
    text = (catalogue.NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
    return [cell | {"source": "".join(cell["source"])} for cell in json.loads(text)["cells"]]


def prose(name: str) -> str:
    return "\n".join(c["source"] for c in notebook(name) if c["cell_type"] == "markdown")


def function_of(notebook_name: str, function: str, **names):
    """A function that a cell of a notebook defines."""
    (source,) = [c["source"] for c in notebook(notebook_name) if f"def {function}(" in c["source"]]
    text = re.search(rf"^def {function}\(.*?(?=^\S)", source + "\n#", re.S | re.M)[0]
    scope = {"keras": keras, "layers": keras.layers, "np": np, "settings": SETTINGS} | names
    exec(text, scope)
    return scope[function]


def shape_of(model: keras.Model) -> pd.DataFrame:
    """Its layers with their outputs and numbers of parameters."""
    return pieces.layer_table(model)


def test_the_fully_connected_network_is_the_librarys():
    made = function_of("04_binary_fcnn", "written_out")(momentum=0.99)
    ours = fully_connected.fcnn_relu(32, 2)
    pd.testing.assert_frame_equal(shape_of(made), shape_of(ours))
    for a, b in zip(made.layers, ours.layers, strict=True):
        for part in ("activation", "rate"):
            assert getattr(a, part, None) == getattr(b, part, None)


def test_the_convolutional_network_is_the_librarys():
    names = [f"class {n}" for n in range(7)]
    made = function_of("05_multiclass_cnn", "written_out", names=names)(32)
    ours = convolutional.cnn(32, 7, SETTINGS.CNN_DENSE)
    pd.testing.assert_frame_equal(shape_of(made), shape_of(ours))
    kernels = [[getattr(a, "kernel_size", None) for a in m.layers] for m in (made, ours)]
    assert kernels[0] == kernels[1]


def test_the_head_is_the_librarys():
    inputs = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    inputs[:, 3] = 1.0
    made, ours = function_of("05_multiclass_cnn", "head_for")(inputs, 7), pieces.head(inputs, 7)
    pd.testing.assert_frame_equal(shape_of(made), shape_of(ours))
    (scaled,), (wanted,) = (
        [layer for layer in m.layers if isinstance(layer, keras.layers.Normalization)]
        for m in (made, ours)
    )
    np.testing.assert_allclose(scaled(inputs), wanted(inputs), atol=1e-5)


def test_the_callback_of_the_search_is_the_librarys():
    def code(source: str) -> str:
        tree = ast.parse(source)
        made = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
        for node in ast.walk(made):  # types are left out in the notebook
            if isinstance(node, ast.FunctionDef):
                node.returns = None
            if isinstance(node, ast.arg):
                node.annotation = None
        return ast.dump(made)

    (source,) = [c["source"] for c in notebook("10_search") if "class Prune" in c["source"]]
    assert code(source) == code(inspect.getsource(search_trial.Prune))


def test_the_momentum_of_the_exercise_is_the_librarys():
    solved = function_of("04_binary_fcnn", "momentum_for")
    for steps in (2, 31, 188):
        assert solved(steps) == pytest.approx(normalisation.momentum(steps))
    said = prose("04_binary_fcnn")
    for steps, words in ((32, ".866 for 32 steps"), (96, ".953 for 96")):
        assert (
            words in said and abs(normalisation.momentum(steps) - float(words.split()[0])) < 0.005
        )
    assert 0.99**457 > 0.01 > 0.99**459
    assert "only after 458 steps" in (catalogue.NOTEBOOKS / "quizzes" / "04.json").read_text()


def test_a_network_of_04_is_held_back_by_keras_momentum_alone():
    """With the same weights, it answers its own training images better once the averages fit."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 256).astype(np.float32)
    images = rng.random((256, 32, 32, 3), dtype=np.float32) * 0.2 + 0.5
    images += 0.1 * truth[:, None, None, None]
    network = function_of("04_binary_fcnn", "written_out")(momentum=0.99)
    network.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
    network.fit(images, truth, batch_size=32, epochs=2, verbose=0)

    def right() -> float:
        return float(np.mean((network.predict(images, verbose=0)[:, 0] > 0.5) == truth))

    before = right()
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.9
    for _ in range(3):
        for start in range(0, 256, 32):
            network(images[start : start + 32], training=True)
    assert right() >= before + 0.2


# ---------------------------------------------------------------- sentences about kept tables


def test_what_04_says_of_the_kept_run_on_sex():
    said = prose("04_binary_fcnn")
    board = published.kept("sex", "board").query("target == 'sex' and metric == 'macro_auc'")
    auc = board.set_index("name")
    runs = published.kept("sex", "runs").query("protocol == 'honest'").set_index("model")
    assert "trained ten times as long as `cnn` and `fcnn_relu`" in said
    assert runs.loc["compact_cnn", "epochs"] == 10 * runs.loc["cnn", "epochs"]
    assert runs.loc["cnn", "epochs"] == runs.loc["fcnn_relu", "epochs"]
    assert "more than colours, age and place tell together" in said
    cheap = auc[auc["kind"] == "baseline"]
    assert auc.loc["compact_cnn", "low"] > cheap["high"].max()
    cohorts = published.kept("sex", "cohorts").query("cohort != 'all'").set_index("cohort")
    assert "it is highest in `vidir_molemax`" in said
    assert cohorts["auc"].idxmax() == "vidir_molemax"
    assert "intervals of the cohorts overlap" in said
    assert cohorts["low"].max() < cohorts["high"].min()
    assert cohorts.loc["vidir_molemax", "images"] == cohorts.loc["vidir_molemax", "lesions"]


def test_what_04_says_of_the_second_row():
    said = prose("04_binary_fcnn")
    row = published.scores().set_index("key").loc["fcnn_relu_tanh"]
    low, high = audit.constant_share(row, 2)
    sex = DATA_CARD["sex"]
    men, known = sex["male"], sex["male"] + sex["female"]
    assert "which would make it .54" in said and not low <= men / known <= high
    assert round(men / known, 2) == 0.54 and "equal classes, or the share would be .50" in said
    drawn = round(0.15 * known)
    counts = np.arange(drawn + 1)
    fit = counts[(counts / drawn >= low) & (counts / drawn <= high)]
    assert 0.05 < hypergeom.pmf(fit, known, men, drawn).sum() < 0.3  # "now and then"


def test_no_comparison_across_budgets_or_rules_is_left():
    for name, never in (
        ("04_binary_fcnn", ["a network that knows what a neighbour is", "cannot tell the sexes"]),
        ("05_multiclass_cnn", ["which colours there are", "cannot remember", "no head can bring"]),
    ):
        for words in never:
            assert words.lower() not in prose(name).lower()
    assert "no head can bring back" not in (catalogue.NOTEBOOKS / "quizzes" / "05.json").read_text()


def test_what_05_quotes_of_the_paper_is_in_its_table():
    row = published.scores().set_index(["key", "target"])["accuracy"]
    assert "VGG16, of which its table says .52, the baseline CNN .64" in prose("05_multiclass_cnn")
    assert (row["vgg16", "dx"], row["cnn", "dx"]) == (0.52, 0.64)
    ahead = row["densenet121", "localization"] > row["autoencoder_classifier", "localization"]
    assert "DenseNet121, a CNN, and the table above shows it ahead" in prose("05_multiclass_cnn")
    assert ahead


@pytest.mark.parametrize("name", ["04_binary_fcnn", "05_multiclass_cnn"])
def test_a_lesson_has_at_most_60_cells_and_few_parameters(name):
    cells = notebook(name)
    # The cell that fetches the course elsewhere is hidden, and no part of the lesson.
    assert len([c for c in cells if c["metadata"].get("tags") != ["start"]]) <= 60
    (given,) = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    assert len(given["source"].splitlines()) <= 13
    words = [c["source"] for c in cells if c["cell_type"] == "code"]
    assert any(".compile(" in text and ".fit(" in text for text in words)
