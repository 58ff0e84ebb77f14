"""Trains small LSTMs on a synthetic bank and writes their weights and a sample of customers: the tests' realistic nets.

Usage: trained_nets.py CLASSES.csv [FULL_DIR]
  CLASSES.csv  columns class, pi, E, N, O, C, A (population share and five coefficients per class)
  FULL_DIR     also writes every customer's mean input, raw little-endian f32, for timing on the whole population
Writes beside itself: nets.json (weights in PyTorch's layout, biases summed) and inputs_base.f32, inputs_strong.f32
(SAMPLE x 97 mean inputs, raw little-endian f32, row-major).
Made with Python 3.11, numpy 2.4, torch 2.15 (CPU).

The bank is the one the documentation describes, simplified: latent traits with persistence .9 and life events (p = .04),
log-linear tastes and year noise, gamma amounts (kappa 150) at the annual grain only; no uncategorised spending, no
missing years, no ledger. Recipe A: 40 epochs, batch 256, Adam (eps 1e-7), cosine rate from 1e-2, forget bias 1.
"""
import csv
import json
import math
import pathlib
import sys

import numpy as np
import torch

N, T, UNITS, SAMPLE, EPOCHS = 26_000, 6, 3, 250, 40
PRESETS = {"base": 0.45, "strong": 1.0}
SEEDS = (1, 2, 3)
SIGMA = np.array([[1, -.30, .30, .10, .15], [-.30, 1, -.10, -.35, -.30], [.30, -.10, 1, .05, .15],
                  [.10, -.35, .05, 1, .30], [.15, -.30, .15, .30, 1]])


def bank(pi, coefficients, strength, rng):
    """Shares (N, T, classes)."""
    chol = np.linalg.cholesky(SIGMA)
    z = rng.standard_normal((N, 5)) @ chol.T
    taste = rng.normal(0, 0.6, (N, len(pi)))
    out = np.empty((N, T, len(pi)), np.float32)
    for t in range(T):
        if t:
            z = 0.9 * z + math.sqrt(1 - 0.81) * rng.standard_normal((N, 5)) @ chol.T
            event = rng.random(N) < 0.04
            z[event] = (rng.standard_normal((N, 5)) @ chol.T)[event]
        eta = np.log(pi) + strength / math.sqrt(5) * z @ coefficients.T + taste + rng.normal(0, 0.25, taste.shape)
        q = np.exp(eta - eta.max(1, keepdims=True))
        q /= q.sum(1, keepdims=True)
        amount = rng.gamma(150 * q)
        out[:, t] = amount / amount.sum(1, keepdims=True)
    return out


def train(shares, targets, train_rows, seed):
    torch.manual_seed(seed)
    lstm = torch.nn.LSTM(shares.shape[2], UNITS, batch_first=True)
    head = torch.nn.Linear(UNITS, 5)
    with torch.no_grad():
        torch.nn.init.xavier_uniform_(lstm.weight_ih_l0)
        torch.nn.init.orthogonal_(lstm.weight_hh_l0)
        lstm.bias_ih_l0.zero_()
        lstm.bias_hh_l0.zero_()
        lstm.bias_ih_l0[UNITS:2 * UNITS] = 1
        torch.nn.init.xavier_uniform_(head.weight)
        head.bias.zero_()
    x, y = torch.from_numpy(shares), torch.from_numpy(targets.astype(np.float32))
    rows = torch.from_numpy(train_rows)
    parameters = [*lstm.parameters(), *head.parameters()]
    adam = torch.optim.Adam(parameters, lr=1e-2, eps=1e-7)
    order = torch.Generator().manual_seed(11)
    for epoch in range(EPOCHS):
        for group in adam.param_groups:
            group["lr"] = 1e-2 * (0.5 * (1 + math.cos(math.pi * epoch / EPOCHS)) + 0.001)
        shuffled = rows[torch.randperm(len(rows), generator=order)]
        for k in range(0, len(rows), 256):
            batch = shuffled[k:k + 256]
            loss = ((head(lstm(x[batch])[0][:, -1]) - y[batch]) ** 2).mean()
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
    test = np.setdiff1d(np.arange(N), train_rows)
    with torch.no_grad():
        error = (head(lstm(x[test])[0][:, -1]) - y[test]).numpy()
    r2 = float(np.mean(1 - (error ** 2).sum(0) / ((targets[test] - targets[test].mean(0)) ** 2).sum(0)))
    numbers = lambda a: [float(v) for v in a.detach().double().flatten()]  # noqa: E731
    return {"r2": r2, "w_x": numbers(lstm.weight_ih_l0), "w_h": numbers(lstm.weight_hh_l0),
            "b": numbers(lstm.bias_ih_l0.double() + lstm.bias_hh_l0.double()),
            "w_out": numbers(head.weight), "b_out": numbers(head.bias)}


def main():
    here = pathlib.Path(__file__).parent
    torch.set_num_threads(1)
    with open(sys.argv[1], newline="") as file:
        rows = list(csv.DictReader(file))
    pi = np.array([float(r["pi"]) for r in rows])
    pi /= pi.sum()
    coefficients = np.array([[float(r[t]) for t in "ENOCA"] for r in rows])
    train_rows = np.random.default_rng(7).permutation(N)[:20_800]
    result = {"units": UNITS, "inputs": len(pi), "sample": SAMPLE, "nets": [], "targets": {}}
    for name, strength in PRESETS.items():
        shares = bank(pi, coefficients, strength, np.random.default_rng(1))
        mean_input = shares.astype(np.float64).mean(1).astype(np.float32)
        score = mean_input @ coefficients
        m, s = score[train_rows].mean(0), score[train_rows].std(0)
        targets = np.clip((score - m) / (3 * s), -1, 1)
        mean_input[:SAMPLE].astype("<f4").tofile(here / f"inputs_{name}.f32")
        result["targets"][name] = [round(float(v), 6) for v in targets[:SAMPLE].flatten()]
        if len(sys.argv) > 2:
            mean_input.astype("<f4").tofile(pathlib.Path(sys.argv[2]) / f"all_{name}.f32")
            targets.astype("<f4").tofile(pathlib.Path(sys.argv[2]) / f"targets_{name}.f32")
        for seed in SEEDS:
            net = {"preset": name, "seed": seed, **train(shares, targets, train_rows, seed)}
            print(name, seed, "test R2", round(net["r2"], 4), flush=True)
            result["nets"].append(net)
    (here / "nets.json").write_text(json.dumps(result) + "\n")


main()
