"""300-bit references: the gate functions at many arguments, and the fixed points of random LSTMs with their spectra.

Usage: reference.py    (writes reference.json beside itself)
Made with Python 3.11, mpmath 1.3, numpy 2.4. Numbers are pairs [high, low] of binary64 whose sum is the reference.
"""
import json
import pathlib
import random

import mpmath as mp
import numpy as np

mp.mp.prec = 300


def pair(v):
    high = float(v)
    return [high, float(v - mp.mpf(high))]


def gates():
    rng = random.Random(1)
    arguments = [rng.uniform(-1, 1) * 10 ** rng.uniform(-12, 2.5) for _ in range(3000)]
    arguments += [rng.uniform(-3, 3) for _ in range(3000)] + [0.0, 708.0, -708.0, 1e-300]
    rows = []
    for z in arguments:
        x = mp.mpf(z)
        on, off = 1 / (1 + mp.exp(-x)), 1 / (1 + mp.exp(x))
        rows.append([z, *pair(on), *pair(off), *pair(mp.tanh(x)), *pair(1 / mp.cosh(x) ** 2)])
    return rows


def step(m, w, b, h):
    """The reduced map: h -> o tanh(i g / (1 - f)), and the cell."""
    z = [b[r] + mp.fsum(w[r][j] * h[j] for j in range(m)) for r in range(4 * m)]
    sig = lambda v: 1 / (1 + mp.exp(-v))  # noqa: E731
    c = [sig(z[k]) * mp.tanh(z[2 * m + k]) * (1 + mp.exp(z[m + k])) for k in range(m)]
    return [sig(z[3 * m + k]) * mp.tanh(c[k]) for k in range(m)], c


def full_jacobian(m, w, b, h, c):
    sig = lambda v: 1 / (1 + mp.exp(-v))  # noqa: E731
    z = [b[r] + mp.fsum(w[r][j] * h[j] for j in range(m)) for r in range(4 * m)]
    jac = mp.matrix(2 * m, 2 * m)
    for k in range(m):
        i, f, o, g = sig(z[k]), sig(z[m + k]), sig(z[3 * m + k]), mp.tanh(z[2 * m + k])
        t = mp.tanh(f * c[k] + i * g)
        for j in range(m):
            dc = (g * i * (1 - i) * w[k][j] + c[k] * f * (1 - f) * w[m + k][j]
                  + i * (1 - g * g) * w[2 * m + k][j])
            jac[m + k, j] = dc
            jac[k, j] = t * o * (1 - o) * w[3 * m + k][j] + o * (1 - t * t) * dc
        jac[m + k, m + k] = f
        jac[k, m + k] = o * (1 - t * t) * f
    return jac


def newton_float(m, w, b, h):
    """Plain Newton in binary64 with a numerical Jacobian, to get near a root."""
    w, b = np.array(w), np.array(b)

    def residual(h):
        z = b + w @ h
        sig = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
        c = sig(z[:m]) * np.tanh(z[2 * m:3 * m]) * (1 + np.exp(z[m:2 * m]))
        return h - sig(z[3 * m:]) * np.tanh(c)

    for _ in range(80):
        r = residual(h)
        jac = np.array([(residual(h + 1e-7 * e) - residual(h - 1e-7 * e)) / 2e-7 for e in np.eye(m)]).T
        try:
            h = h - np.linalg.solve(jac, r)
        except np.linalg.LinAlgError:
            return None
        if not np.all(np.abs(h) < 1.5):
            return None
    return h if np.abs(residual(h)).max() < 1e-10 else None


def nets():
    rng = np.random.default_rng(5)
    out = []
    for m, spread, starts in [(1, 2.5, 200), (2, 2.0, 300), (2, 3.0, 300), (3, 1.2, 300), (3, 2.0, 600), (3, 2.5, 600)]:
        for _ in range(3):
            w = (spread * rng.standard_normal((4 * m, m))).tolist()
            b = (0.5 * rng.standard_normal(4 * m) + np.repeat([0, 1, 0, 0], m)).tolist()
            roots = []
            for _ in range(starts):
                h = newton_float(m, w, b, rng.uniform(-1, 1, m))
                if h is None or any(np.abs(h - r).max() < 1e-7 for r in roots):
                    continue
                roots.append(h)
            points = []
            wm = [[mp.mpf(v) for v in row] for row in w]
            bm = [mp.mpf(v) for v in b]
            for h in roots:
                x = mp.findroot(lambda *v: [a - r for a, r in zip(v, step(m, wm, bm, v)[0])],
                                [mp.mpf(float(v)) for v in h], tol=1e-80, maxsteps=60)
                x = [x[k] for k in range(m)] if m > 1 else [x] if not hasattr(x, "rows") else [x[0]]
                c = step(m, wm, bm, x)[1]
                eigenvalues = mp.eig(full_jacobian(m, wm, bm, x, c), left=False, right=False)
                points.append({"h": [pair(v) for v in x], "c": [pair(v) for v in c],
                               "radius": pair(max(abs(v) for v in eigenvalues))})
            out.append({"units": m, "w_h": w, "b": b, "points": points})
            print(m, spread, len(points), flush=True)
    return out


here = pathlib.Path(__file__).parent
(here / "reference.json").write_text(json.dumps({"gates": gates(), "nets": nets()}) + "\n")
