"""Nets on which methods for finding fixed points are compared: known, slow, trained and planted.

Usage: cases.py    (writes cases.json beside itself)
Made with Python 3.11, numpy 2.4, torch 2.15 (CPU). The list `points` holds the hidden states of all distinct roots that
Newton's method finds from 20,000 starts (4,000 for the planted net of ten units), a peer for the proved lists.
"""
import json
import pathlib

import numpy as np
import torch

STARTS = {"default": 20_000, "tanh_10": 4_000}
A4 = 2.3773458124385903


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def reduced(case):
    """The residual of the hidden states, rows of h."""
    w, b = np.array(case["w_h"]), np.array(case["b"])
    m = case["units"]

    def lstm(h):
        z = h @ w.T + b
        c = sigmoid(z[:, :m]) * np.tanh(z[:, 2 * m:3 * m]) * (1 + np.exp(z[:, m:2 * m]))
        return h - sigmoid(z[:, 3 * m:]) * np.tanh(c)

    return lstm if case["kind"] == "lstm" else lambda h: h - np.tanh(h @ w.T + b)


def roots(case):
    rng = np.random.default_rng(3)
    residual, m = reduced(case), case["units"]
    h = rng.uniform(-1, 1, (STARTS.get(case["name"], STARTS["default"]), m))
    with np.errstate(all="ignore"):
        for _ in range(80):
            r = residual(h)
            jac = np.stack([(residual(h + 1e-6 * e) - residual(h - 1e-6 * e)) / 2e-6 for e in np.eye(m)], 2)
            bad = ~np.isfinite(jac).all((1, 2)) | ~np.isfinite(r).all(1)
            jac[bad], r[bad] = np.eye(m), 0
            try:
                step = np.linalg.solve(jac, r[:, :, None])[:, :, 0]
            except np.linalg.LinAlgError:
                step = np.linalg.solve(jac + 1e-12 * np.eye(m), r[:, :, None])[:, :, 0]
            size = np.abs(step).max(1, keepdims=True)
            h = np.clip(h - step * np.minimum(1, 0.3 / np.maximum(size, 1e-300)), -1, 1)
        good = np.abs(residual(h)).max(1) < 1e-11
    found = []
    for x in h[good]:
        if not any(np.abs(x - y).max() < 1e-6 for y in found):
            found.append(x)
    return sorted(x.tolist() for x in found)


def flip_flop(units=5, seed=1):
    """An LSTM trained to remember the last pulse on each of three lines."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    lstm, head = torch.nn.LSTM(3, units, batch_first=True), torch.nn.Linear(units, 3)
    adam = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=1e-2)
    for step in range(1500):
        pulse = (torch.rand(128, 30, 3) < 0.15) * torch.randn(128, 30, 3).sign()
        pulse[:, 0] = torch.randn(128, 3).sign()
        target = torch.zeros_like(pulse)
        last = torch.zeros(128, 3)
        for t in range(30):
            last = torch.where(pulse[:, t] != 0, pulse[:, t], last)
            target[:, t] = last
        loss = ((head(lstm(pulse)[0]) - target) ** 2).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        if step == 1000:
            adam.param_groups[0]["lr"] = 2e-3
    print("flip-flop loss", loss.item(), flush=True)
    bias = lstm.bias_ih_l0.double() + lstm.bias_hh_l0.double()
    return {"w_h": lstm.weight_hh_l0.double().tolist(), "b": bias.tolist()}


def planted(n, seed):
    """A tanh net with n planted points (and their negatives, and zero)."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(-0.8, 0.8, (n, n)) + 0.3 * np.eye(n)
    p = np.clip(p, -0.9, 0.9)
    return {"w_h": (np.arctanh(p) @ np.linalg.inv(p)).tolist(), "b": [0.0] * n, "planted": p.T.tolist()}


def main():
    rng = np.random.default_rng(2)
    w = np.zeros((12, 3))
    w[6:9] = A4 * np.eye(3)
    cases = [{"name": "a5", "kind": "lstm", "units": 3, "w_h": w.tolist(), "b": [0.0] * 12}]
    b = 0.3 * rng.standard_normal(12)
    b[3:6] = 6
    cases.append({"name": "slow", "kind": "lstm", "units": 3, "w_h": (0.05 * rng.standard_normal((12, 3))).tolist(),
                  "b": b.tolist()})
    cases.append({"name": "flip_flop", "kind": "lstm", "units": 5, **flip_flop()})
    for n in (3, 5, 10):
        cases.append({"name": f"tanh_{n}", "kind": "tanh", "units": n, **planted(n, n)})
    for case in cases:
        case["points"] = roots(case)
        print(case["name"], len(case["points"]), flush=True)
    (pathlib.Path(__file__).parent / "cases.json").write_text(json.dumps(cases) + "\n")


main()
