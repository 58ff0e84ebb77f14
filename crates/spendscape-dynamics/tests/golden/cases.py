"""Nets on which methods for finding fixed points are compared: known, slow, trained and planted.

Usage: cases.py    (writes cases.json beside itself; weights that stand there already are kept, because training gives
other bits with another PyTorch)
Made with Python 3.11, numpy 2.4, torch 2.15 (CPU); the nets marked `untuned` and the lists with numpy 1.26, torch 1.13,
mpmath 1.2.

The list `points` holds the hidden states of all distinct roots that Newton's method finds from rounds of random starts,
until a round finds no new one, each polished at 300 bits: a peer for the proved lists, and independent of this crate.
The search for fixed points has settings that were chosen on the nets without the mark; the others judge them.
"""
import json
import pathlib

import mpmath as mp
import numpy as np
import torch

mp.mp.prec = 300
# Starts of a round; a list of rounds is long enough when the last has found nothing new, and never longer than MOST.
ROUND, MOST = 20_000, 25
A4 = 2.3773458124385903


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def reduced(case):
    """The residual of the hidden states (rows of h) and its Jacobian."""
    w, b = np.array(case["w_h"]), np.array(case["b"])
    m = case["units"]

    def lstm(h):
        z = h @ w.T + b
        i, f, g, o = (z[:, k * m:(k + 1) * m] for k in range(4))
        i, e, g, o = sigmoid(i), np.exp(f), np.tanh(g), sigmoid(o)
        c = i * g * (1 + e)
        t = np.tanh(c)
        w_i, w_f, w_g, w_o = (w[k * m:(k + 1) * m] for k in range(4))
        dc = (((c * (1 - i))[:, :, None] * w_i) + ((i * g * e)[:, :, None] * w_f)
              + ((i * (1 - g * g) * (1 + e))[:, :, None] * w_g))
        jac = (t * o * (1 - o))[:, :, None] * w_o + (o * (1 - t * t))[:, :, None] * dc
        return h - o * t, np.eye(m) - jac

    def tanh(h):
        t = np.tanh(h @ w.T + b)
        return h - t, np.eye(m) - (1 - t * t)[:, :, None] * w

    return lstm if case["kind"] == "lstm" else tanh


def newton(residual, h):
    """The limits of damped Newton from the rows of h that it solves to 1e-11."""
    m = h.shape[1]
    with np.errstate(all="ignore"):
        for _ in range(80):
            r, jac = residual(h)
            bad = ~np.isfinite(jac).all((1, 2)) | ~np.isfinite(r).all(1)
            jac[bad], r[bad] = np.eye(m), 0
            try:
                step = np.linalg.solve(jac, r[:, :, None])[:, :, 0]
            except np.linalg.LinAlgError:
                step = np.linalg.solve(jac + 1e-12 * np.eye(m), r[:, :, None])[:, :, 0]
            size = np.abs(step).max(1, keepdims=True)
            h = np.clip(h - step * np.minimum(1, 0.3 / np.maximum(size, 1e-300)), -1, 1)
        return h[np.abs(residual(h)[0]).max(1) < 1e-11]


def polished(case, x):
    """The root at x to 300 bits, as binary64."""
    m = case["units"]
    w, b = mp.matrix(case["w_h"]), mp.matrix(case["b"])
    sig = lambda v: 1 / (1 + mp.exp(-v))  # noqa: E731

    def residual(h):
        z = w * h + b
        if case["kind"] == "tanh":
            return [h[k] - mp.tanh(z[k]) for k in range(m)]
        c = [sig(z[k]) * mp.tanh(z[2 * m + k]) * (1 + mp.exp(z[m + k])) for k in range(m)]
        return [h[k] - sig(z[3 * m + k]) * mp.tanh(c[k]) for k in range(m)]

    # Newton with the float Jacobian at x: each step gains its ten or more digits.
    inverse = mp.matrix(np.linalg.inv(reduced(case)(x[None])[1][0]).tolist())
    h = mp.matrix(x.tolist())
    for _ in range(60):
        r = mp.matrix(residual(h))
        h -= inverse * r
        if mp.norm(r, mp.inf) < mp.mpf(10) ** -80:
            return [float(v) for v in h]
    raise ValueError(f"{case['name']}: no root at {x}")


def roots(case):
    rng = np.random.default_rng(3)
    residual, m = reduced(case), case["units"]
    found = np.empty((0, m))
    for count in range(MOST):
        limits = newton(residual, rng.uniform(-1, 1, (ROUND, m)))
        if not any(case["b"]) and case["kind"] == "tanh":
            # Odd: the negatives of its roots are roots.
            limits = np.concatenate([limits, -limits])
        known = len(found)
        # One row of each cell of a fine grid; those that straddle a border of it are compared below.
        for x in limits[np.unique(np.round(limits, 7), axis=0, return_index=True)[1]]:
            if not (np.abs(found - x).max(1) < 1e-6).any():
                found = np.vstack([found, x])
        print(case["name"], "round", count + 1, len(found), flush=True)
        if len(found) == known:
            break
    return sorted(polished(case, x) for x in found)


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


def nets():
    rng = np.random.default_rng(2)
    w = np.zeros((12, 3))
    w[6:9] = A4 * np.eye(3)
    yield {"name": "a5", "kind": "lstm", "units": 3, "w_h": w.tolist(), "b": [0.0] * 12}
    b = 0.3 * rng.standard_normal(12)
    b[3:6] = 6
    yield {"name": "slow", "kind": "lstm", "units": 3, "w_h": (0.05 * rng.standard_normal((12, 3))).tolist(),
           "b": b.tolist()}
    yield {"name": "flip_flop", "kind": "lstm", "units": 5, "train": lambda: flip_flop()}
    for n in (3, 5, 10):
        yield {"name": f"tanh_{n}", "kind": "tanh", "units": n, **planted(n, n)}
    yield {"name": "untuned_flip_flop", "kind": "lstm", "units": 5, "train": lambda: flip_flop(seed=2)}
    for n, seed in ((4, 104), (6, 106), (8, 108)):
        yield {"name": f"untuned_tanh_{n}", "kind": "tanh", "units": n, **planted(n, seed)}


def main():
    path = pathlib.Path(__file__).parent / "cases.json"
    standing = {case["name"]: case for case in json.loads(path.read_text())} if path.exists() else {}
    cases = []
    for net in nets():
        train = net.pop("train", dict)
        case = standing.get(net["name"]) or {**net, **train()}
        case["points"] = roots(case)
        print(case["name"], len(case["points"]), flush=True)
        cases.append(case)
    path.write_text(json.dumps(cases) + "\n")


main()
