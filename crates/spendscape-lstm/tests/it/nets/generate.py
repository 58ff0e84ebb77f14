"""Recurrent nets as Keras, PyTorch and ONNX's tools write them, with the states that Keras, PyTorch and onnxruntime compute.

Usage: python3 generate.py    (writes *.safetensors, *.onnx and states.json beside itself)
Made with keras 3.15 (TensorFlow 2.21), torch 2.15 (CPU), onnx 1.23 and onnxruntime 1.32, in f64, but the ONNX files in f32. States
are those after each of STEPS steps from zero under a held input; `end` is the last of END steps under it, where
it has settled (a state of an LSTM is its h and its c, layer by layer).
"""
import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

HERE = pathlib.Path(__file__).parent
STEPS, END, WIDTH, UNITS = 6, 2_000, 2, 3
INPUT = [0.75, -0.5]
keras.config.set_floatx("float64")
keras.utils.set_random_seed(3)
torch.manual_seed(3)
torch.set_default_dtype(torch.float64)
random = np.random.default_rng(3)
states = {}


def held(steps):
    return np.tile(np.array(INPUT), (1, steps, 1))


def keras_states(layer, steps):
    """States after 1 .. `steps` steps, h beside c."""
    sequence, *last = layer(held(steps))
    if len(last) == 1:
        return sequence.numpy()[0]
    rows = []
    for step in range(1, steps + 1):
        _, h, c = layer(held(step))
        rows.append(np.concatenate([h.numpy()[0], c.numpy()[0]]))
    return np.array(rows)


def settled(after):
    """The state after END steps, if a further one changes nothing."""
    end, next_one = np.array(after(END)), np.array(after(END + 1))
    return end.tolist() if np.abs(end - next_one).max() < 1e-7 else None


def keras_end(layer):
    def after(steps):
        _, *last = layer(held(steps))
        return np.concatenate([state.numpy()[0] for state in last])
    return settled(after)


def of_keras():
    both = dict(return_sequences=True, return_state=True)
    layers = {
        "lstm": keras.layers.LSTM(UNITS, name="lstm", **both),
        "gru_after": keras.layers.GRU(UNITS, name="gru_after", **both),
        "gru_before": keras.layers.GRU(UNITS, reset_after=False, name="gru_before", **both),
        "gru_bare": keras.layers.GRU(UNITS, use_bias=False, name="gru_bare", **both),
        "gru_bare_before": keras.layers.GRU(UNITS, use_bias=False, reset_after=False, name="gru_bare_before", **both),
        "rnn": keras.layers.SimpleRNN(UNITS, dropout=0.1, name="rnn", **both),
        "rnn_relu": keras.layers.SimpleRNN(UNITS, activation="relu", name="rnn_relu", **both),
    }
    x = keras.Input((None, WIDTH))
    model = keras.Model(x, [layer(x)[0] for layer in layers.values()])
    for weight in model.weights:
        if weight.dtype != "uint32":
            # Biases begin at zero, kernels orthogonal: other numbers tell their places apart.
            scale = 0.35 if "recurrent" in weight.path and "rnn" in weight.path else 0.8
            weight.assign(random.normal(size=weight.shape) * scale)
    save_file({w.path: w.numpy() for w in model.weights}, HERE / "keras.safetensors")
    for name, layer in layers.items():
        states[f"keras {name}"] = {"states": keras_states(layer, STEPS).tolist(), "end": keras_end(layer)}
    below = keras.layers.LSTM(UNITS, name="lstm", **both)
    above = keras.layers.LSTM(2, name="lstm_1", **both)
    model = keras.Sequential([keras.Input((None, WIDTH))])
    sequence = below(held(1))[0]
    above(sequence)
    for weight in below.weights + above.weights:
        weight.assign(random.normal(size=weight.shape) * 0.8)
    save_file({w.path: w.numpy() for w in below.weights + above.weights}, HERE / "keras_stack.safetensors")

    def after(steps):
        sequence, h, c = below(held(steps))
        _, h1, c1 = above(sequence)
        return np.concatenate([value.numpy()[0] for value in (h, c, h1, c1)]).tolist()
    states["keras stack"] = {"states": [after(step) for step in range(1, STEPS + 1)], "end": settled(after)}


def torch_states(net, state=None):
    def after(steps):
        with torch.no_grad():
            _, state = net(torch.tensor(held(steps)))
        parts = state if isinstance(state, tuple) else (state,)
        return [float(v) for layer in range(parts[0].shape[0]) for part in parts for v in part[layer, 0]]
    return {"states": [after(step) for step in range(1, STEPS + 1)], "end": settled(after)}


def of_torch():
    nets = torch.nn.ModuleDict({
        "lstm": torch.nn.LSTM(WIDTH, UNITS, num_layers=2, batch_first=True),
        "gru": torch.nn.GRU(WIDTH, UNITS, batch_first=True),
        "rnn": torch.nn.RNN(WIDTH, UNITS, batch_first=True),
        "relu": torch.nn.RNN(WIDTH, UNITS, nonlinearity="relu", batch_first=True),
        "bare": torch.nn.LSTM(WIDTH, UNITS, bias=False, batch_first=True),
    })
    save_torch({name: weight.contiguous() for name, weight in nets.state_dict().items()}, HERE / "torch.safetensors")
    for name, net in nets.items():
        states[f"torch {name}"] = torch_states(net)
    # The files of both exporters, of a stack and its head.
    stack = nets["lstm"].float()

    class Headed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.head = stack, torch.nn.Linear(UNITS, 1).float()

        def forward(self, x):
            return self.head(self.lstm(x)[0])
    torch.onnx.export(Headed(), (torch.zeros(1, 4, WIDTH, dtype=torch.float32),), str(HERE / "torch_export.onnx"),
                      input_names=["x"], dynamo=False)
    torch.onnx.export(Headed(), (torch.zeros(1, 4, WIDTH, dtype=torch.float32),), str(HERE / "torch_dynamo.onnx"),
                      input_names=["x"], dynamo=True, external_data=False)
    model = onnx.load(HERE / "torch_dynamo.onnx")
    # The exporter writes where its sources lie into every node.
    for item in [model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
        del item.metadata_props[:]
    onnx.save(model, HERE / "torch_dynamo.onnx")
    states["export lstm"] = torch_states(nets["lstm"].double())


def node(operator, name, units, gates, bias=True, constant=False, **attributes):
    """A node, its initializers (or constants) and its outputs, in f32, as onnxruntime computes no other."""
    scale = 0.35 if operator == "RNN" else 0.8
    values = {"W": random.normal(size=(1, gates * units, WIDTH)) * 0.8,
              "R": random.normal(size=(1, gates * units, units)) * scale}
    if bias:
        values["B"] = random.normal(size=(1, 2 * gates * units)) * 0.8
    names = {part: f"{name}_{part}" for part in values}
    tensors = [numpy_helper.from_array(value.astype(np.float32), names[part]) for part, value in values.items()]
    given = [f"{name}_x", names["W"], names["R"], names.get("B", "")]
    while given[-1] == "":
        given.pop()
    outputs = [f"{name}_y", f"{name}_h"] + ([f"{name}_c"] if operator == "LSTM" else [])
    made = [helper.make_node(operator, given, outputs, name=name, hidden_size=units, **attributes)]
    if constant:
        made = [helper.make_node("Constant", [], [t.name], name=f"{t.name}_value", value=t) for t in tensors] + made
        tensors = []
    return made, tensors, outputs


def of_onnx():
    nodes, tensors, outputs = [], [], []
    for name, operator, gates, more in [
        ("lstm", "LSTM", 4, {}),
        ("lstm_bare", "LSTM", 4, {"bias": False, "direction": "forward"}),
        ("lstm_constant", "LSTM", 4, {"constant": True, "activations": ["Sigmoid", "Tanh", "Tanh"], "input_forget": 0}),
        ("gru", "GRU", 3, {}),
        ("gru_before", "GRU", 3, {"linear_before_reset": 0}),
        ("gru_after", "GRU", 3, {"linear_before_reset": 1, "activations": ["Sigmoid", "Tanh"]}),
        ("rnn", "RNN", 1, {}),
        ("rnn_relu", "RNN", 1, {"activations": ["Relu"]}),
        ("rnn_bare", "RNN", 1, {"bias": False, "activations": ["Tanh"]}),
    ]:
        made, stored, out = node(operator, name, UNITS, gates, **more)
        nodes += made
        tensors += stored
        outputs += out
    x = [helper.make_tensor_value_info(f"{n.name}_x", TensorProto.FLOAT, ["t", 1, WIDTH])
         for n in nodes if n.op_type != "Constant"]
    shape = {"y": ["t", 1, 1, UNITS], "h": [1, 1, UNITS], "c": [1, 1, UNITS]}
    y = [helper.make_tensor_value_info(out, TensorProto.FLOAT, shape[out[-1]]) for out in outputs]
    graph = helper.make_graph(nodes, "nets", x, y, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, HERE / "nodes.onnx")
    session = onnxruntime.InferenceSession(str(HERE / "nodes.onnx"))

    def after(steps):
        feed = {value.name: held(steps).transpose(1, 0, 2).astype(np.float32) for value in x}
        return dict(zip(outputs, session.run(outputs, feed)))
    ends = [after(END), after(END + 1)]
    rows = [after(step) for step in range(1, STEPS + 1)]
    for n in nodes:
        if n.op_type == "Constant":
            continue

        def of(values):
            parts = [f"{n.name}_h"] + ([f"{n.name}_c"] if n.op_type == "LSTM" else [])
            return [float(v) for part in parts for v in values[part][0, 0]]

        states[f"onnx {n.name}"] = {"states": [of(row) for row in rows], "end": settled(lambda steps: of(ends[steps - END]))}


of_onnx()
of_keras()
of_torch()
(HERE / "states.json").write_text(json.dumps({"input": INPUT, "nets": states}) + "\n")
