"""FixedPointFinder's method in PyTorch: the peer of benches/dynamics.rs for finding fixed points.

Usage: python3 dynamics_torch.py [threads]
Install: Debian's python3-torch (1.13), or PyPI's torch. Prints one JSON line per net of
crates/spendscape-dynamics/tests/golden/cases.json, and the counts of its points on standard error; skips, and says so
there, where PyTorch is missing.

Golub and Sussillo's method: Adam on the mean of q = |x - F(x)|^2 / 2 over all starts at once, the rate lowered when the
mean stops falling; stop at the tolerance or the step limit; candidates whose distance is below a threshold are one. Their
defaults: tolerance 1e-12, 5,000 steps, first rate 1e-2, uniqueness 1e-3; residuals of single points are not filtered.
True: a candidate within 1e-2 of a point of the case's list; false: any other; missed: points without a candidate.
"""
import json
import pathlib
import sys
import time

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(0)

CASES = pathlib.Path(__file__).parents[2] / "crates/spendscape-dynamics/tests/golden/cases.json"

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
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    for case in json.loads(CASES.read_text()):
        begin = time.perf_counter()
        unique, steps, q = find(case)
        seconds = time.perf_counter() - begin
        points = np.array(case["points"])
        gap = np.linalg.norm(unique[:, None, :case["units"]] - points[None], axis=2)
        peer = f"FixedPointFinder's method, torch {torch.__version__}"
        print(json.dumps({"peer": peer, "task": f"union_{case['name']}", "s": seconds}), flush=True)
        print(json.dumps({
            "case": case["name"], "starts": STARTS, "steps": steps, "true": int((gap.min(0) < NEAR).sum()),
            "false": int((gap.min(1) >= NEAR).sum()), "missed": int((gap.min(0) >= NEAR).sum()),
            "candidates": len(unique), "median_q": float(q.median()),
        }), file=sys.stderr, flush=True)


main()
