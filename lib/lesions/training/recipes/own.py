"""How our own networks are trained from scratch: what is usual by now, a line each.

The paper learns with one step size and sees each image one way up. Here the step size rises and
falls, labels are smoothed, the weights are averaged over the last steps, and images are turned by
quarters too. Each training image is taken once an epoch, in the class shares that nature has: rare
ones are not repeated, which would show the network the same few images over and over. What answer
serves rare classes best is decided afterwards, on the validation part (06).
"""

from dataclasses import replace

from lesions.networks import pieces, registry
from lesions.networks.augmentation import Augmentation
from lesions.networks.backend import keras
from lesions.settings.parameters import Settings
from lesions.training.fitting import fit
from lesions.training.split_data import Data, image_sets
from lesions.training.trained import Trained

EACH_IMAGE_ONCE = True
BATCH = 64
PEAK_RATE = 2e-3
WEIGHT_DECAY = 0.05
LABEL_SMOOTHING = 0.1


def optimizer(
    steps: int, peak: float = PEAK_RATE, decay: float = WEIGHT_DECAY
) -> keras.optimizers.Optimizer:
    """AdamW; the step size rises for a tenth of the steps, then falls to nothing as a cosine does.

    It also keeps an average of the weights over about the last twentieth of the steps, which Keras
    puts in their place at the end of the training.
    """
    rise = max(1, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        peak / 100, max(1, steps - rise), warmup_target=peak, warmup_steps=rise
    )
    found = keras.optimizers.AdamW(
        rate, weight_decay=decay, use_ema=True, ema_momentum=1 - 1 / max(10, steps // 20)
    )
    # Decay is for the weights that multiply; to shrink shifts and scales helps nothing.
    found.exclude_from_weight_decay(var_names=["beta", "gamma", "bias"])
    return found


def smoothed_loss(classes: int, smoothing: float = LABEL_SMOOTHING) -> keras.losses.Loss:
    """Cross-entropy that asks for a little less than certainty."""
    kind = keras.losses.BinaryCrossentropy if classes == 2 else keras.losses.CategoricalCrossentropy
    return kind(label_smoothing=smoothing)


def train(name: str, data: Data, settings: Settings, label: str) -> Trained:
    """Takes a model that is built from the images' size and the number of classes.

    OWN_EPOCHS is how long. There is no early stopping: the cosine has to reach its end.
    """
    classes, once = len(data.classes), len(data.each_image_once("train"))
    model = registry.build(name, settings.IMAGE_SIZE, classes, settings)
    taken = min(once, settings.EPOCH_SAMPLES or once)
    ranges = replace(Augmentation.of(settings), quarter_turns=True) if settings.AUGMENT else None
    history = fit(
        model,
        *image_sets(
            data, BATCH, settings.SEED, settings.EPOCH_SAMPLES, ranges, once=EACH_IMAGE_ONCE
        ),
        label=label,
        loss=smoothed_loss(classes),
        epochs=settings.OWN_EPOCHS,
        patience=0,
        optimizer=optimizer(settings.OWN_EPOCHS * -(-taken // BATCH)),
        unfinished=data.unfinished,
    )
    return Trained(pieces.with_mirror_images(model), history, "scratch")
