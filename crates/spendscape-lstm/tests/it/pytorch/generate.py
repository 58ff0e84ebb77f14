"""Writes golden.json beside itself: an LSTM in PyTorch, its outputs, gradients, ten Adam steps and a short training.

Made with torch 2.15.0 (CPU, one thread), Python 3.11: python generate.py
"""
import json
import pathlib

import torch

torch.set_num_threads(1)
torch.manual_seed(20)
N, T, C, P, BATCH, EPOCHS = 75, 6, 9, 5, 32, 40


class Net(torch.nn.Module):
    def __init__(self, layers, units):
        super().__init__()
        self.lstm = torch.nn.LSTM(C, units, layers, batch_first=True)
        self.head = torch.nn.Linear(units, P)

    def forward(self, x, state=None):
        return self.head(self.lstm(x, state)[0][:, -1])


def flat(tensor):
    return [float(v) for v in tensor.detach().double().flatten()]


def weights(net):
    names = {"head.weight": "dense.0.weight", "head.bias": "dense.0.bias"}
    return {names.get(name, name): {"shape": list(p.shape), "values": flat(p)} for name, p in net.named_parameters()}


def case(layers, units):
    """Forward, gradients of everything and ten full-batch Adam steps, in f64."""
    net = Net(layers, units).double()
    x = torch.randn(11, T, C, dtype=torch.float64, requires_grad=True)
    y = torch.randn(11, P, dtype=torch.float64)
    h0, c0 = (torch.randn(layers, 11, units, dtype=torch.float64, requires_grad=True) for _ in range(2))
    out = net(x, (h0, c0))
    loss = ((out - y) ** 2).mean()
    loss.backward()
    result = {"layers": layers, "units": units, "x": flat(x), "y": flat(y), "h0": flat(h0), "c0": flat(c0),
              "weights": weights(net), "outputs": flat(out), "loss": float(loss.detach()), "dx": flat(x.grad),
              "dh0": flat(h0.grad), "dc0": flat(c0.grad),
              "gradients": [flat(p.grad) for p in net.parameters()]}
    adam = torch.optim.Adam(net.parameters(), lr=1e-2, eps=1e-7)
    for _ in range(10):
        adam.zero_grad()
        ((net(x.detach()) - y) ** 2).mean().backward()
        adam.step()
    result["after_adam"] = [flat(p) for p in net.parameters()]
    return result


def training():
    """Loss of every epoch of a minibatch training in f32, with the orders used."""
    share = torch.rand(N, T, C) ** 4
    share = share / share.sum(2, keepdim=True)
    score = share.mean(1) @ torch.randn(C, P)
    y = torch.clip((score - score.mean(0)) / (3 * score.std(0)), -1, 1)
    net = Net(1, 3)
    start = weights(net)
    adam = torch.optim.Adam(net.parameters(), lr=1e-2, eps=1e-7)
    losses, orders = [], []
    for epoch in range(EPOCHS):
        for group in adam.param_groups:
            group["lr"] = 1e-2 * (0.5 * (1 + torch.cos(torch.tensor(torch.pi * epoch / EPOCHS, dtype=torch.float64)).item()) + 0.001)
        order = torch.randperm(N)
        total = 0.0
        for k in range(0, N, BATCH):
            rows = order[k:k + BATCH]
            loss = ((net(share[rows]) - y[rows]) ** 2).mean()
            total += loss.item() * len(rows)
            adam.zero_grad()
            loss.backward()
            adam.step()
        losses.append(total / N)
        orders.append(order.tolist())
    return {"x": flat(share), "y": flat(y), "start": start, "orders": orders, "losses": losses}


golden = {"torch": torch.__version__.split("+")[0], "dims": [N, T, C, P, BATCH, EPOCHS],
          "cases": [case(1, 3), case(2, 4), case(1, 12)], "training": training()}
(pathlib.Path(__file__).parent / "golden.json").write_text(json.dumps(golden))
