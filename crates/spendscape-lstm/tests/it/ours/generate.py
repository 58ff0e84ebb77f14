"""Opens the files that the crate wrote, in PyTorch and in Keras, and writes what the nets give to golden.json.

SPENDSCAPE_WRITE_MODELS=1 cargo test -p spendscape-lstm ours && python generate.py

Made with torch 1.13.1 (python3-torch 1.13.1+dfsg-4 of Debian 12, which calls itself 1.13.0a0), keras 3.15.1,
tensorflow-cpu 2.21.0 and safetensors 0.8.0, Python 3.11.
"""
import json
import pathlib

import keras
import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

N, T, C, UPPER, LOWER, HIDDEN, P = 9, 6, 7, 4, 5, 3, 2
HERE = pathlib.Path(__file__).parent


class Net(torch.nn.Module):
    """Both LSTM layers, one nn.LSTM each because their widths differ, and the dense layers under our file's names."""

    def __init__(self, state):
        super().__init__()
        self.lower, self.upper = (torch.nn.LSTM(*dims, batch_first=True) for dims in ((C, LOWER), (LOWER, UPPER)))
        self.dense = torch.nn.ModuleList([torch.nn.Linear(UPPER, HIDDEN), torch.nn.Linear(HIDDEN, P)])
        names = {name: name.replace("lstm.", "upper.").replace("_l1", "_l0") if "_l1" in name else
                 name.replace("lstm.", "lower.") for name in state}
        self.load_state_dict({names[name]: values for name, values in state.items()}, strict=True)

    def forward(self, x):
        hidden = self.upper(self.lower(x)[0])[0][:, -1]
        return self.dense[1](torch.tanh(self.dense[0](hidden)))


class Even(torch.nn.Module):
    """A stacked nn.LSTM, whose tensors have our file's names as they are."""

    def __init__(self, state):
        super().__init__()
        self.lstm = torch.nn.LSTM(C, UPPER, 2, batch_first=True)
        self.dense = torch.nn.ModuleList([torch.nn.Linear(UPPER, P)])
        self.load_state_dict(state, strict=True)

    def forward(self, x):
        return self.dense[0](self.lstm(x)[0][:, -1])


def in_keras(state):
    keras.utils.clear_session()
    net = keras.Sequential([
        keras.layers.Input((T, C)),
        keras.layers.LSTM(LOWER, return_sequences=True),
        keras.layers.LSTM(UPPER),
        keras.layers.Dense(HIDDEN, activation="tanh"),
        keras.layers.Dense(P),
    ], name="net")
    variables = {v.path.removeprefix("net/"): v for v in net.weights}
    assert variables.keys() == state.keys(), (variables.keys(), state.keys())
    for name, values in state.items():
        variables[name].assign(values)
    return net


x = np.random.default_rng(5).uniform(-1, 1, (N, T, C)).astype(np.float32)


def flat(values):
    return np.asarray(values).astype(float).flatten().tolist()


with torch.no_grad():
    inputs = torch.from_numpy(x)
    outputs = {
        "pytorch": flat(Net(safetensors.torch.load_file(HERE / "pytorch.safetensors"))(inputs)),
        "pytorch_stacked": flat(Even(safetensors.torch.load_file(HERE / "pytorch_stacked.safetensors"))(inputs)),
    }
outputs["keras"] = flat(in_keras(safetensors.numpy.load_file(HERE / "keras.safetensors"))(x))
versions = {"torch": torch.__version__, "keras": keras.__version__}
(HERE / "golden.json").write_text(json.dumps({"versions": versions, "x": flat(x), "outputs": outputs}))
