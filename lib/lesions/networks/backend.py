"""TensorFlow and Keras, imported once: quietly, and set to deterministic operations."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Silence what compiled code writes to standard error; Python's own messages pass.

    TensorFlow's start-up lines carry times and processor names. They would stand in every
    notebook's output and differ on every machine.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with quiet_stderr():
    import keras
    import tensorflow as tf

    # Asking for the devices starts the runtime, which writes its lines now and not later.
    GPUS = tf.config.list_physical_devices("GPU")
    for gpu in GPUS:
        tf.config.experimental.set_memory_growth(gpu, True)

# Without this, warnings for developers of TensorFlow stand in the notebooks.
tf.get_logger().setLevel("ERROR")

# Operations whose result could depend on the order of threads take their deterministic form.
tf.config.experimental.enable_op_determinism()


# Keras turns a training step into a graph first, which takes one to three seconds a model and then
# makes every step faster. For fewer steps than this it does not pay.
FEW_STEPS = 40
# From this size on, in pixels, half precision was quicker for every convolutional network here.
LARGE_IMAGE = 96


def seed_everything(seed: int) -> None:
    """Fix Python's, NumPy's and TensorFlow's random numbers, and forget models built before.

    Keras numbers layers from the start of the process; without the reset, a model's names would
    depend on what was built before it.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)


def strategy() -> tf.distribute.Strategy:
    """How a model is spread over devices: over all GPUs where there are several, else not."""
    return tf.distribute.MirroredStrategy() if len(GPUS) > 1 else tf.distribute.get_strategy()


def has_half_units() -> bool:
    """Whether the processor itself computes in bfloat16; elsewhere that only costs time."""
    about = Path("/proc/cpuinfo")
    flags = about.read_text(encoding="utf-8").split() if about.exists() else []
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags)


def precision(name: str, size: int) -> str:
    """The Keras dtype policy to train with; `docs/engine.md` has the measurements behind it.

    Args:
        name: a policy, or "auto": mixed_float16 on a GPU; mixed_bfloat16 on a processor that
            computes in it, for images that are large enough to gain from it; else float32.
        size: height and width of the images in pixels.
    """
    if name != "auto":
        return name
    if GPUS:
        return "mixed_float16"
    return "mixed_bfloat16" if size >= LARGE_IMAGE and has_half_units() else "float32"


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Layers that are made inside compute in float32, whatever is set for the others."""
    kept = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(kept)


__all__ = [
    "FEW_STEPS",
    "GPUS",
    "full_precision",
    "has_half_units",
    "keras",
    "precision",
    "quiet_stderr",
    "seed_everything",
    "strategy",
    "tf",
]
