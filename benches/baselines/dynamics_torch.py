"""FixedPointFinder's method in PyTorch: the peer of benches/dynamics.rs for finding fixed points.

Usage: fixed_points_torch.py CASES.json    (crates/spendscape-dynamics/tests/golden/cases.json)
Install: Debian's python3-torch, or pip install torch. Prints one JSON line per net.

Golub and Sussillo's method: Adam on the mean of q = |x - F(x)|^2 / 2 over all starts at once, the rate lowered when the
mean stops falling; stop at the tolerance or the step limit; candidates whose distance is below a threshold are one. Their
defaults: tolerance 1e-12, 5,000 steps, first rate 1e-2, uniqueness 1e-3; residuals of single points are not filtered.
True: a candidate within 1e-2 of a point of the case's list; false: any other; missed: points without a candidate.
"""
import json
import sys
import time

import numpy as np
import torch

STARTS, STEPS, RATE, TOLERANCE, UNIQUE, NEAR = 1024, 5000, 1e-2, 1e-12, 1e-3, 1e-2


def step(case, dtype):
    w, b = torch.tensor(case["w_h"], dtype=dtype), torch.tensor(case["b"], dtype=dtype)
    m = case["units"]
    if case["kind"] == "tanh":
        return lambda x: torch.tanh(x @ w.T + b)

    def lstm(x):
        z = x[:, :m] @ w.T + b
        i, f, o = (torch.sigmoid(z[:, k * m:(k + 1) * m]) for k in (0, 1, 3))
        c = f * x[:, m:] + i * torch.tanh(z[:, 2 * m:3 * m])
        return torch.cat([o * torch.tanh(c), c], 1)

    return lstm


def find(case):
    f = step(case, torch.float32)
    dim = case["units"] * (2 if case["kind"] == "lstm" else 1)
    x = (2 * torch.rand(STARTS, dim, generator=torch.Generator().manual_seed(1)) - 1).requires_grad_()
    adam = torch.optim.Adam([x], lr=RATE)
    rate = torch.optim.lr_scheduler.ReduceLROnPlateau(adam, factor=0.95, patience=5, threshold=0, cooldown=0)
    steps = 0
    for steps in range(1, STEPS + 1):
        q = 0.5 * ((x - f(x)) ** 2).sum(1)
        loss = q.mean()
        adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([x], 1.0)
        adam.step()
        rate.step(loss.item())
        if q.max().item() < TOLERANCE:
            break
    states = x.detach().numpy()
    order = np.argsort(q.detach().numpy())
    unique = []
    for k in order:
        if all(np.linalg.norm(states[k] - u) > UNIQUE for u in unique):
            unique.append(states[k])
    return np.array(unique), steps, q.detach()


def main():
    torch.set_num_threads(1)
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    for case in cases:
        begin = time.perf_counter()
        unique, steps, q = find(case)
        seconds = time.perf_counter() - begin
        points = np.array(case["points"])
        gap = np.linalg.norm(unique[:, None, :case["units"]] - points[None], axis=2)
        print(json.dumps({
            "peer": f"FixedPointFinder's method, torch {torch.__version__}", "case": case["name"], "starts": STARTS,
            "seconds": round(seconds, 3), "steps": steps, "true": int((gap.min(0) < NEAR).sum()),
            "false": int((gap.min(1) >= NEAR).sum()), "missed": int((gap.min(0) >= NEAR).sum()),
            "candidates": len(unique), "median_q": float(q.median()),
        }), flush=True)


main()
