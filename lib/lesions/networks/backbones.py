"""Keras's pretrained networks without their tops: images in, features out."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lesions.core.errors import LesionsError
from lesions.core.files import user_path
from lesions.core.progress import say
from lesions.core.transfer import md5_of
from lesions.networks.backend import full_precision, keras
from lesions.networks.registry import Entry

STORE = "https://storage.googleapis.com/tensorflow/keras-applications"


@dataclass(frozen=True)
class Backbone:
    """A network of `keras.applications`, and the file that Keras would fetch for it."""

    make: Callable[..., keras.Model]
    preprocess: Callable  # from pixels of 0 to 255 to what it was trained on
    url: str
    md5: str

    @property
    def file(self) -> str:
        """The name under which Keras keeps the file."""
        return self.url.rpartition("/")[2]


# Addresses and md5 sums are Keras's; a test holds them against the Keras that is installed.
BACKBONES = {
    "vgg16": Backbone(
        keras.applications.VGG16,
        keras.applications.vgg16.preprocess_input,
        f"{STORE}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "6d6bbae143d832006294945121d1f1fc",
    ),
    "resnet50": Backbone(
        keras.applications.ResNet50,
        keras.applications.resnet.preprocess_input,
        f"{STORE}/resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "4d473c1dd8becc155b73f8504c6f6626",
    ),
    "densenet121": Backbone(
        keras.applications.DenseNet121,
        keras.applications.densenet.preprocess_input,
        f"{STORE}/densenet/densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "30ee3e1110167f948a6b9946edeeb738",
    ),
}


# Computed once, so full precision costs little; and with random weights the features of two images
# differ in their third digit only, which half precision would lose.
@full_precision()
def backbone(name: str, size: int, weights: str = "imagenet") -> tuple[keras.Model, str]:
    """A convolutional network up to its global average pooling, all weights frozen.

    Args:
        name: a key of `BACKBONES`.
        size: height and width of its input, at least 32 pixels.
        weights: "imagenet" (fetched and checked by Keras), "none", "random", a `.h5` file, or a
            folder with files named as Keras names them, such as vgg16_weights_….h5.

    Returns:
        the model from images in [0, 1] to features (batch, channels); and where its weights come
        from: "imagenet", "file" (others than Keras's) or "random". If ImageNet's cannot be had, it
        says so and goes on with random ones.

    Raises:
        LesionsError: a local file or folder does not hold this network's weights.
    """
    known = BACKBONES[name]
    images = keras.Input((size, size, 3))
    # Each network wants the pixels it was trained on: 0 to 255 with its own shift and order.
    inputs = known.preprocess(images * 255.0)
    options = {"include_top": False, "pooling": "avg", "input_shape": (size, size, 3)}
    origin = "random"
    if weights == "imagenet":
        say(f"{name}: ImageNet weights, fetched by Keras if they are not here yet")
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                network, origin = known.make(weights="imagenet", **options), "imagenet"
        except Exception as error:
            # Keras wraps whatever the network raises, so there is no narrower class to catch.
            reason = str(error).split("\n")[0][-120:]
            say(f"{name}: ImageNet weights cannot be had ({reason}); going on with random ones.")
            network = known.make(weights=None, **options)
    else:
        network = known.make(weights=None, **options)
        if weights not in ("none", "random"):
            # Notebooks run in their own folder, so a relative path counts from the course's, too.
            path = Path(weights) if Path(weights).exists() else user_path(weights)
            origin = load_local_weights(network, name, path)
    network.trainable = False
    # Batch normalisation must use its stored averages also when layers are trained on later.
    return keras.Model(images, network(inputs, training=False), name=name), origin


def load_local_weights(network: keras.Model, name: str, path: Path) -> str:
    """Load a backbone's weights from a `.h5` file, or from the file for it in a folder.

    Returns:
        "imagenet" if it is, by name and md5, the file that Keras would fetch; else "file".

    Raises:
        LesionsError: there is no such file, it is damaged, or it belongs to another network.
    """
    if path.is_dir():
        found = sorted(path.glob(f"{name}*notop*.h5")) or sorted(path.glob(f"{name}*.h5"))
        if not found:
            raise LesionsError(
                f"There is no {name}*.h5 in the folder {path}: put Keras's weights file there, "
                "or set WEIGHTS=none."
            )
        path = found[0]
    if not path.is_file():
        raise LesionsError(
            f"WEIGHTS={path} is neither imagenet, none, a .h5 file nor a folder that is there."
        )
    known = BACKBONES[name]
    if path.name == known.file and md5_of(path) != known.md5:
        raise LesionsError(
            f"{path} is not the file that Keras knows by this name (by md5): fetch it again with "
            "`make weights`, or, if these are weights of your own, give it another name."
        )
    try:
        network.load_weights(path)
    except Exception as error:
        raise LesionsError(
            f"{path} does not hold weights of {name} without its top "
            f"({str(error).splitlines()[0][:100]}); give the file made for it."
        ) from error
    return "imagenet" if path.name == known.file else "file"


# The paper gives no widths for the heads of rows 6 and 9; we take 128 units.
MODELS = {
    "vgg16": Entry(
        partial(backbone, "vgg16"),
        "head",
        "row 5: VGG16, frozen as in the paper, then a softmax",
        {"weights": "WEIGHTS"},
        pretrained=True,
    ),
    "resnet50": Entry(
        partial(backbone, "resnet50"),
        "head",
        "row 6: ResNet50, then dense 128",
        {"weights": "WEIGHTS"},
        units=(128,),
        pretrained=True,
        fine_tune=True,
    ),
    "densenet121": Entry(
        partial(backbone, "densenet121"),
        "head",
        "row 9: DenseNet121, then dense 128",
        {"weights": "WEIGHTS"},
        units=(128,),
        pretrained=True,
        fine_tune=True,
    ),
}
