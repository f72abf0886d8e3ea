"""How many images a second EfficientNet-Lite trains on here, and what the time goes into.

    python tools/bench_lite.py [--size 128] [--batch 32] [--seconds 8] [--only TEXT]

Every line is a way to train a network on the same random images; the first steps, in which
TensorFlow makes its graph, are not counted. The second number, images for each second of one core's
work, can be compared also where other programs run beside it.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from lesions.networks import efficientnet_lite, quick
from lesions.networks.backend import keras, tf
from lesions.training.recipes import tuned

layers = keras.layers
HALF, FULL = "mixed_bfloat16", "float32"


def rates(step: Callable[[], object], images: int, seconds: float) -> tuple[float, float]:
    """Images a second, and a second of a core's work, of a step that takes `images` of them."""
    for _ in range(2):
        step()
    started, worked, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - started < seconds:
        step()
        done += images
    return done / (time.perf_counter() - started), done / (time.process_time() - worked)


def without(model: keras.Model, kind: str) -> keras.Model:
    """The same network with one kind of layer left out, to see what that kind costs."""

    def other(layer: keras.Layer) -> keras.Layer:
        if type(layer).__name__ != kind:
            return type(layer).from_config(layer.get_config())
        if kind == "DepthwiseConv2D":  # something cheap with an output of the same shape
            return layers.AveragePooling2D(1, layer.strides[0], padding="same")
        return layers.Activation("linear")

    return keras.models.clone_model(model, clone_function=other)


def training_rates(model: keras.Model, size: int, batch: int, seconds: float, jit: bool) -> tuple:
    """`rates` of whole training steps."""
    model.compile(keras.optimizers.AdamW(1e-3), "categorical_crossentropy", jit_compile=jit)
    random = np.random.default_rng(0)
    x = tf.constant(random.random((batch, size, size, 3), np.float32))
    y = tf.constant(np.eye(7, dtype=np.float32)[random.integers(7, size=batch)])
    iterator = iter(tf.data.Dataset.from_tensors((x, y)).repeat())
    model.make_train_function()
    return rates(lambda: model.train_function(iterator), batch, seconds)


def answering_rates(model: keras.Model, size: int, batch: int, seconds: float) -> tuple:
    """`rates` of answers only."""
    x = tf.random.stateless_uniform((batch, size, size, 3), [0, 0])
    answer = tf.function(lambda: model(x, training=False))
    return rates(lambda: answer().numpy(), batch, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--only", default="", help="lines with this in them")
    given = parser.parse_args()
    print(f"batches of {given.batch}\n\n| network | px | images/s | images a core's second |")
    print("|---|---|---|---|")

    def line(
        what: str, dtype: str = FULL, name: str = "efficientnet_lite0", size: int = given.size,
        fast: bool = True, frozen: int = 0, missing: str = "", jit: bool = False,
        learn: bool = True,
    ) -> None:  # fmt: skip
        if given.only not in what:
            return
        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        keras.config.set_dtype_policy(dtype)
        model = efficientnet_lite.classifier(name, False, size, 7)
        model = without(model, missing) if missing else model
        model = quick.quickened(model) if fast else model
        tuned.freeze_first(model, frozen)
        try:
            if learn:
                found = training_rates(model, size, given.batch, given.seconds, jit)
            else:
                found = answering_rates(model, size, given.batch, given.seconds)
            print(f"| {what} | {size} | {found[0]:.1f} | {found[1]:.1f} |", flush=True)
        except Exception as error:  # a bench says what does not work, and goes on
            print(f"| {what} | {size} | {str(error).splitlines()[0][:60]} | |", flush=True)

    line("lite0, Keras's layers", fast=False)
    line("lite0, Keras's layers, bfloat16", HALF, fast=False)
    line("lite0, Keras's layers, XLA", fast=False, jit=True)
    for kind in ("DepthwiseConv2D", "BatchNormalization", "ReLU"):
        line(f"lite0, Keras's layers, without {kind}", fast=False, missing=kind)
    line("lite0, quick layers")
    line("lite0, quick layers, bfloat16", HALF)
    for frozen in (1, 2, 3, 5, 11):
        line(f"lite0, quick layers, stem and {frozen} blocks frozen", frozen=frozen)
    for size in (112, 160):
        line("lite0, quick layers, stem and 2 blocks frozen", size=size, frozen=2)
    line("lite2, quick layers, stem and 2 blocks frozen", name="efficientnet_lite2", frozen=2)
    line("lite0, answers only", fast=False, learn=False)
    line("lite0, answers only, bfloat16", HALF, fast=False, learn=False)


if __name__ == "__main__":
    main()
