"""Seconds per epoch of LSTM(3) + Dense(5), MSE, Adam, on 26,000 x 6 x 97 f32 in Keras; the peer of benches/lstm.rs.

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


for batch in (32, 256, 1024):
    keras.utils.set_random_seed(1)
    net = keras.Sequential([keras.layers.Input((6, 97)), keras.layers.LSTM(3), keras.layers.Dense(5)])
    net.compile(optimizer=keras.optimizers.Adam(1e-2), loss="mse")
    clock = Clock()
    net.fit(share, target, batch_size=batch, epochs=4, verbose=0, callbacks=[clock])
    show(f"epoch_{batch}", clock.seconds[1:])
seconds = []
for _ in range(4):
    start = time.perf_counter()
    net.predict(share, batch_size=len(share), verbose=0)
    seconds.append(time.perf_counter() - start)
show("forward", seconds[1:])
