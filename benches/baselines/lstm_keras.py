"""Seconds of LSTM(3) + Dense(5), MSE, Adam, on 26,000 x 6 x 97 f32 in Keras, and of wider nets; the peer of
benches/lstm.rs.

Usage: python3 lstm_keras.py [threads]
Install: pip install tensorflow-cpu. Prints one JSON line per task; skips, and says so on standard error, where Keras is
missing.
"""
import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
try:
    import keras
    import numpy as np
    import tensorflow as tf
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(0)

tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
tf.config.threading.set_inter_op_parallelism_threads(1)
rng = np.random.default_rng(1)
share = rng.gamma(0.5, 1.0, (26_000, 6, 97)).astype(np.float32)
share /= share.sum(2, keepdims=True)
score = share.mean(1) @ rng.standard_normal((97, 5)).astype(np.float32)
target = np.clip((score - score.mean(0)) / (3 * score.std(0)), -1, 1)


class Clock(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


def show(task, seconds):
    line = {"peer": f"keras {keras.__version__}", "task": task, "s": sorted(seconds)[len(seconds) // 2]}
    print(json.dumps(line), flush=True)


def clock_epochs(task, net, loss, batch, *data, repeats=3, **options):
    """The first epoch, in which the net is compiled, does not count."""
    net.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss)
    clock = Clock()
    net.fit(*data, batch_size=batch, epochs=1 + repeats, verbose=0, callbacks=[clock], **options)
    show(task, clock.seconds[1:])


def clock_predict(task, net, x, batch, repeats=3):
    seconds = []
    for _ in range(1 + repeats):
        start = time.perf_counter()
        net.predict(x, batch_size=batch, verbose=0)
        seconds.append(time.perf_counter() - start)
    show(task, seconds[1:])


keras.utils.set_random_seed(1)
for batch in (32, 256, 1024):
    net = keras.Sequential([keras.layers.Input((6, 97)), keras.layers.LSTM(3), keras.layers.Dense(5)])
    clock_epochs(f"epoch_{batch}", net, "mse", batch, share, target)
clock_predict("forward", net, share, len(share))
for units in (64, 128):
    lstm = [keras.layers.LSTM(units, return_sequences=True), keras.layers.LSTM(units)]
    wide = keras.Sequential([keras.layers.Input((6, 97)), *lstm, keras.layers.Dense(5)])
    clock_epochs(f"epoch_256_two_layers_of_{units}", wide, "mse", 256, share[:4_096], target[:4_096])

# The nets for the goals: categories in as one-hot features, a class at every step out.
samples, steps, sizes, classes = 1_024, 64, (97, 7, 31), 97
features = rng.random((samples, steps, 4), np.float32)
ids = np.stack([rng.integers(0, size, (samples, steps)) for size in sizes], 2).astype(np.int32)
labels = rng.integers(0, classes, (samples, steps)).astype(np.int32)
used = np.arange(steps)[None] < rng.integers(steps * 3 // 4, steps + 1, (samples, 1))


class OneHot(keras.layers.Layer):
    def call(self, features, ids):
        hot = [tf.one_hot(ids[:, :, v], size) for v, size in enumerate(sizes)]
        return tf.concat([features, *hot], 2)

    def compute_output_shape(self, features_shape, ids_shape):
        return (*features_shape[:2], features_shape[2] + sum(sizes))


for units in (64, 128):
    inputs = [keras.layers.Input((steps, 4)), keras.layers.Input((steps, len(sizes)), dtype="int32")]
    h = keras.layers.LSTM(units, return_sequences=True)(OneHot()(*inputs))
    h = keras.layers.LSTM(units, return_sequences=True)(keras.layers.Dropout(0.2)(h))
    goals = keras.Model(inputs, keras.layers.Dense(classes)(h))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    weights = {"sample_weight": used.astype(np.float32)}
    clock_epochs(f"goals_epoch_64_two_layers_of_{units}", goals, loss, 64, [features, ids], labels, **weights)
    clock_predict(f"goals_predict_two_layers_of_{units}", goals, [features, ids], samples)
