"""Seconds of LSTM(97 -> 3) + Linear(3 -> 5), MSE, Adam, on 26,000 x 6 x 97 f32 in PyTorch, and of wider nets; the peer of
benches/lstm.rs.

Usage: python3 lstm_torch.py [threads]
Install: Debian's python3-torch (1.13), or PyPI's torch. Prints one JSON line per task; skips, and says so on standard
error, where PyTorch is missing.
"""
import json
import sys
import time

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(0)

torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
torch.manual_seed(1)
rng = np.random.default_rng(1)
share = rng.gamma(0.5, 1.0, (26_000, 6, 97)).astype(np.float32)
share /= share.sum(2, keepdims=True)
score = share.mean(1) @ rng.standard_normal((97, 5)).astype(np.float32)
target = np.clip((score - score.mean(0)) / (3 * score.std(0)), -1, 1)
X, Y = torch.from_numpy(share), torch.from_numpy(target)


class Net(torch.nn.Module):
    def __init__(self, units=3, layers=1, inputs=97, outputs=5, dropout=0.0):
        super().__init__()
        self.lstm = torch.nn.LSTM(inputs, units, layers, batch_first=True, dropout=dropout)
        self.head = torch.nn.Linear(units, outputs)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def clock(task, run, repeats=3, how=""):
    run()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    line = {"peer": f"torch {torch.__version__}{how}", "task": task, "s": sorted(seconds)[repeats // 2]}
    print(json.dumps(line), flush=True)


def epoch(net, adam, batch, samples):
    order = torch.randperm(samples)
    for k in range(0, samples, batch):
        rows = order[k : k + batch]
        loss = ((net(X[rows]) - Y[rows]) ** 2).mean()
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()


def roll_out(net, x, steps=100):
    """The recurrence by hand, with the input projection hoisted out of the loop."""
    lstm = net.lstm
    held = x @ lstm.weight_ih_l0.T + lstm.bias_ih_l0 + lstm.bias_hh_l0
    h = c = torch.zeros(len(x), lstm.hidden_size)
    path = torch.empty(len(x), steps, lstm.hidden_size)
    for t in range(steps):
        i, f, g, o = (held + h @ lstm.weight_hh_l0.T).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        path[:, t] = h
    return path


for batch in (32, 256, 1024):
    net = Net()
    adam = torch.optim.Adam(net.parameters(), lr=1e-2, eps=1e-7)
    clock(f"epoch_{batch}", lambda: epoch(net, adam, batch, len(X)))
with torch.no_grad():
    mean = X.mean(1)
    clock("forward", lambda: net(X))
    clock("roll_out_100", lambda: net.lstm(mean.unsqueeze(1).expand(-1, 100, -1)))
    clock("roll_out_100", lambda: roll_out(net, mean), how=", hoisted loop")
for units in (64, 128):
    wide = Net(units, 2)
    adam = torch.optim.Adam(wide.parameters(), lr=1e-2, eps=1e-7)
    clock(f"epoch_256_two_layers_of_{units}", lambda: epoch(wide, adam, 256, 4_096))

# The nets for the goals: categories in as one-hot features, a class at every step out. The sequences stay padded: with
# pack_padded_sequence training takes twice as long, and prediction as well but for PyTorch 1.13 (a tenth less).
samples, steps, sizes, classes = 1_024, 64, (97, 7, 31), 97
features = torch.rand(samples, steps, 4)
ids = torch.stack([torch.randint(0, size, (samples, steps)) for size in sizes], 2)
columns = ids + 4 + torch.tensor([sum(sizes[:v]) for v in range(len(sizes))])
labels = torch.randint(0, classes, (samples, steps))
used = torch.arange(steps)[None] < torch.randint(steps * 3 // 4, steps + 1, (samples, 1))


def one_hot(rows):
    x = torch.zeros(len(features[rows]), steps, 4 + sum(sizes))
    x[:, :, :4] = features[rows]
    return x.scatter_(2, columns[rows], 1.0)


def goals_epoch(net, adam, batch):
    order = torch.randperm(samples)
    for k in range(0, samples, batch):
        rows = order[k : k + batch]
        logits = net.head(net.lstm(one_hot(rows))[0])
        loss = torch.nn.functional.cross_entropy(logits[used[rows]], labels[rows][used[rows]])
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()


def goals_predict(net):
    net.eval()
    with torch.no_grad():
        net.head(net.lstm(one_hot(slice(None)))[0])
    net.train()


for units in (64, 128):
    goals = Net(units, 2, 4 + sum(sizes), classes, 0.2)
    adam = torch.optim.Adam(goals.parameters(), lr=1e-2, eps=1e-7)
    clock(f"goals_epoch_64_two_layers_of_{units}", lambda: goals_epoch(goals, adam, 64))
    clock(f"goals_predict_two_layers_of_{units}", lambda: goals_predict(goals))
