#!/usr/bin/env bash
# The reference evaluator of ONNX as an oracle for recurrent nets, beside ONNX Runtime on the same valid model.
# Seen 2026-11-30 with onnx 1.23.2 and onnxruntime 1.32.0: plain LSTM and GRU agree to 1e-6, but the reference computes `LSTM`
# and `GRU` as if `activations`, `clip`, `input_forget` and the input `sequence_lens` were not there, without a word. `RNN`
# does look at its activations, and refuses the operator set's own `Relu`. Golden values from it are right for default
# attributes only.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
cd "$work"
venv/bin/python - <<'PYTHON'
import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

UNITS, INPUTS = 2, 3
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
random = numpy.random.default_rng(1)


def model(operator, lengths, **attributes):
    def weights(name, *shape):
        return numpy_helper.from_array(random.normal(size=shape).astype("f"), name)

    rows = GATES[operator] * UNITS
    names = ["x", "w", "r", "b"] + (["lengths"] if lengths else [])
    node = helper.make_node(operator, names, ["y"], hidden_size=UNITS, **attributes)
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, 2, INPUTS])]
    if lengths:
        inputs.append(helper.make_tensor_value_info("lengths", TensorProto.INT32, [2]))
    initial = [weights("w", 1, rows, INPUTS), weights("r", 1, rows, UNITS), weights("b", 1, 2 * rows)]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 1, 2, UNITS])
    graph = helper.make_graph([node], "net", inputs, [output], initial)
    net = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(net)
    return net


def difference(operator, lengths=None, **attributes):
    net = model(operator, lengths is not None, **attributes)
    feeds = {"x": random.normal(size=(4, 2, INPUTS)).astype("f")}
    if lengths is not None:
        feeds["lengths"] = numpy.array(lengths, numpy.int32)
    session = onnxruntime.InferenceSession(net.SerializeToString(), providers=["CPUExecutionProvider"])
    (runtime,) = session.run(None, feeds)
    (reference,) = ReferenceEvaluator(net).run(None, feeds)
    return float(numpy.abs(runtime - reference).max())


cases = {
    "activations": {"LSTM": {"activations": ["HardSigmoid", "Tanh", "Tanh"]}, "GRU": {"activations": ["HardSigmoid", "Relu"]}},
    "clip": {"LSTM": {"clip": 0.3}, "GRU": {"clip": 0.3}},
    "input_forget": {"LSTM": {"input_forget": 1}},
    "sequence_lens": {"LSTM": {"lengths": [2, 4]}, "GRU": {"lengths": [2, 4]}},
}
for operator in ("LSTM", "GRU"):
    plain = difference(operator)
    print(operator, "plain", plain)
    assert plain < 1e-6
for what, operators in cases.items():
    for operator, arguments in operators.items():
        apart = difference(operator, **arguments)
        print(operator, what, apart)
        assert apart > 1e-3
try:
    difference("RNN", activations=["Relu"])
    raise SystemExit("RNN with Relu is computed now")
except RuntimeError as error:
    print("RNN Relu", error)
PYTHON
