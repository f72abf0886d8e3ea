"""Five explanations: maps that say how much each pixel of an image mattered to an answer.

Each takes a network that gives scores, float32 images (n, size, size, 3) in [0, 1] and one class an
image, int (n,), and returns maps, float32 (n, size, size). Above 0 speaks for the class, below 0
against it; `gradient` and `grad_cam` have no sign.
"""

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.networks.backend import FEW_STEPS, keras, tf

BATCH = 128
OFF = 0.02  # how far integrated gradients may be from adding up, as a share

Method = Callable[[keras.Model, np.ndarray, np.ndarray], np.ndarray]

# ---------------------------------------------------------------- what a network says


def in_batches(function: Callable, *arrays: np.ndarray, batch: int = BATCH) -> np.ndarray:
    """`function` on slices of arrays of equal length, put together again."""
    starts = range(0, len(arrays[0]), batch)
    parts = [np.asarray(function(*(a[i : i + batch] for a in arrays))) for i in starts]
    return np.concatenate(parts).astype(np.float32)


def class_scores(model: keras.Model, images: np.ndarray, many: bool = False) -> np.ndarray:
    """Scores of all classes, float32 (n, classes); `many`: it pays to make a graph first."""
    if many or getattr(model, "predict_function", None):
        return in_batches(model.predict_on_batch, images)
    return in_batches(lambda x: model(x, training=False), images)


def probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Probabilities of all classes, float32 (n, classes)."""
    return np.asarray(tf.nn.softmax(class_scores(model, images)))


def slopes(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The gradient of each image's class score by its pixels, float32 as `images`."""

    def of(x: np.ndarray, c: np.ndarray) -> tf.Tensor:
        x = tf.convert_to_tensor(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            score = tf.gather(model(x, training=False), c, batch_dims=1)
        return tape.gradient(score, x)

    return in_batches(of, images, classes)


# ---------------------------------------------------------------- gradients


def gradient(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """How fast the class's score changes with each pixel: the largest of its three colours.

    Simonyan, Vedaldi and Zisserman (2013), section 3.
    """
    return np.abs(slopes(model, images, classes)).max(axis=-1)


def integrated_gradients(
    model: keras.Model, images: np.ndarray, classes: np.ndarray, steps: int = 32, most: int = 256
) -> np.ndarray:
    """The gradient, averaged on the way from an image without anything in it, times the way.

    It begins at an even image of the same mean colour; what the pixels get adds up to the score's
    change along the way (Sundararajan, Taly and Yan 2017, equation 1, proposition 1). As long as
    it does not, on the median image, those that are off get twice as many steps, `most` at most.
    """
    found = _along_the_way(model, images, classes, steps)
    while steps < most:
        error = completeness_error(model, images, classes, found)
        if np.median(error) <= OFF:
            break
        far, steps = error > OFF, 2 * steps
        found[far] = _along_the_way(model, images[far], classes[far], steps)
    return found


def _along_the_way(
    model: keras.Model, images: np.ndarray, classes: np.ndarray, steps: int
) -> np.ndarray:
    start = start_image(images)
    # Gauss and Legendre's points: the most exact sum of so many.
    points, weights = np.polynomial.legendre.leggauss(steps)
    mean = np.zeros_like(images)
    for point, weight in track(list(zip(points, weights, strict=True)), "integrated gradients"):
        between = start + np.float32((point + 1) / 2) * (images - start)
        mean += np.float32(weight / 2) * slopes(model, between, classes)
    return (mean * (images - start)).sum(axis=-1)


def start_image(images: np.ndarray) -> np.ndarray:
    """Even images of the same mean colours, float32 (n, size, size, 3)."""
    return np.broadcast_to(images.mean(axis=(1, 2), keepdims=True), images.shape)


def completeness_error(
    model: keras.Model, images: np.ndarray, classes: np.ndarray, maps: np.ndarray
) -> np.ndarray:
    """How far integrated gradients are from adding up, as a share of the score's change, (n,)."""
    rows = np.arange(len(images))
    ends = [class_scores(model, np.ascontiguousarray(x)) for x in (images, start_image(images))]
    change = (ends[0] - ends[1])[rows, classes]
    return np.abs(maps.sum(axis=(1, 2)) - change) / np.maximum(np.abs(change), 1e-6)


# ---------------------------------------------------------------- the last layer that knows places


def last_places(model: keras.Model) -> str:
    """The name of the last layer whose output still has places, (n, height, width, channels)."""
    for layer in reversed(model.layers):
        shape = tuple(layer.output.shape)
        if len(shape) == 4 and min(shape[1:3]) > 1:
            return layer.name
    raise LesionsError(
        f"{model.name} has no layer with places left in it, so Grad-CAM has nothing to weigh: "
        "use a convolutional network, or another method."
    )


def grad_cam(
    model: keras.Model, images: np.ndarray, classes: np.ndarray, layer: str = ""
) -> np.ndarray:
    """The channels of a late layer, each weighted by its mean gradient; what is left above 0.

    Selvaraju and others (2017), equations 1 and 2. Drawn large: coarse and smooth by construction.
    """
    places = model.get_layer(layer or last_places(model)).output
    both = keras.Model(model.input, [places, model.output])

    def cells(x: np.ndarray, c: np.ndarray) -> tf.Tensor:
        with tf.GradientTape() as tape:
            channels, scores = both(x, training=False)
            score = tf.gather(scores, c, batch_dims=1)
        weights = tf.reduce_mean(tape.gradient(score, channels), axis=(1, 2), keepdims=True)
        return tf.nn.relu(tf.reduce_sum(weights * channels, axis=-1))

    return enlarged(in_batches(cells, images, classes), images.shape[1])


def enlarged(cells: np.ndarray, size: int) -> np.ndarray:
    """Small maps (n, h, w) drawn at (n, size, size), with smooth steps between the cells."""
    return np.stack([cv2.resize(c, (size, size), interpolation=cv2.INTER_LINEAR) for c in cells])


# ---------------------------------------------------------------- asking without looking inside


def occlusion(
    model: keras.Model, images: np.ndarray, classes: np.ndarray, patch: int = 0, step: int = 0
) -> np.ndarray:
    """How much the score falls when a square is covered: the mean over all squares on a pixel.

    Zeiler and Fergus (2014), section 4.2.

    Args:
        patch: the square's side in pixels; 0: an eighth of the image's.
        step: from one square to the next; 0: three quarters of a square.
    """
    size, rows = images.shape[1], np.arange(len(images))
    patch = patch or max(2, size // 8)
    step = step or max(1, patch * 3 // 4)
    starts = sorted({*range(0, size - patch, step), size - patch})
    squares = np.zeros((len(starts) ** 2, size, size), np.float32)
    for number, (top, left) in enumerate((t, s) for t in starts for s in starts):
        squares[number, top : top + patch, left : left + patch] = 1
    whole = class_scores(model, images)[rows, classes]
    fall = whole - covered_scores(model, images, 1 - squares, "occlusion")[:, rows, classes]
    return np.einsum("kn,khw->nhw", fall, squares) / squares.sum(axis=0)


def covered_scores(
    model: keras.Model, images: np.ndarray, seen: np.ndarray, label: str
) -> np.ndarray:
    """Scores of every image under every mask, float32 (masks, n, classes).

    Args:
        seen: float32 (masks, size, size), 1 where an image is seen, 0 where its mean colour is.
    """
    fill, found = start_image(images), []
    together = max(1, 2 * BATCH // len(images))  # masks a call: a call has its price
    many = len(seen) * len(images) >= FEW_STEPS * BATCH
    for start in track(range(0, len(seen), together), label):
        part = seen[start : start + together, None, ..., None]
        covered = (fill + part * (images - fill)).reshape(-1, *images.shape[1:])
        scores = class_scores(model, covered, many)
        found.append(scores.reshape(part.shape[0], len(images), -1))
    return np.concatenate(found)


def rise(
    model: keras.Model,
    images: np.ndarray,
    classes: np.ndarray,
    masks: int = 200,
    cells: int = 8,
    seed: int = 0,
) -> np.ndarray:
    """Many random halves of the image are covered; a pixel's worth is the answer when it is seen.

    Petsiuk, Das and Saenko (2018), equation 6, less the mean answer, so that 0 means "no matter".
    """
    rows, rng = np.arange(len(images)), np.random.default_rng(seed)
    seen = np.stack([random_mask(images.shape[1], cells, rng) for _ in range(masks)])
    scores = covered_scores(model, images, seen, "RISE")
    answers = np.asarray(tf.nn.softmax(scores))[:, rows, classes]
    distance = answers - answers.mean(axis=0)
    return np.einsum("kn,khw->nhw", distance, seen) / seen.sum(axis=0)


def random_mask(size: int, cells: int, rng: np.random.Generator) -> np.ndarray:
    """A coarse board of seen (1) and covered (0) cells, half and half, shifted; smooth between."""
    board = (rng.random((cells + 1, cells + 1)) < 0.5).astype(np.float32)
    cell = -(-size // cells)
    large = cv2.resize(board, ((cells + 1) * cell,) * 2, interpolation=cv2.INTER_LINEAR)
    top, left = rng.integers(0, cell, 2)
    return large[top : top + size, left : left + size]


METHODS: Mapping[str, Method] = {
    "gradient": gradient,
    "integrated gradients": integrated_gradients,
    "Grad-CAM": grad_cam,
    "occlusion": occlusion,
    "RISE": rise,
}


def explain(
    model: keras.Model,
    images: np.ndarray,
    classes: np.ndarray,
    methods: Sequence[str] = tuple(METHODS),
) -> dict[str, np.ndarray]:
    """The maps of several methods, by name.

    Args:
        model: from `opened.with_scores`.
        images: float32 (n, size, size, 3) in [0, 1].
        classes: int (n,), which class's score is explained.

    Raises:
        LesionsError: a method is unknown, or the images are not of this form.
    """
    unknown = [name for name in methods if name not in METHODS]
    if unknown:
        raise LesionsError(f"Unknown method {unknown[0]!r}; there are {', '.join(METHODS)}.")
    if images.ndim != 4 or images.dtype != np.float32 or images.max(initial=0) > 1.001:
        raise LesionsError(
            f"Explanations want float32 images (n, size, size, 3) in [0, 1]; got {images.dtype} "
            f"{images.shape}: divide the pixels by 255."
        )
    return {name: METHODS[name](model, images, np.asarray(classes)) for name in methods}
