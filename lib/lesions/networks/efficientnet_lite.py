"""EfficientNet-Lite0 and -Lite2: small networks for processors, with ImageNet weights.

The network is by Tan and Le (2019, arXiv 1905.11946), its Lite form by Google (2020): ReLU6 where
the first has swish, and no squeeze-and-excitation. `lite_weights` says where its weights are from.
The published top-1 accuracies on ImageNet are 75.1 % and 77.6 %, at 224 and 260 pixels.
"""

from functools import partial
from typing import NamedTuple

from lesions.networks.backend import full_precision, keras
from lesions.networks.lite_weights import load_imagenet
from lesions.networks.pieces import layers, outputs
from lesions.networks.registry import Entry


class Stage(NamedTuple):
    """Blocks of one width; the first of them may halve the image."""

    repeats: int
    kernel: int
    strides: int
    expand: int  # how many times wider a block is inside
    filters: int


LITE0 = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
# 1.1 times as wide, rounded to whole eights, and 1.2 times as deep but for the two ends.
LITE2 = tuple(
    stage._replace(repeats=repeats, filters=filters)
    for stage, repeats, filters in zip(
        LITE0, (1, 3, 3, 4, 4, 5, 1), (16, 24, 48, 88, 120, 208, 352), strict=True
    )
)
VARIANTS = {"efficientnet_lite0": LITE0, "efficientnet_lite2": LITE2}
STEM, HEAD = 32, 1280  # the two ends are as wide in every Lite network
IMAGENET_CLASSES = 1000

# ---------------------------------------------------------------- the network


def normalised(x: keras.KerasTensor, name: str, relu: bool = True) -> keras.KerasTensor:
    """Batch normalisation, and ReLU cut off at 6."""
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if relu else x


def block(
    x: keras.KerasTensor, stage: Stage, strides: int, name: str, drop: float = 0.0
) -> keras.KerasTensor:
    """Widen with a 1 x 1 convolution, filter each channel alone, make narrow again.

    Where the shape stays, what came in is added (an inverted residual: Sandler and others 2018).

    Args:
        drop: the share of training images for which the block is left out, if it can be.
    """
    begin = x
    if stage.expand > 1:
        inner = x.shape[-1] * stage.expand
        x = layers.Conv2D(inner, 1, use_bias=False, name=f"{name}_expand")(x)
        x = normalised(x, f"{name}_expand")
    x = layers.DepthwiseConv2D(
        stage.kernel, strides, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(x)
    x = normalised(x, f"{name}_depthwise")
    x = layers.Conv2D(stage.filters, 1, use_bias=False, name=f"{name}_project")(x)
    x = normalised(x, f"{name}_project", relu=False)
    if x.shape == begin.shape:
        if drop:
            x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
        x = layers.Add(name=f"{name}_add")([begin, x])
    return x


def network(name: str, size: int, top: bool = False, drop: float = 0.0) -> keras.Model:
    """The network in one piece, without nested models, and with random weights.

    Args:
        name: a key of `VARIANTS`.
        size: height and width of the images in pixels, at least 32.
        top: with ImageNet's 1,000 logits; else it ends in the 1,280 pooled features.
        drop: for the last block, see `block`; it grows from 0 in the first one.

    Returns:
        a model from float32 (batch, size, size, 3), RGB in [0, 1], to float32 (batch, 1280) or
        (batch, 1000).
    """
    stages = VARIANTS[name]
    images = keras.Input((size, size, 3), name="images")
    # It was trained on (x - 127) / 128 with pixels from 0 to 255.
    x = layers.Rescaling(255 / 128, -127 / 128, name="rescaling")(images)
    x = layers.Conv2D(STEM, 3, 2, padding="same", use_bias=False, name="stem")(x)
    x = normalised(x, "stem")
    count, blocks = 0, sum(stage.repeats for stage in stages)
    for stage in stages:
        for repeat in range(stage.repeats):
            strides = stage.strides if repeat == 0 else 1
            x = block(x, stage, strides, f"block{count}", drop * count / blocks)
            count += 1
    x = layers.Conv2D(HEAD, 1, use_bias=False, name="head")(x)
    x = normalised(x, "head")
    x = layers.GlobalAveragePooling2D(dtype="float32", name="features")(x)
    if top:
        x = layers.Dense(IMAGENET_CLASSES, dtype="float32", name="logits")(x)
    return keras.Model(images, x, name=name)


# ---------------------------------------------------------------- as models of the course

DROPOUT = 0.2  # of the features, before the last layer
DROP_BLOCKS = 0.1  # the share of training images for which the last block is left out


# Computed once, so full precision costs little.
@full_precision()
def backbone(name: str, size: int, weights: str = "none") -> tuple[keras.Model, str]:
    """The network up to its features, all weights frozen; see `backbones.backbone`.

    Args:
        name: a key of `VARIANTS`.
        size: height and width of its input, at least 32 pixels.
        weights: "random" gives random ones; whatever else WEIGHTS says, they are ImageNet's, which
            were installed with the course.

    Returns:
        the model from images in [0, 1] to features (batch, 1280); and "imagenet" or "random".
    """
    model = network(name, size)
    if weights != "random":
        load_imagenet(model)
    model.trainable = False
    return model, "random" if weights == "random" else "imagenet"


# In half precision depthwise convolutions are several times slower on a processor.
@full_precision()
def classifier(name: str, pretrained: bool, size: int, classes: int) -> keras.Model:
    """The network with a new last layer, in one piece.

    Args:
        name: a key of `VARIANTS`.
        pretrained: begin with ImageNet's weights; else with random ones.
        size: height and width of the images in pixels.
        classes: two give one sigmoid unit, more a softmax.
    """
    body = network(name, size, drop=DROP_BLOCKS)
    if pretrained:
        load_imagenet(body)
    x = layers.Dropout(DROPOUT)(body.output)
    return keras.Model(body.input, outputs(classes)(x), name=name)


def _frozen(name: str, about: str) -> Entry:
    weights = {"weights": "WEIGHTS"}
    build = partial(backbone, name)
    return Entry(build, "head", about, weights, (128,), pretrained=True, fine_tune=True)


LITE_0, LITE_2 = VARIANTS
MODELS = {
    LITE_0: _frozen(LITE_0, "EfficientNet-Lite0, frozen, then dense 128; installed with weights"),
    LITE_2: _frozen(LITE_2, "EfficientNet-Lite2, likewise: 1.1 times as wide, 1.2 times as deep"),
    "tuned_lite0": Entry(
        partial(classifier, LITE_0, True), "tuned", "Lite0, tuned on whole", pretrained=True
    ),
    "tuned_lite2": Entry(
        partial(classifier, LITE_2, True), "tuned", "Lite2, tuned on whole", pretrained=True
    ),
    "scratch_lite0": Entry(
        partial(classifier, LITE_0, False), "tuned", "as tuned_lite0, but from random weights"
    ),
}
