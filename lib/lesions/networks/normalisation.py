"""Batch normalisation learns how its inputs lie; how fast must fit the number of training steps.

In training a layer scales by the mean and the variance of the batch at hand. To predict, it uses
running averages of these, and each step moves them by a share 1 - momentum. They begin at 0 and 1,
which has nothing to do with the images. With Keras's usual momentum of 0.99, half of that is still
there after 69 steps and a hundredth after 458; a network that is asked earlier predicts with
averages that mean nothing, and tends to answer one class.
"""

from collections.abc import Iterator

from lesions.networks.backend import keras

LEFT = 0.01  # what may be left of the values that the averages began with
USUAL = 0.99  # Keras's; for more than 458 steps an epoch it is quick enough


def momentum(steps: int) -> float:
    """The momentum with which a hundredth of the beginning is left after some steps.

    Args:
        steps: training steps until the network is first asked: those of one epoch, because the
            validation part is predicted after each.

    Returns:
        from 0 to 0.99; 31 steps (1,000 images in batches of 32) give 0.86.
    """
    return min(USUAL, LEFT ** (1 / max(1, steps)))


def layers_of(model: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    """The layers of batch normalisation in a model, also in the models that stand in it."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            yield layer


def fit_momentum(model: keras.Model, steps: int) -> float:
    """Give every layer of batch normalisation the `momentum` for a number of steps.

    `fitting.fit` does so for all models. Frozen layers keep their averages whatever it is.

    Args:
        model: is changed; call this before `compile`.
        steps: as in `momentum`.

    Returns:
        the momentum.
    """
    found = momentum(steps)
    for layer in layers_of(model):
        layer.momentum = found
    return found
