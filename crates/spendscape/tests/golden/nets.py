"""Recurrent nets in PyTorch's layout with the states where PyTorch's own roll-outs end; the peer of tests/it/nets.rs.

Usage: python3 nets.py    (writes KIND.safetensors, inputs.csv and ends.json beside itself)
Made with Debian's PyTorch 1.13 (CPU), in f64. The safetensors format is written by hand: a header's length, the header as
JSON, the data.
"""
import json
import pathlib
import struct

import torch

STEPS, INPUTS, WIDTH = 20_000, 3, 4


def write(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().astype("<f8").tobytes()
        header[name] = {"dtype": "F64", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    here = pathlib.Path(__file__).parent
    torch.manual_seed(5)
    torch.set_num_threads(1)
    inputs = torch.randn(INPUTS, WIDTH, dtype=torch.float64)
    (here / "inputs.csv").write_text("".join(",".join(repr(float(v)) for v in row) + "\n" for row in inputs))
    ends = {}
    for kind, make in [
        ("lstm", lambda: torch.nn.LSTM(WIDTH, 3)), ("stacked", lambda: torch.nn.LSTM(WIDTH, 2, num_layers=2)),
        ("gru", lambda: torch.nn.GRU(WIDTH, 3)), ("rnn", lambda: torch.nn.RNN(WIDTH, 3)),
    ]:
        net = make().double()
        with torch.no_grad():
            for name, weight in net.named_parameters():
                if "weight_hh" in name:
                    weight *= 1.5
        write(here / f"{kind}.safetensors", {f"encoder.{n}": p for n, p in net.named_parameters()})
        with torch.no_grad():
            state = None
            for _ in range(STEPS):
                _, state = net(inputs[None], state)
        # In the order of our states: layer by layer, hidden before cell.
        parts = state if isinstance(state, tuple) else (state,)
        layers = parts[0].shape[0]
        ends[kind] = [[float(v) for layer in range(layers) for part in parts for v in part[layer, row]]
                      for row in range(INPUTS)]
    (here / "ends.json").write_text(json.dumps(ends) + "\n")


main()
