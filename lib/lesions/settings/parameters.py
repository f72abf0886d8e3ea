"""Every parameter, declared once: name, type, default, limits, choices, what it is for.

A parameter is added here and nowhere else: profiles, notebooks, the command line and the cache
know it from this list.
"""

import dataclasses
import difflib
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from lesions.core.errors import LesionsError
from lesions.core.files import BUILD

Value = int | float | bool | str


# A dataset is a file in this folder; the names of the files are the choices.
_KNOWN = Path(__file__).resolve().parents[1] / "data" / "known"
DATASETS = tuple(sorted(path.stem for path in _KNOWN.glob("*.py") if path.stem != "__init__"))


@dataclass(frozen=True)
class Parameter:
    """What is known of one parameter; the default fixes its type."""

    default: Value
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    # Whether another value may change a kept result. Where it only says where something lies, what
    # to run or what to show, it does not; where it acts through a file or a number that a result's
    # key is made of anyway, it need not.
    decides: bool = True


def declare(*arguments: Any, **options: Any) -> Any:
    """A field of `Settings`, with its declaration; takes what `Parameter` takes."""
    declared = Parameter(*arguments, **options)
    return dataclasses.field(default=declared.default, metadata={"parameter": declared})


def inert(*arguments: Any, **options: Any) -> Any:
    """As `declare`, for a parameter that decides no kept result."""
    return declare(*arguments, **options, decides=False)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All parameters, checked; they are changed by a copy only: `settings.replace(SEED=1)`.

    The defaults are the profile `sample`.
    """

    # where things come from and go to
    PROFILE: str = inert("sample", "names the folder under build/ that results go to")
    SEED: int = declare(0, "fixes every random choice", 0, 2**31 - 1)
    DATASET: str = inert("sample", "which images", choices=DATASETS)
    DATA_DIR: str = inert("", "folder of ham10000 or of your own images; empty: HAM10000_DIR")
    LIMIT: int = inert(0, "use only about this many images, whole lesions; 0: all", 0, 10**6)
    SAMPLE_IMAGES: int = inert(1500, "images to draw for the sample", 120, 20_000)
    SAMPLE_SEED: int = inert(0, "fixes the drawing; SEED fixes what is done with it", 0, 2**31 - 1)
    SAMPLE_WIDTH: int = inert(300, "their width in pixels; the height is 3/4 of it", 64, 1200)
    # duplicates (02); which images are kept does not depend on what is shown
    HASH: str = inert(
        "average_hash",
        "the perceptual hash shown in 02",
        choices=("average_hash", "phash", "dhash", "whash"),
    )
    HASH_THRESHOLD: int = inert(0, "bits in which two hashes of one group may differ", 0, 32)
    # from images to training data (03)
    PROTOCOL: str = inert(
        "both", "how images become training and test data", choices=("honest", "paper", "both")
    )
    IMAGE_SIZE: int = declare(64, "height and width in pixels that networks see", 32, 512)
    GEOMETRY: str = declare(
        "squash", "how a 4:3 image becomes a square", choices=("squash", "crop")
    )
    RESAMPLE: str = declare(
        "over",
        "RandomOverSampler, RandomUnderSampler or nothing",
        choices=("over", "under", "none"),
    )
    CLASS_WEIGHTS: bool = declare(False, "weight the loss by scikit-learn's balanced weights")
    BATCH_SIZE: int = declare(32, "images a training step", 1, 4096)
    AUGMENT: bool = declare(True, "augment the training images")
    ROTATION: float = declare(20.0, "largest rotation, in degrees", 0, 180)
    SHIFT: float = declare(0.10, "largest shift, as a share of width and height", 0, 0.5)
    ZOOM: float = declare(0.10, "largest zoom in or out, as a share", 0, 0.9)
    SHEAR: float = declare(10.0, "largest shear, in degrees", 0, 45)
    FLIP: bool = declare(True, "mirror half of the training images")
    QUARTER_TURNS: bool = declare(False, "turn training images by 0, 90, 180 or 270 degrees, too")
    # training (04, 05)
    BINARY_RUNS: str = inert(
        "fcnn_relu:sex fcnn_relu_tanh:sex fcnn_l2:sex", "what 04 trains, as model:target"
    )
    MULTICLASS_RUNS: str = inert(
        "cnn:dx vgg16:dx resnet50:dx_type fcnn_dx_type:dx_type "
        "autoencoder_classifier:localization densenet121:localization",
        "what 05 trains, as model:target",
    )
    EPOCHS: int = declare(5, "passes over the training part, at most", 1, 10_000)
    EPOCH_SAMPLES: int = declare(1000, "images an epoch, at most; 0: all", 0, 10**7)
    # With 0 a training is never stopped early, and its last epoch counts.
    PATIENCE: int = declare(4, "epochs without a better validation loss before we stop", 0, 10_000)
    LEARNING_RATE: float = declare(1e-3, "Adam's step size", 1e-7, 1.0)
    L2: float = declare(1e-3, "strength of the L2 penalty in fcnn_l2", 0, 10)
    CNN_DENSE: int = declare(128, "units of the baseline CNN's dense layer", 1, 4096)
    CNN_WIDTH: float = declare(1.0, "its channels, times the paper's 32, 64, 118", 0.1, 8)
    CNN_REPEATS: int = declare(1, "its convolutions before each pooling", 1, 4)
    CNN_DROPOUT: float = declare(0.3, "share of its dense outputs left out in training", 0, 0.9)
    LATENT_FILTERS: int = declare(16, "channels of the autoencoder's code", 1, 512)
    WEIGHTS: str = declare("none", "backbones: imagenet, none, or a .h5 file or a folder")
    HEAD_EPOCHS: int = declare(12, "epochs for the head on a frozen backbone", 1, 10_000)
    FEATURE_VIEWS: int = declare(
        1, "views of each image for a head; above 1: augmented ones", 1, 50
    )
    FINE_TUNE_LAYERS: int = declare(0, "top layers of ResNet50, DenseNet121 trained on", 0, 1000)
    FINE_TUNE_EPOCHS: int = declare(1, "epochs for them", 1, 1000)
    FINE_TUNE_RATE: float = declare(1e-5, "their learning rate", 1e-8, 1.0)
    # models of our own, under `honest` only (05)
    OWN_RUNS: str = inert(
        "compact_cnn:dx tuned_lite0:dx scratch_lite0:dx",
        "05's own runs, as model:target",
    )
    OWN_EPOCHS: int = declare(12, "epochs for them", 1, 10_000)
    TUNE_EPOCHS: int = declare(3, "epochs for a pretrained network that is tuned on whole", 1, 1000)
    PRECISION: str = declare(
        "auto",
        "of the layers; auto: half where it is quicker",
        choices=("auto", "float32", "mixed_bfloat16", "mixed_float16"),
    )
    # experiments beside the models (05); each of the dial's seeds is a result's input by itself
    # explanations (08)
    COVER_SEEDS: int = inert(1, "splits of the cover-up experiment", 1, 20)
    EXPLAIN_IMAGES: int = inert(28, "test images whose answers are explained", 7, 10_000)
    # few labels (09); a run's key is made of its method, share, seed and steps
    LABEL_SHARES: str = inert("5 20 100", "lesions that keep their label, in percent")
    LABEL_SEEDS: int = inert(1, "choices of these lesions, each with networks of its own", 1, 20)
    LABEL_METHODS: str = inert(
        "colours lite0 scratch simclr_probe simclr_tuned fixmatch", "what is compared"
    )
    LABEL_STEPS: int = inert(60, "training steps with labels, of each method", 1, 10**6)
    PRETRAIN_STEPS: int = inert(100, "training steps without labels", 1, 10**6)
    DIAL_SEEDS: int = inert(3, "splits for each position of the leak dial; 0: no dial", 0, 100)
    TEST_DIR: str = inert("", "folder of the official ISIC 2018 test set, if not beside the data")
    # the search (10); what a trial gets is part of its study's name
    SEARCH_TRIALS: int = inert(8, "whole trials that the search may spend", 1, 10_000)
    SEARCH_IMAGES: int = inert(1024, "training images that a whole trial sees", 64, 10**8)
    SEARCH_FOLDS: int = inert(1, "folds of a trial, by lesion; 1: the validation part", 1, 10)
    SEARCH_SAMPLER: str = inert("tpe", "who proposes", choices=("tpe", "random", "grid"))
    # comparison (06); intervals are computed when they are shown
    BOOTSTRAP: int = inert(500, "bootstrap samples behind each interval", 50, 100_000)
    # No parameter: where this profile's results go, if not to build/<PROFILE>.
    folder: Path | None = None  # fmt: skip

    def __post_init__(self) -> None:
        for name in PARAMETERS:
            # A whole number may stand where a float is wanted.
            object.__setattr__(self, name, check_value(name, getattr(self, name)))
        if self.folder is None:
            object.__setattr__(self, "folder", BUILD / self.PROFILE)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The settings with these values, and the defaults of all others.

        Raises:
            LesionsError: a name is unknown, or a value has the wrong type or is out of range.
        """
        for name in values:
            check_name(name)
        return cls(**values)

    def replace(self, **changes: Any) -> Self:
        """A copy with some parameters changed, checked as all are.

        Args:
            changes: parameters by name; `folder=…` for another place of the results.
        """
        if "PROFILE" in changes:
            changes = {"folder": None} | changes
        for name in changes:
            if name != "folder":
                check_name(name)
        return dataclasses.replace(self, **changes)

    def values(self) -> dict[str, Value]:
        """All parameters by name."""
        return {name: getattr(self, name) for name in PARAMETERS}

    def deciding(self) -> dict[str, Value]:
        """Those that decide a kept result, by name: all that are not declared otherwise."""
        return {name: v for name, v in self.values().items() if PARAMETERS[name].decides}


PARAMETERS: dict[str, Parameter] = {
    field.name: field.metadata["parameter"]
    for field in dataclasses.fields(Settings)
    if "parameter" in field.metadata
}


# ---------------------------------------------------------------- what is refused


def nearest(name: str, known: list[str]) -> str:
    """` Did you mean X?` for the known name closest to `name`, or an empty text."""
    upper = {item.upper(): item for item in known}
    found = difflib.get_close_matches(name.upper(), upper, n=1, cutoff=0.5)
    return f" Did you mean {upper[found[0]]}?" if found else ""


def check_name(name: str) -> None:
    """Raises: LesionsError, with the nearest name there is, if no parameter is called so."""
    if name not in PARAMETERS:
        raise LesionsError(
            f"Unknown parameter {name}.{nearest(name, list(PARAMETERS))} "
            "`make params` lists them all."
        )


def check_value(name: str, value: Any) -> Value:
    """Return `value` as the parameter's type.

    Raises:
        LesionsError: the name is unknown, or the value has the wrong type or is out of range.
    """
    check_name(name)
    declared = PARAMETERS[name]
    kind = type(declared.default)
    # A whole number will do where a float is wanted; True is no number, although Python says so.
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise LesionsError(
            f"Parameter {name} must be of type {kind.__name__}, as {declared.default!r} is; "
            f"got {value!r}, of type {type(value).__name__}.{_way_out(kind, value)}"
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


def as_number(value: Any) -> float | None:
    """The number that a text stands for; None if the value is no such text."""
    with suppress(ValueError):
        return float(value) if isinstance(value, str) else None
    return None


def _way_out(kind: type, value: Any) -> str:
    """What to do about a value of the wrong type, where a tool in between has made it so."""
    if kind is float and as_number(value) is not None:
        return " Numbers stand without quotes; YAML takes 1e-3 for a text, so write 1.0e-3 there."
    if kind is str and isinstance(value, int | float):
        return " papermill's -p makes a number of it: give it by -r, which keeps it a text."
    return ""
