"""Writes golden.json and model.safetensors beside itself: LSTMs in PyTorch, their outputs, derivatives and trainings.

Made with torch 1.13.1 (python3-torch 1.13.1+dfsg-4 of Debian 12, which calls itself 1.13.0a0; CPU, one thread) and safetensors 0.8.0, Python 3.11:
python generate.py
"""
import json
import pathlib

import safetensors.torch
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_num_threads(1)
torch.manual_seed(20)
N, T, C, P, BATCH, EPOCHS = 75, 6, 9, 5, 32, 40
HERE = pathlib.Path(__file__).parent


class Net(torch.nn.Module):
    def __init__(self, layers, units, inputs=C):
        super().__init__()
        self.lstm = torch.nn.LSTM(inputs, units, layers, batch_first=True)
        self.head = torch.nn.Linear(units, P)

    def forward(self, x, state=None):
        return self.head(self.lstm(x, state)[0][:, -1])

    def masked(self, x, lengths):
        """Outputs of every step up to each sequence's length, and of its last step."""
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        hidden, (last, _) = self.lstm(packed)
        return self.head(pad_packed_sequence(hidden, batch_first=True, total_length=T)[0]), self.head(last[-1])


def flat(tensor):
    return [float(v) for v in tensor.detach().double().flatten()]


def weights(net):
    names = {"head.weight": "dense.0.weight", "head.bias": "dense.0.bias"}
    return {names.get(name, name): {"shape": list(p.shape), "values": flat(p)} for name, p in net.named_parameters()}


def parameters(net):
    return [flat(p) for p in net.parameters()]


def gradients(net):
    return [flat(p.grad) for p in net.parameters()]


def doubles(*shape, grad=False):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=grad)


def case(layers, units):
    """Forward, gradients of everything and ten full-batch Adam steps, in f64."""
    net = Net(layers, units).double()
    x, y = doubles(11, T, C, grad=True), doubles(11, P)
    h0, c0 = (doubles(layers, 11, units, grad=True) for _ in range(2))
    out = net(x, (h0, c0))
    loss = ((out - y) ** 2).mean()
    loss.backward()
    result = {"layers": layers, "units": units, "x": flat(x), "y": flat(y), "h0": flat(h0), "c0": flat(c0),
              "weights": weights(net), "outputs": flat(out), "loss": float(loss.detach()), "dx": flat(x.grad),
              "dh0": flat(h0.grad), "dc0": flat(c0.grad), "gradients": gradients(net)}
    steps(net, torch.optim.Adam(net.parameters(), lr=1e-2, eps=1e-7), x.detach(), y)
    result["after_adam"] = parameters(net)
    return result


def steps(net, optimizer, x, y, clip=None):
    """Ten full-batch steps."""
    for _ in range(10):
        optimizer.zero_grad()
        ((net(x) - y) ** 2).mean().backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()


def optimizers():
    """Parameters after ten steps of every optimizer from the same start."""
    x, y = doubles(11, T, C), doubles(11, P)
    start = Net(1, 3).double()
    runs = {
        "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        "adam_w": lambda p: torch.optim.AdamW(p, lr=1e-2, eps=1e-7, weight_decay=0.1),
        "weight_decay": lambda p: torch.optim.Adam(p, lr=1e-2, eps=1e-7, weight_decay=0.1),
        "clipped": lambda p: torch.optim.SGD(p, lr=0.1),
    }
    result = {"x": flat(x), "y": flat(y), "weights": weights(start)}
    for name, make in runs.items():
        net = Net(1, 3).double()
        net.load_state_dict(start.state_dict())
        steps(net, make(net.parameters()), x, y, 0.05 if name == "clipped" else None)
        result[name] = parameters(net)
    return result


def masked():
    """Sequences of several lengths: weighted cross-entropy at every step, and squared error at the last one."""
    net = Net(2, 4).double()
    x, y = doubles(11, T, C), doubles(11, P)
    lengths = torch.tensor([6, 1, 3, 6, 2, 5, 4, 1, 6, 2, 3])
    labels, class_weights = torch.randint(0, P, (11, T)), torch.tensor([0.5, 1.0, 2.0, 0.0, 1.5]).double()
    result = {"x": flat(x), "y": flat(y), "lengths": lengths.tolist(), "labels": labels.flatten().tolist(),
              "class_weights": flat(class_weights), "weights": weights(net)}
    every, last = net.masked(x, lengths)
    used = torch.arange(T)[None] < lengths[:, None]
    loss = torch.nn.functional.cross_entropy(every[used], labels[used], class_weights)
    loss.backward(retain_graph=True)
    result |= {"class_loss": float(loss.detach()), "class_gradients": gradients(net), "last_outputs": flat(last)}
    net.zero_grad()
    ((last - y) ** 2).mean().backward()
    result["last_gradients"] = gradients(net)
    return result


def categories():
    """Two categorical variables as one-hot features behind the others."""
    sizes = [4, 7]
    net = Net(2, 4, C + sum(sizes)).double()
    x, y = doubles(11, T, C, grad=True), doubles(11, P)
    ids = torch.stack([torch.randint(0, size, (11, T)) for size in sizes], 2)
    hot = [torch.nn.functional.one_hot(ids[..., v], size).double() for v, size in enumerate(sizes)]
    out = net(torch.cat([x, *hot], 2))
    ((out - y) ** 2).mean().backward()
    return {"sizes": sizes, "ids": ids.flatten().tolist(), "x": flat(x), "y": flat(y), "weights": weights(net),
            "outputs": flat(out), "gradients": gradients(net), "dx": flat(x.grad)}


def everything():
    """Categories beside features, given initial states, several lengths, and a weighted class at every step, in f64."""
    sizes = [4, 7]
    net = Net(2, 4, C + sum(sizes)).double()
    x = doubles(11, T, C, grad=True)
    h0, c0 = (doubles(2, 11, 4, grad=True) for _ in range(2))
    ids = torch.stack([torch.randint(0, size, (11, T)) for size in sizes], 2)
    hot = [torch.nn.functional.one_hot(ids[..., v], size).double() for v, size in enumerate(sizes)]
    lengths = torch.tensor([6, 1, 3, 6, 2, 5, 4, 1, 6, 2, 3])
    labels, class_weights = torch.randint(0, P, (11, T)), torch.tensor([0.5, 1.0, 2.0, 0.0, 1.5]).double()
    packed = pack_padded_sequence(torch.cat([x, *hot], 2), lengths, batch_first=True, enforce_sorted=False)
    hidden, _ = net.lstm(packed, (h0, c0))
    every = net.head(pad_packed_sequence(hidden, batch_first=True, total_length=T)[0])
    used = torch.arange(T)[None] < lengths[:, None]
    loss = torch.nn.functional.cross_entropy(every[used], labels[used], class_weights)
    loss.backward()
    return {"sizes": sizes, "ids": ids.flatten().tolist(), "x": flat(x), "h0": flat(h0), "c0": flat(c0),
            "lengths": lengths.tolist(), "labels": labels.flatten().tolist(), "class_weights": flat(class_weights),
            "weights": weights(net), "used_outputs": flat(every[used]), "loss": float(loss.detach()),
            "gradients": gradients(net), "dx": flat(x.grad), "dh0": flat(h0.grad), "dc0": flat(c0.grad)}


def jacobian():
    """d(h', c') by x and by (h, c) of one step."""
    cell = torch.nn.LSTMCell(C, 3).double()
    x, h, c = doubles(C), doubles(3), doubles(3)
    parts = torch.autograd.functional.jacobian(lambda x, h, c: torch.cat(cell(x, (h, c))), (x, h, c))
    named = {f"lstm.{name}_l0": {"shape": list(p.shape), "values": flat(p)} for name, p in cell.named_parameters()}
    return {"weights": named, "x": flat(x), "h": flat(h), "c": flat(c), "next": flat(torch.cat(cell(x, (h, c)))),
            "input": flat(parts[0]), "state": flat(torch.cat(parts[1:], 1))}


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
        angle = torch.tensor(torch.pi * epoch / EPOCHS, dtype=torch.float64)
        for group in adam.param_groups:
            group["lr"] = 1e-2 * (0.5 * (1 + torch.cos(angle).item()) + 0.001)
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


def model():
    """A file of a net of two layers, and its outputs."""
    net, x = Net(2, 6), torch.randn(11, T, C)
    safetensors.torch.save_file(net.state_dict(), HERE / "model.safetensors")
    return {"x": flat(x), "outputs": flat(net(x))}


golden = {"torch": torch.__version__, "dims": [N, T, C, P, BATCH, EPOCHS],
          "cases": [case(1, 3), case(2, 4), case(1, 12)], "optimizers": optimizers(), "masked": masked(),
          "categories": categories(), "jacobian": jacobian(), "training": training(), "model": model(),
          "everything": everything()}
(HERE / "golden.json").write_text(json.dumps(golden))
