"""Writes model.safetensors and golden.json beside itself: a small net trained in Keras, and what it predicts.

Made with keras 3.15.1, tensorflow-cpu 2.21.0 and safetensors 0.8.0, Python 3.11: python generate.py
"""
import json
import pathlib

import keras
import numpy as np
import safetensors.numpy
import tensorflow as tf

keras.utils.set_random_seed(21)
N, T, C, P = 40, 5, 7, 2
HERE = pathlib.Path(__file__).parent

rng = np.random.default_rng(21)
x = rng.uniform(-1, 1, (N, T, C)).astype(np.float32)
y = (x.mean(1) @ rng.standard_normal((C, P))).astype(np.float32)
net = keras.Sequential([
    keras.layers.Input((T, C)),
    keras.layers.LSTM(5, return_sequences=True),
    keras.layers.LSTM(3),
    keras.layers.Dense(4, activation="tanh"),
    keras.layers.Dense(P),
])
net.compile(optimizer=keras.optimizers.Adam(1e-2), loss="mse")
net.fit(x, y, batch_size=8, epochs=30, verbose=0)
# The generators of dropout's seeds are variables too, but no weights.
weights = {v.path: v.numpy() for v in net.weights if v.dtype == "float32"}
safetensors.numpy.save_file(weights, HERE / "model.safetensors")
golden = {
    "versions": {"keras": keras.__version__, "tensorflow": tf.__version__},
    "dims": [N, T, C, P],
    "x": x.astype(float).flatten().tolist(),
    "outputs": np.asarray(net(x)).astype(float).flatten().tolist(),
}
(HERE / "golden.json").write_text(json.dumps(golden))
