"""What makes training quick, measured side by side: `python tools/engine.py` prints tables.

Each way is a process of its own, so that its peak memory is known and no way profits from another.
The images are noise: how long an image takes does not depend on what it shows.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SIZE, BATCH, IMAGES = 128, 32, 960
EPOCHS = 10
ALL = 10_015
RATIO_TO = "one warp in tf.data (ours)"


def made_pixels(folder: Path, count: int, size: int) -> np.ndarray:
    """uint8 noise in a memory-mapped file, as the pixel cache is."""
    path = folder / "pixels.npy"
    file = np.lib.format.open_memmap(path, "w+", np.uint8, (count, size, size, 3))
    rng = np.random.default_rng(0)
    for start in range(0, count, 500):
        part = file[start : start + 500]
        part[:] = rng.integers(0, 255, part.shape, dtype=np.uint8)
    file.flush()
    return np.load(path, mmap_mode="r")


def ranges():
    """The default augmentation of the course."""
    from lesions.networks.augmentation import Augmentation
    from lesions.settings.parameters import Settings

    return Augmentation.of(Settings())


def peak_memory() -> float:
    """The most memory this process has held, in MB, without that of the one that started it."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(batches, images: int) -> float:
    """Images a second over a whole iteration; the first batch is warm-up and not counted."""
    steps = iter(batches)
    first = len(next(steps)[0])
    started = time.perf_counter()
    for _ in steps:
        pass
    return (images - first) / (time.perf_counter() - started)


# ---------------------------------------------------------------- augmentation


def layers_of_keras():
    """The five augmentations as five layers, in the ranges of our one warp."""
    from lesions.networks.backend import keras

    angle = 20 / 360
    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(angle, fill_mode="nearest"),
            keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
            keras.layers.RandomZoom(0.1, fill_mode="nearest"),
            keras.layers.RandomShear(0.18, 0.0, fill_mode="nearest"),
        ]
    )


def augmentation(way: str, folder: Path) -> dict:
    from lesions.networks import augmentation as ours
    from lesions.networks import input_pipeline
    from lesions.networks.backend import tf

    pixels = made_pixels(folder, IMAGES, SIZE)
    numbers, targets = np.arange(IMAGES), np.zeros((IMAGES, 1), np.float32)
    if way == "ImageDataGenerator (the paper's tool)":
        from tensorflow.keras.preprocessing.image import ImageDataGenerator

        made = ImageDataGenerator(
            rotation_range=20, width_shift_range=0.1, height_shift_range=0.1, zoom_range=0.1,
            shear_range=10, horizontal_flip=True, rescale=1 / 255,
        )  # fmt: skip
        flow = made.flow(np.array(pixels), targets, batch_size=BATCH, seed=0)
        return {"images/s": timed((flow[n] for n in range(len(flow))), IMAGES)}
    chosen = ranges() if way == RATIO_TO else None
    batches = input_pipeline.training_batches(pixels, numbers, targets, BATCH, 0, ranges=chosen)
    if way == "five Keras layers in tf.data":
        layers = layers_of_keras()
        batches = batches.map(lambda x, y: (layers(x, training=True), y))
    elif way == "five Keras layers, in the model":
        layers = layers_of_keras()
        step = tf.function(lambda x: layers(x, training=True))
        return {"images/s": timed(((step(x), y) for x, y in batches), IMAGES)}
    elif way == "one warp, in the model":
        seed, widest = tf.constant([0, 0]), ranges()
        step = tf.function(lambda x: ours.augment(x, widest, seed))
        return {"images/s": timed(((step(x), y) for x, y in batches), IMAGES)}
    return {"images/s": timed(batches, IMAGES)}


AUGMENTATION = (
    "none",
    RATIO_TO,
    "one warp, in the model",
    "five Keras layers in tf.data",
    "five Keras layers, in the model",
    "ImageDataGenerator (the paper's tool)",
)


def augmented_training(way: str, folder: Path) -> dict:
    """Training images a second of the baseline CNN, by where its images are augmented."""
    from lesions.networks import augmentation as ours
    from lesions.networks import convolutional, input_pipeline
    from lesions.networks.backend import keras, tf

    pixels = made_pixels(folder, IMAGES, SIZE)
    targets = np.eye(7, dtype=np.float32)[np.arange(IMAGES) % 7]
    widest, seed = ranges(), tf.constant([0, 0])
    network = convolutional.cnn(SIZE, 7)
    steps = {
        "one warp, in the model": keras.layers.Lambda(lambda x: ours.augment(x, widest, seed)),
        "five Keras layers, in the model": layers_of_keras(),
    }
    if way in steps:
        network = keras.Sequential([keras.Input((SIZE, SIZE, 3)), steps[way], network])
    network.compile("adam", "categorical_crossentropy")
    batches = input_pipeline.training_batches(
        pixels, np.arange(IMAGES), targets, BATCH, 0, range(3),
        ranges=widest if way == RATIO_TO else None,
    )  # fmt: skip
    ends: list[float] = []  # of the epochs; the first is warm-up
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
    network.fit(batches, epochs=3, steps_per_epoch=IMAGES // BATCH, callbacks=[note], verbose=0)
    return {"images/s": 2 * IMAGES / (ends[2] - ends[0])}


TRAINED = ("none", RATIO_TO, "one warp, in the model", "five Keras layers, in the model")


# ---------------------------------------------------------------- frozen backbones


def frozen(way: str, folder: Path) -> dict:
    """Seconds for `EPOCHS` epochs of a head on a frozen DenseNet121."""
    from lesions.networks import backbones, input_pipeline, pieces
    from lesions.networks.backend import keras
    from lesions.splits import encoding
    from lesions.training import features, heads, split_data

    count, size = 320, 64
    pixels = made_pixels(folder, count, size)
    targets = encoding.one_hot(np.arange(count) % 7, 7)
    network, _ = backbones.backbone("densenet121", size, "none")
    started = time.perf_counter()
    if way.startswith("features once"):
        import pandas as pd

        found = features.of_all_images(network, pixels, "bench")
        rows = pd.DataFrame({"split": np.where(np.arange(count) < 256, "train", "validation")})
        rows["label"] = [str(n % 7) for n in range(count)]
        data = split_data.Data(rows, pixels, np.arange(count), list("0123456"), targets)
        heads.fit_head(
            network, found, data, "bench", units=(128,), epochs=EPOCHS, patience=EPOCHS,
            rate=1e-3, batch_size=BATCH, seed=0, lines=0,
        )  # fmt: skip
    else:
        head = pieces.head(np.zeros((2, 1024), np.float32), 7, (128,))
        whole = keras.Sequential([keras.Input((size, size, 3)), network, head])
        whole.compile("adam", "categorical_crossentropy")
        train = input_pipeline.training_batches(
            pixels, np.arange(256), targets[:256], BATCH, 0, range(EPOCHS)
        )
        held = input_pipeline.batches(pixels, np.arange(256, count), targets[256:], BATCH)
        whole.fit(train, validation_data=held, epochs=EPOCHS, steps_per_epoch=8, verbose=0)
    return {"seconds": time.perf_counter() - started}


FROZEN = (f"the usual way, {EPOCHS} epochs", f"features once, then the head, {EPOCHS} epochs")


# ---------------------------------------------------------------- switches


def switch(way: str, folder: Path, model: str, size: int) -> dict:
    """Training images a second of one model with one switch turned."""
    if way == "without oneDNN":
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    from lesions.networks import registry
    from lesions.networks.backend import keras, tf
    from lesions.settings.parameters import Settings

    if way == "one thread":
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    if way == "mixed_bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    keras.utils.set_random_seed(0)
    network = registry.build(model, size, 7, Settings())
    network.compile(
        keras.optimizers.Adam(1e-3),
        "categorical_crossentropy",
        jit_compile=way == "XLA",
        steps_per_execution=10 if way == "10 steps an execution" else 1,
    )
    rng = np.random.default_rng(0)
    images = rng.random((BATCH * 10, size, size, 3), dtype=np.float32)
    targets = np.eye(7, dtype=np.float32)[np.arange(len(images)) % 7]
    data = tf.data.Dataset.from_tensor_slices((images, targets)).batch(BATCH)
    network.fit(data, epochs=1, verbose=0)
    started = time.perf_counter()
    logs = network.fit(data, epochs=2, verbose=0)
    rate = 2 * len(images) / (time.perf_counter() - started)
    return {"images/s": rate, "loss after 3 epochs": float(logs.history["loss"][-1])}


SWITCHES = (
    "float32", "mixed_bfloat16", "XLA", "without oneDNN", "one thread", "10 steps an execution"
)  # fmt: skip
MODELS = ("fcnn_l2", "cnn", "compact_cnn")
SIZES = (64, 128)


# ---------------------------------------------------------------- memory


def memory(way: str, folder: Path) -> dict:
    """One epoch over as many images as HAM10000 has."""
    from lesions.networks import input_pipeline

    pixels = np.load(folder / "pixels.npy", mmap_mode="r")
    before = peak_memory()
    numbers, targets = np.arange(ALL), np.zeros((ALL, 1), np.float32)
    batches = input_pipeline.training_batches(pixels, numbers, targets, BATCH, 0, ranges=ranges())
    return {"images/s": timed(batches, ALL), "MB before": before}


# ---------------------------------------------------------------- side by side


def measure(kind: str, way: str, folder: Path, model: str = "", size: int = SIZE) -> dict:
    """Run one way in a process of its own; its numbers and its peak memory."""
    command = [sys.executable, __file__, "--kind", kind, "--way", way, "--model", model]
    command += ["--size", str(size)]
    done = subprocess.run(
        [*command, "--folder", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1][:80]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(
    title: str, kind: str, ways: tuple, first: str, number: str, folder: Path, model="", size=SIZE
):
    found = {way: measure(kind, way, folder, model, size) for way in ways}
    print(f"\n**{title}**\n\n| way | {number} | ratio | peak memory, MB | |\n|---|--:|--:|--:|---|")
    for way, numbers in found.items():
        if "failed" in numbers:
            print(f"| {way} | failed | | | {numbers['failed']} |")
            continue
        value, base = numbers.pop(number), found[first].get(number, 0) or np.nan
        if way == first:
            base = value
            found[first] = {number: value}
        peak = numbers.pop("peak")
        rest = ", ".join(f"{name} {x:.3f}" for name, x in numbers.items())
        print(f"| {way} | {value:,.1f} | {value / base:.2f} | {peak:,.0f} | {rest} |", flush=True)


def alone(kind: str, way: str, folder: Path, model: str, size: int) -> None:
    """The process that measures: one line of JSON at its end."""
    runs: dict[str, Callable] = {"augmentation": augmentation, "frozen": frozen, "memory": memory,
                                 "augmented training": augmented_training}  # fmt: skip
    found = runs[kind](way, folder) if kind in runs else switch(way, folder, model, size)
    found["peak"] = peak_memory()
    print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("kind", "way", "model", "folder"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--size", type=int, default=SIZE)
    given = parser.parse_args()
    if given.kind:
        alone(given.kind, given.way, Path(given.folder), given.model, given.size)
        return
    import keras
    import tensorflow as tf

    print(f"TensorFlow {tf.__version__}, Keras {keras.__version__}, {os.cpu_count()} cores, "
          f"{platform.machine()}.")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table(f"Augmentation, {SIZE} px, batches of {BATCH}", "augmentation", AUGMENTATION,
              RATIO_TO, "images/s", folder)  # fmt: skip
        table(f"The baseline CNN trained with it, {SIZE} px", "augmented training", TRAINED,
              RATIO_TO, "images/s", folder)  # fmt: skip
        table("A head on a frozen DenseNet121, 320 images of 64 px", "frozen", FROZEN, FROZEN[0],
              "seconds", folder)  # fmt: skip
        for model in MODELS:
            for size in SIZES:
                table(f"Switches, {model}, {size} px", "switch", SWITCHES, SWITCHES[0], "images/s",
                      folder, model, size)  # fmt: skip
        made_pixels(folder, ALL, SIZE)
        way = f"one epoch of {ALL:,} images at {SIZE} px, augmented"
        table("Memory", "memory", (way,), way, "images/s", folder)


if __name__ == "__main__":
    main()
