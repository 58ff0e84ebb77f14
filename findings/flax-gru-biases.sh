#!/usr/bin/env bash
# The GRU cells of Flax's two interfaces, both computing n = tanh(W x + b + r * (U h + c)), the GRU of cuDNN and PyTorch.
# Seen 2026-11-30 with flax 0.12.8: `linen.GRUCell` has the bias c of the candidate inside the reset gate, `nnx.GRUCell` has
# none and no option for one. So a GRU from PyTorch or from linen cannot in general be represented in nnx: c is multiplied by
# r, and no other bias can take its place.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet numpy==2.4.6 jax==0.10.2 flax==0.12.8
cd "$work"
JAX_PLATFORMS=cpu venv/bin/python - <<'PYTHON'
import inspect

import flax.linen
import jax
import jax.numpy as jnp
import numpy
from flax import nnx

x, h = jnp.array([[0.3, -0.2, 0.5]]), jnp.array([[0.1, -0.4]])


def sigmoid(value):
    return 1 / (1 + numpy.exp(-value))


def gru(rx, rh, zx, zh, nx, nh):
    reset, update = sigmoid(rx + rh), sigmoid(zx + zh)
    return (1 - update) * numpy.tanh(nx + reset * nh) + update * h


old = flax.linen.GRUCell(2)
weights = jax.tree_util.tree_map(lambda leaf: leaf + 0.1, old.init(jax.random.PRNGKey(0), h, x))
p = weights["params"]
with_bias = sorted(name for name, layer in p.items() if "bias" in layer)
sums = {name: (x if name[0] == "i" else h) @ layer["kernel"] + layer.get("bias", 0) for name, layer in p.items()}
apart = abs(old.apply(weights, h, x)[0] - gru(*(sums[name] for name in ("ir", "hr", "iz", "hz", "in", "hn")))).max()
print("linen: layers with a bias", with_bias, "apart from the formula", apart)
assert with_bias == ["hn", "in", "ir", "iz"] and apart < 1e-6

new = nnx.GRUCell(in_features=3, hidden_features=2, rngs=nnx.Rngs(0))
leaves = {"/".join(map(str, path)): leaf.shape for path, leaf in nnx.to_flat_state(nnx.state(new, nnx.Param))}
rx, zx, nx = jnp.split(x @ new.dense_i.kernel[...] + new.dense_i.bias[...], 3, axis=1)
rh, zh, nh = jnp.split(h @ new.dense_h.kernel[...], 3, axis=1)
apart = abs(new(h, x)[0] - gru(rx, rh, zx, zh, nx, nh)).max()
print("nnx:", leaves, "apart from the formula", apart)
assert leaves == {"dense_h/kernel": (2, 6), "dense_i/bias": (6,), "dense_i/kernel": (3, 6)} and apart < 1e-6
options = [name for name in inspect.signature(nnx.GRUCell.__init__).parameters if "bias" in name]
print("nnx: options with bias in their name", options)
assert options == ["bias_init", "bias_metadata"]
PYTHON
