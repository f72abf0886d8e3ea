"""Layers that compute what Keras's own do, and learn twice as fast on a processor.

`tools/bench_lite.py` shows where the time goes. Keras 3 puts batch normalisation together from
single operations, and each of them reads and writes all of the pixels; TensorFlow has one operation
for the whole of it. And TensorFlow finds the gradient of 5 x 5 filters ten times slower than that
of 3 x 3 ones. A model learns with these layers and is kept with Keras's: they share their weights.
"""

from lesions.networks.backend import keras, tf

layers = keras.layers


class BatchNormalization(layers.BatchNormalization):
    """Keras's layer for images (batch, height, width, channels), by TensorFlow's one operation."""

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: None = None) -> tf.Tensor:
        learning = bool(training and self.trainable)
        result = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=[] if learning else self.moving_mean,
            variance=[] if learning else self.moving_variance,
            epsilon=self.epsilon,
            is_training=learning,
        )
        if learning:
            # It divides by n - 1, Keras by n.
            count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
            spread = result.batch_variance * (count - 1) / count
            for kept, new in (
                (self.moving_mean, result.batch_mean),
                (self.moving_variance, spread),
            ):
                kept.assign(kept * self.momentum + new * (1 - self.momentum))
        return result.y


def filter_gradient(
    x: tf.Tensor, kernel: tf.Tensor, wanted: tf.Tensor, strides: int, padding: str
) -> tf.Tensor:
    """The gradient of the kernel of a depthwise convolution, by TensorFlow."""
    return tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
        input=x,
        filter_sizes=kernel,
        out_backprop=wanted,
        strides=[1, strides, strides, 1],
        padding=padding,
    )


def five_by_five(x: tf.Tensor, wanted: tf.Tensor, strides: int) -> tf.Tensor:
    """The gradient of a 5 x 5 kernel, put together from those of its four 3 x 3 corners.

    Args:
        x: float32 (batch, height, width, channels), what came in.
        wanted: the gradient of what went out.
        strides: of the convolution, whose padding is "same".

    Returns:
        float32 (5, 5, channels, 1).
    """
    edges = [[0, 0]]
    for axis in (1, 2):
        needed = (wanted.shape[axis] - 1) * strides + 5 - x.shape[axis]
        edges.append([max(needed, 0) // 2, max(needed, 0) - max(needed, 0) // 2])
    padded = tf.pad(x, [*edges, [0, 0]])
    height, width = ((wanted.shape[axis] - 1) * strides + 3 for axis in (1, 2))

    def corner(top: int, left: int) -> tf.Tensor:
        seen = padded[:, top : top + height, left : left + width]
        return filter_gradient(seen, [3, 3, x.shape[-1], 1], wanted, strides, "VALID")

    # The corners overlap in the middle row and column, where either will do.
    rows = [tf.concat([corner(top, 0), corner(top, 2)[:, 1:]], axis=1) for top in (0, 2)]
    return tf.concat([rows[0], rows[1][1:]], axis=0)


class DepthwiseConv2D(layers.DepthwiseConv2D):
    """Keras's layer with padding "same" and no bias; only its kernel's gradient is its own."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        strides = self.strides[0]
        steps = [1, strides, strides, 1]

        @tf.custom_gradient
        def convolve(x: tf.Tensor, kernel: tf.Tensor) -> tuple:
            def gradient(wanted: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                before = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
                    input_sizes=tf.shape(x),
                    filter=kernel,
                    out_backprop=wanted,
                    strides=steps,
                    padding="SAME",
                )
                if self.kernel_size == (5, 5):
                    return before, five_by_five(x, wanted, strides)
                return before, filter_gradient(x, tf.shape(kernel), wanted, strides, "SAME")

            return tf.nn.depthwise_conv2d(x, kernel, steps, "SAME"), gradient

        return convolve(inputs, tf.convert_to_tensor(self.kernel))


QUICK = {kind.__name__: kind for kind in (BatchNormalization, DepthwiseConv2D)}


def quickened(model: keras.Model) -> keras.Model:
    """A copy of a flat functional model with the layers above; same names, same weights."""

    def other(layer: keras.Layer) -> keras.Layer:
        kind = QUICK.get(type(layer).__name__, type(layer))
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=other)
    copy.set_weights(model.get_weights())
    return copy
