#!/usr/bin/env bash
# A batch of customers in which one bought nothing in the period: an ONNX recurrent layer with `sequence_lens` 4, 2 and 0 and the
# state that each customer carries over from the period before (`initial_h`, `initial_c`).
# Seen 2026-12-01: ONNX Runtime 1.32.0 and OpenVINO 2026.4.1 both give zeros as last state of the customer with no step, for
# LSTM, GRU and RNN, forward and reverse, so that one quiet period wipes what was carried. The standard says nothing of length 0;
# no step should leave the state as it was. Who serves with carried state must put the old state back for such rows.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 numpy==2.4.6
cd "$work"
venv/bin/python - <<'PYTHON'
import numpy
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

STEPS, CUSTOMERS, INPUTS, UNITS = 4, 3, 2, 3
draw = numpy.random.default_rng(0)


def normal(*shape):
    return draw.normal(size=shape).astype(numpy.float32)


def model(operator, gates, direction):
    states = ["initial_h"] + (["initial_c"] if operator == "LSTM" else [])
    outputs = ["Y", "Y_h"] + (["Y_c"] if operator == "LSTM" else [])
    weights = {"W": normal(1, gates * UNITS, INPUTS), "R": normal(1, gates * UNITS, UNITS), "B": normal(1, 2 * gates * UNITS)}
    node = helper.make_node(
        operator, ["X", "W", "R", "B", "lengths", *states], outputs, hidden_size=UNITS, direction=direction
    )
    real = TensorProto.FLOAT
    shapes = {"Y": (STEPS, 1, CUSTOMERS, UNITS), "Y_h": (1, CUSTOMERS, UNITS), "Y_c": (1, CUSTOMERS, UNITS)}
    graph = helper.make_graph(
        [node],
        "carried",
        [
            helper.make_tensor_value_info("X", real, (STEPS, CUSTOMERS, INPUTS)),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, (CUSTOMERS,)),
            *[helper.make_tensor_value_info(name, real, (1, CUSTOMERS, UNITS)) for name in states],
        ],
        [helper.make_tensor_value_info(name, real, shapes[name]) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(made, full_check=True)
    feed = {"X": normal(STEPS, CUSTOMERS, INPUTS), "lengths": numpy.array([4, 2, 0], numpy.int32)}
    feed |= {name: normal(1, CUSTOMERS, UNITS) for name in states}
    return made.SerializeToString(), feed


for operator, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
    for direction in ("forward", "reverse"):
        made, feed = model(operator, gates, direction)
        session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
        runtime = session.run(None, feed)
        compiled = openvino.Core().compile_model(openvino.Core().read_model(made), "CPU")
        vino = list(compiled(feed).values())
        for engine, outputs in (("ONNX Runtime", runtime), ("OpenVINO", vino)):
            last = [state[0, 2] for state in outputs[1:]]
            print(operator, direction, engine, "carried", feed["initial_h"][0, 2], "after no step", last[0])
            assert all((state == 0).all() for state in last)
            assert (outputs[1][0, :2] != 0).all()
PYTHON
