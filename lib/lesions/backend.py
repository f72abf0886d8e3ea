"""TensorFlow and Keras, imported once: quietly, and set to deterministic operations."""

import contextlib
import os
import sys
from collections.abc import Iterator


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


def set_precision(name: str) -> None:
    """What numbers layers compute with from now on; weights and losses stay float32.

    Args:
        name: a Keras dtype policy, or "auto": mixed_float16 on a GPU, else float32.
    """
    if name == "auto":
        name = "mixed_float16" if GPUS else "float32"
    keras.config.set_dtype_policy(name)


__all__ = [
    "FEW_STEPS",
    "GPUS",
    "keras",
    "quiet_stderr",
    "seed_everything",
    "set_precision",
    "strategy",
    "tf",
]
