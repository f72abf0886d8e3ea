"""How a network that knows ImageNet is trained on, whole: our best model of images alone.

The paper puts a head on a frozen network. Here all of it learns but for its first layers, by the
means of `own`: a step size that rises and falls, smoothed labels, an average of the weights, each
image once an epoch. Its augmentation is stronger, and its answer the mean over eight views.
"""

from lesions.networks import pieces, quick, registry
from lesions.networks.augmentation import Augmentation
from lesions.networks.backend import full_precision, keras
from lesions.settings.parameters import Settings
from lesions.training.fitting import fit
from lesions.training.recipes.own import optimizer, smoothed_loss
from lesions.training.split_data import Data, image_sets
from lesions.training.trained import Trained

EACH_IMAGE_ONCE = True
BATCH = 32
PEAK_RATE = 1e-3
LABEL_SMOOTHING = 0.05
FROZEN_BLOCKS = 2  # they see edges and colours, and cost most: their images are the largest
# A lens that is laid on the skin has no up; and lamps and cameras differ.
RANGES = Augmentation(
    rotation=45.0, shift=0.08, zoom=0.2, shear=8.0, flip=True, quarter_turns=True, colour=0.1
)


def freeze_first(model: keras.Model, blocks: int) -> None:
    """Keep the stem and so many blocks as they are, their averages too; 0: freeze nothing."""
    first = ("stem", *(f"block{number}_" for number in range(blocks))) if blocks else ()
    for layer in model.layers:
        layer.trainable = not layer.name.startswith(first)


@full_precision()
def train(name: str, data: Data, settings: Settings, label: str) -> Trained:
    """Takes a model of `efficientnet_lite`, from the images' size and the number of classes.

    TUNE_EPOCHS is how long. There is no early stopping: the cosine has to reach its end.
    """
    pretrained = registry.entry(name).pretrained
    classes, once = len(data.classes), len(data.each_image_once("train"))
    model = registry.build(name, settings.IMAGE_SIZE, classes, settings)
    learner = quick.quickened(model)
    freeze_first(learner, FROZEN_BLOCKS if pretrained else 0)
    taken = min(once, settings.EPOCH_SAMPLES or once)
    ranges = RANGES if settings.AUGMENT else None
    history = fit(
        learner,
        *image_sets(
            data, BATCH, settings.SEED, settings.EPOCH_SAMPLES, ranges, once=EACH_IMAGE_ONCE
        ),
        label=label,
        loss=smoothed_loss(classes, LABEL_SMOOTHING),
        epochs=settings.TUNE_EPOCHS,
        patience=0,
        optimizer=optimizer(settings.TUNE_EPOCHS * -(-taken // BATCH), PEAK_RATE),
        unfinished=data.unfinished,
    )
    for ours, theirs in zip(model.layers, learner.layers, strict=True):
        ours.set_weights(theirs.get_weights())
    model = pieces.with_eight_views(model)
    return Trained(model, history, "imagenet" if pretrained else "scratch")
