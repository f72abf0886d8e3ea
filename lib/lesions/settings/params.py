"""What a notebook may be given: names, types, ranges, defaults; and the refusal of all else."""

import ast
import difflib
import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from lesions.core.errors import LesionsError
from lesions.core.files import BUILD, ROOT, write_json
from lesions.settings.assignments import split_assignments

PROFILES = ROOT / "notebooks" / "profiles"


@dataclass(frozen=True)
class Parameter:
    """One parameter: its default (which fixes its type), its limits, and a line of help."""

    default: int | float | bool | str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


# The one declaration of every parameter. The defaults are the profile `sample`.
PARAMETERS: dict[str, Parameter] = {
    # where things come from and go to
    "PROFILE": Parameter("sample", "names the folder under build/ that results go to"),
    "SEED": Parameter(0, "fixes every random choice", 0, 2**31 - 1),
    "DATASET": Parameter(
        "sample", "which images", choices=("sample", "ham10000", "folder")
    ),
    "DATA_DIR": Parameter("", "folder of ham10000 or of your own images; empty: HAM10000_DIR"),
    "LIMIT": Parameter(0, "use only about this many images, whole lesions; 0: all", 0, 10**6),
    "SAMPLE_IMAGES": Parameter(1500, "images to draw for the sample", 120, 20_000),
    "SAMPLE_SEED": Parameter(0, "fixes the drawing; SEED fixes what is done with it", 0, 2**31 - 1),
    "SAMPLE_WIDTH": Parameter(300, "their width in pixels; the height is 3/4 of it", 64, 1200),
    # duplicates (02)
    "HASH": Parameter("average_hash", "the perceptual hash shown in 02",
                      choices=("average_hash", "phash", "dhash", "whash")),
    "HASH_THRESHOLD": Parameter(0, "bits in which two hashes of one group may differ", 0, 32),
    # from images to training data (03)
    "PROTOCOL": Parameter("both", "how images become training and test data",
                          choices=("honest", "paper", "both")),
    "IMAGE_SIZE": Parameter(64, "height and width in pixels that networks see", 32, 512),
    "GEOMETRY": Parameter("squash", "how a 4:3 image becomes a square", choices=("squash", "crop")),
    "RESAMPLE": Parameter("over", "RandomOverSampler, RandomUnderSampler or nothing",
                          choices=("over", "under", "none")),
    "CLASS_WEIGHTS": Parameter(False, "weight the loss by scikit-learn's balanced weights"),
    "BATCH_SIZE": Parameter(32, "images a training step", 1, 4096),
    "AUGMENT": Parameter(True, "augment the training images"),
    "ROTATION": Parameter(20.0, "largest rotation, in degrees", 0, 180),
    "SHIFT": Parameter(0.10, "largest shift, as a share of width and height", 0, 0.5),
    "ZOOM": Parameter(0.10, "largest zoom in or out, as a share", 0, 0.9),
    "SHEAR": Parameter(10.0, "largest shear, in degrees", 0, 45),
    "FLIP": Parameter(True, "mirror half of the training images"),
    "QUARTER_TURNS": Parameter(False, "turn training images by 0, 90, 180 or 270 degrees, too"),
    # training (04, 05)
    "BINARY_RUNS": Parameter("fcnn_relu:sex fcnn_relu_tanh:sex fcnn_l2:sex",
                             "what 04 trains, as model:target"),
    "MULTICLASS_RUNS": Parameter(
        "cnn:dx vgg16:dx resnet50:dx_type fcnn_dx_type:dx_type "
        "autoencoder_classifier:localization densenet121:localization",
        "what 05 trains, as model:target"),
    "EPOCHS": Parameter(5, "passes over the training part, at most", 1, 10_000),
    "EPOCH_SAMPLES": Parameter(1000, "images an epoch, at most; 0: all", 0, 10**7),
    "PATIENCE": Parameter(4, "epochs without a better validation loss before we stop", 1, 10_000),
    "LEARNING_RATE": Parameter(1e-3, "Adam's step size", 1e-7, 1.0),
    "L2": Parameter(1e-3, "strength of the L2 penalty in fcnn_l2", 0, 10),
    "CNN_DENSE": Parameter(128, "units of the baseline CNN's dense layer", 1, 4096),
    "LATENT_FILTERS": Parameter(16, "channels of the autoencoder's code", 1, 512),
    "WEIGHTS": Parameter("none", "backbones: imagenet, none, or a .h5 file or a folder"),
    "HEAD_EPOCHS": Parameter(12, "epochs for the head on a frozen backbone", 1, 10_000),
    "FEATURE_VIEWS": Parameter(1, "views of each image for a head; above 1: augmented ones", 1, 50),
    "FINE_TUNE_LAYERS": Parameter(0, "top layers of ResNet50, DenseNet121 trained on", 0, 1000),
    "FINE_TUNE_EPOCHS": Parameter(1, "epochs for them", 1, 1000),
    "FINE_TUNE_RATE": Parameter(1e-5, "their learning rate", 1e-8, 1.0),
    # models of our own, under `honest` only (05)
    "OWN_RUNS": Parameter("compact_cnn:dx", "what 05 trains of our own, as model:target"),
    "OWN_EPOCHS": Parameter(12, "epochs for them", 1, 10_000),
    "PRECISION": Parameter("auto", "of the layers; auto: half where it is quicker",
                           choices=("auto", "float32", "mixed_bfloat16", "mixed_float16")),
    # experiments beside the models (05)
    "DIAL_SEEDS": Parameter(3, "splits for each position of the leak dial; 0: no dial", 0, 100),
    "TEST_DIR": Parameter("", "folder of the official ISIC 2018 test set, if not beside the data"),
    # comparison (06)
    "BOOTSTRAP": Parameter(500, "bootstrap samples behind each interval", 50, 100_000),
}  # fmt: skip


# What changes no run record and no experiment by itself: it says where things lie or which runs are
# made, or what it stands for (images, rows) is in a result's key by its content. All others decide.
INERT = ("PROFILE", "DATASET", "DATA_DIR", "LIMIT", "SAMPLE_IMAGES", "SAMPLE_SEED", "SAMPLE_WIDTH",
         "HASH", "HASH_THRESHOLD", "PROTOCOL", "BINARY_RUNS", "MULTICLASS_RUNS", "OWN_RUNS",
         "DIAL_SEEDS", "TEST_DIR", "BOOTSTRAP")  # fmt: skip


def deciding(settings: SimpleNamespace) -> dict[str, Any]:
    """All parameters but those that change nothing: what a result's key is made of."""
    return {name: getattr(settings, name) for name in PARAMETERS if name not in INERT}


def nearest(name: str, known: list[str]) -> str:
    """` Did you mean X?` for the known name closest to `name`, or an empty text."""
    upper = {item.upper(): item for item in known}
    found = difflib.get_close_matches(name.upper(), upper, n=1, cutoff=0.5)
    return f" Did you mean {upper[found[0]]}?" if found else ""


def check_value(name: str, value: Any) -> int | float | bool | str:
    """Return `value` as the parameter's type.

    Raises:
        LesionsError: the name is unknown, or the value has the wrong type or is out of range.
    """
    if name not in PARAMETERS:
        raise LesionsError(
            f"Unknown parameter {name}.{nearest(name, list(PARAMETERS))} "
            "`make params` lists them all."
        )
    declared = PARAMETERS[name]
    kind = type(declared.default)
    # A whole number will do where a float is wanted; True is no number, although Python says so.
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise LesionsError(
            f"Parameter {name} must be of type {kind.__name__}, as {declared.default!r} is; "
            f"got {value!r}, of type {type(value).__name__}."
        )
    if declared.choices and value not in declared.choices:
        raise LesionsError(
            f"Parameter {name} must be one of {', '.join(declared.choices)}; got {value!r}."
            f"{nearest(value, list(declared.choices))}"
        )
    if declared.low is not None and not (
        math.isfinite(value) and declared.low <= value <= declared.high
    ):
        raise LesionsError(
            f"Parameter {name} must lie from {declared.low:g} to {declared.high:g}; got {value!r}."
        )
    if name == "PROFILE" and not value.replace("-", "").replace("_", "").isalnum():
        raise LesionsError(
            f"Parameter PROFILE names a folder, so letters, digits, - and _ only; got {value!r}."
        )
    return value


def complete(given: dict[str, Any]) -> SimpleNamespace:
    """All parameters as attributes: those given, checked, and the defaults of the others."""
    values = {name: declared.default for name, declared in PARAMETERS.items()}
    values |= {name: check_value(name, value) for name, value in given.items()}
    return SimpleNamespace(**values)


def _given_in_notebook(namespace: dict[str, Any]) -> dict[str, Any]:
    """The parameters set in a notebook's cells that begin with `# Parameters`.

    Papermill begins the cell that it injects with the same comment. It only warns of a name that
    the notebook does not have, and exits 0; so we read the cells' own text. Where the kernel keeps
    no history, as under nbval, there are only the names themselves to go by.
    """
    names: set[str] = set()
    for source in namespace.get("In", []):
        if source.lstrip().startswith("# Parameters"):
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    names.add(node.id)
    names = names or {name for name in namespace if name in PARAMETERS}
    return {name: namespace[name] for name in sorted(names) if name in namespace}


def start(notebook: str, namespace: dict[str, Any]) -> SimpleNamespace:
    """Check a notebook's parameters, print them, save them, and return them all.

    Args:
        notebook: the notebook's number, such as "03".
        namespace: the notebook's `globals()`.

    Returns:
        every parameter as an attribute, and `folder`, where this profile's results go.

    Raises:
        LesionsError: a parameter is unknown, mistyped, out of range or of the wrong type.
    """
    given = _given_in_notebook(namespace)
    settings = complete(given)
    settings.folder = BUILD / settings.PROFILE
    import pandas as pd  # `make` reads this module too, and has no use for tables

    pd.set_option("display.max_colwidth", None)  # a sentence in a table is to be read to its end
    print("   ".join(f"{name}={given[name]!r}" for name in PARAMETERS if name in given))
    write_json(settings.folder / "params" / f"{notebook}.json", given)
    return settings


def read_profile(name: str, folder: Path = PROFILES) -> dict[str, Any]:
    """The parameters in `notebooks/profiles/<name>.yaml`, checked.

    Raises:
        LesionsError: there is no such profile, it is not YAML, or a value in it is refused.
    """
    path = folder / f"{name}.yaml"
    if not path.exists():
        known = sorted(item.stem for item in folder.glob("*.yaml"))
        raise LesionsError(
            f"Unknown profile {name}.{nearest(name, known)} There are: {', '.join(known)}."
        )
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        where = str(error).replace("\n", " ")
        raise LesionsError(f"{path} is not valid YAML ({where}); mend the file.") from error
    if not isinstance(values, dict):
        raise LesionsError(f"{path} must hold lines of the form NAME: value.")
    return {key: check_value(key, value) for key, value in values.items()}


def _parse(name: str, raw: str) -> Any:
    """The value that a text on the command line stands for, as papermill reads it."""
    if name in PARAMETERS and isinstance(PARAMETERS[name].default, str):
        return raw
    if raw.lower() in ("true", "false"):
        return raw.lower() == "true"
    for kind in (int, float):
        with suppress(ValueError):
            return kind(raw)
    return raw


def read_assignments(text: str) -> dict[str, Any]:
    """Parameters from a command line such as `EPOCHS=3 SEED=7 BINARY_RUNS=cnn:sex,fcnn_l2:sex`.

    Raises:
        LesionsError: a part is not NAME=value, or the value is refused.
    """
    values = {}
    for part in split_assignments(text):
        name, equals, raw = part.partition("=")
        if not equals:
            raise LesionsError(f"Parameters are given as NAME=value; got {part!r}.")
        values[name] = check_value(name, _parse(name, raw))
    return values
