"""Writes callbacks.json beside itself: what Keras's callbacks do under given validation losses.

Made with keras 3.15.1 and tensorflow-cpu 2.21.0, Python 3.11: python callbacks.py
"""
import json
import pathlib

import keras
import numpy as np

EPOCHS, RATE = 24, 0.5
rng = np.random.default_rng(3)
CURVES = [
    [1.0] * EPOCHS,
    list(np.linspace(2.0, 1.0, EPOCHS)),
    list(np.linspace(1.0, 2.0, EPOCHS)),
    [3.0, 2.0, 1.0, 1.5, 1.25, 0.5, 0.75, 0.5, 0.625, 0.25] + [0.5] * (EPOCHS - 10),
    *(list(np.exp(-np.arange(EPOCHS) / 8) + rng.uniform(0, 0.5, EPOCHS)) for _ in range(3)),
]


def run(losses, patience, factor):
    """Rates of all epochs under ReduceLROnPlateau; epochs until EarlyStopping stops, and the best of them."""
    net = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    net.compile(optimizer=keras.optimizers.SGD(RATE), loss="mse")
    plateau = keras.callbacks.ReduceLROnPlateau(patience=patience, factor=factor, min_delta=0, cooldown=0, min_lr=0)
    stopping = keras.callbacks.EarlyStopping(patience=patience, min_delta=0)
    for callback in plateau, stopping:
        callback.set_model(net)
        callback.on_train_begin()
    rates, stopped = [], None
    for epoch, loss in enumerate(losses):
        rates.append(float(net.optimizer.learning_rate.numpy()))
        for callback in plateau, stopping:
            callback.on_epoch_end(epoch, {"val_loss": loss})
        if net.stop_training and stopped is None:
            stopped = {"epochs": epoch + 1, "best": int(stopping.best_epoch)}
    stopped = stopped or {"epochs": len(losses), "best": int(stopping.best_epoch)}
    return {"losses": [float(loss) for loss in losses], "patience": patience, "factor": factor, "rates": rates, **stopped}


cases = [run(losses, patience, 0.5) for losses in CURVES for patience in (0, 1, 2, 5)]
golden = {"versions": {"keras": keras.__version__}, "rate": RATE, "cases": cases}
(pathlib.Path(__file__).parent / "callbacks.json").write_text(json.dumps(golden))
