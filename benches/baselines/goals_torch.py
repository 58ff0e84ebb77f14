"""Seconds of one pass of training and of a prediction for every customer by the two networks of next goals in PyTorch; the
peer of benches/goals.rs, on groups of the same kind.

Usage: OMP_NUM_THREADS=1 python3 goals_torch.py [threads]
Install: Debian's python3-torch (1.13), or PyPI's torch. Prints one JSON line per task; skips, and says so on standard
error, where PyTorch is missing.

Categories come in two ways: as one-hot features, which is the same function with the same number of weights, and as a sum of
embeddings of 64 numbers each, which is what one would write in PyTorch.
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

# As GoalParams' defaults, and the sizes of model/encode.rs without holidays and promotions.
UNITS, WINDOW, BATCH, RATE, LONGEST_GAP, PIECE = 64, 128, 64, 5e-3, 35, 512
GAPS, NEGLIGIBLE, PAYDAY, QUERIES = LONGEST_GAP + 2, 1e-4, 25, 4096

# As in the bench.
CUSTOMERS, DAYS, BUSY, goals, channels, levels_of = 1_000, np.arange(17_897, 18_627), 0.27, 12, 3, np.array([4, 3])

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
torch.set_num_threads(threads)
torch.manual_seed(1)

rng = np.random.default_rng(1)
busy = rng.random((CUSTOMERS, len(DAYS))) < BUSY
customers, groups, covariates = CUSTOMERS, int(busy.sum()), len(levels_of)
count, day = busy.sum(1), DAYS[np.nonzero(busy)[1]]
goal, channel = rng.integers(0, goals, groups), rng.integers(0, channels, groups)
spent = rng.integers(100, 20_000, groups)
levels = np.arange(customers)[:, None] % levels_of
first = np.concatenate([[0], np.cumsum(count)[:-1]])


def calendar(days):
    """Weekday, day of the month, days before its end, month, days since payday."""
    date = days.astype("datetime64[D]")
    month = date.astype("datetime64[M]")

    def payday(of):
        nominal = of.astype("datetime64[D]") + (PAYDAY - 1)
        return nominal - np.maximum((nominal.astype(int) + 3) % 7 - 4, 0)

    this = payday(month)
    since = (date - np.where(date >= this, this, payday(month - 1))).astype(int)
    end = (month + 1).astype("datetime64[D]")
    return np.stack(
        [
            (days + 3) % 7,
            (date - month.astype("datetime64[D]")).astype(int),
            (end - date).astype(int) - 1,
            month.astype(int) % 12,
            np.minimum(since, 31),
        ],
        -1,
    )


TABLE = calendar(np.arange(day.min(), day.max() + 400))
SIZES_LAST = [goals + 1, GAPS + 1, 8, 32, 32, 13, channels + 1, 32, 15, *(levels_of + 1)]
SIZES_NEXT = [GAPS + 1, 8, 32, 32, 13, 32, 2, 1]
gap = np.concatenate([[0], np.diff(day)])
gap[first] = GAPS
gap_id = np.minimum(gap, LONGEST_GAP + 1)
gap_id[first] = GAPS
log_spent = np.log1p(spent)
number = ((log_spent - log_spent.mean()) / log_spent.std()).astype(np.float32)
owner = np.repeat(np.arange(customers), count)
when = TABLE[day - day.min()]
ahead = np.full(groups, 14)
last_ids = np.column_stack(
    [goal, gap_id, when[:, 0], when[:, 1], when[:, 2], when[:, 3], channel, when[:, 4], ahead, levels[owner]]
)


def next_ids(days, gaps):
    kind = TABLE[days + gaps - day.min()]
    zero = np.zeros(len(days), int)
    return np.column_stack([np.minimum(gaps, LONGEST_GAP + 1), kind, zero, zero])


START = np.concatenate(
    [[goals, GAPS, 7, 31, 31, 12, channels, 31, 14], np.zeros(covariates, int), [GAPS, 7, 31, 31, 12, 31, 0, 0]]
)


class Net(torch.nn.Module):
    def __init__(self, sizes, outputs, embed):
        super().__init__()
        self.offsets = torch.tensor(np.concatenate([[0], np.cumsum(sizes)[:-1]]))
        self.width, self.embed = int(sum(sizes)), embed
        if embed:
            self.table = torch.nn.EmbeddingBag(self.width, UNITS, mode="sum")
            self.number = torch.nn.Linear(1, UNITS)
        self.lstm = torch.nn.LSTM(UNITS if embed else self.width + 1, UNITS, batch_first=True)
        self.head = torch.nn.Linear(UNITS, outputs)

    def inputs(self, ids, numbers):
        columns = ids + self.offsets
        if self.embed:
            flat = self.table(columns.reshape(-1, columns.shape[-1]))
            return flat.reshape(*columns.shape[:2], UNITS) + self.number(numbers[..., None])
        hot = torch.zeros(*columns.shape[:2], self.width + 1)
        hot[..., self.width] = numbers
        return hot.scatter_(2, columns, 1.0)


def windows(begins_with_start):
    """Customer, first step and number of steps of the windows, longest first."""
    cut = []
    for n, groups_of in enumerate(count):
        begin = 0 if begins_with_start else 1
        cut += [(n, at, min(WINDOW, int(groups_of) - at)) for at in range(begin, int(groups_of), WINDOW)]
    return sorted(cut, key=lambda window: -window[2])


def encode(cut, sees_next):
    """Ids (windows x longest x variables), numbers and lengths; step s holds group s - 1, and is told of group s."""
    longest = max(steps for _, _, steps in cut)
    variables = len(SIZES_LAST) + (len(SIZES_NEXT) if sees_next else 0)
    ids = np.zeros((len(cut), longest, variables), np.int64)
    numbers = np.zeros((len(cut), longest), np.float32)
    for row, (n, at, steps) in enumerate(cut):
        skip = int(at == 0)
        held = slice(first[n] + at - 1 + skip, first[n] + at + steps - 1)
        if skip:
            ids[row, 0] = START
            ids[row, 0, 9 : 9 + covariates] = levels[n]
        ids[row, skip:steps, : len(SIZES_LAST)] = last_ids[held]
        numbers[row, skip:steps] = number[held]
        if sees_next:
            following = slice(first[n] + at + skip, first[n] + at + steps)
            days = day[held]
            ids[row, skip:steps, len(SIZES_LAST) :] = next_ids(days, day[following] - days)
    return torch.from_numpy(ids), torch.from_numpy(numbers), torch.tensor([steps for _, _, steps in cut])


def labels(cut, longest, of):
    out = np.full((len(cut), longest), -100)
    for row, (n, at, steps) in enumerate(cut):
        out[row, :steps] = of[first[n] + at : first[n] + at + steps]
    return torch.from_numpy(out)


def train_pass(net, adam, cut, sees_next, of):
    net.train()
    for piece in np.random.default_rng(1).permutation(range(0, len(cut), PIECE)):
        part = cut[piece : piece + PIECE]
        ids, numbers, _ = encode(part, sees_next)
        truth = labels(part, ids.shape[1], of)
        order = torch.randperm(len(part))
        for k in range(0, len(part), BATCH):
            rows = order[k : k + BATCH]
            logits = net.head(net.lstm(net.inputs(ids[rows], numbers[rows]))[0])
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), truth[rows].flatten())
            adam.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            adam.step()


def ends(net, cut, sees_next):
    """States after the last step of windows sorted by falling length."""
    states = []
    for k in range(0, len(cut), PIECE):
        ids, numbers, lengths = encode(cut[k : k + PIECE], sees_next)
        packed = torch.nn.utils.rnn.pack_padded_sequence(net.inputs(ids, numbers), lengths, batch_first=True)
        states.append(net.lstm(packed)[1])
    return tuple(torch.cat([state[i] for state in states], 1) for i in (0, 1))


def predict(days_net, goals_net, until):
    """P(goal) of the group after the last one of every customer."""
    half = WINDOW // 2
    begin = lambda n, least: max((int(count[n]) // half - 1) * half, least)
    asked = sorted((n for n in range(customers) if count[n] > 0), key=lambda n: begin(n, 0) - int(count[n]))
    of_days = [(n, begin(n, 1), int(count[n]) + 1 - begin(n, 1)) for n in asked]
    of_goals = [(n, begin(n, 0), int(count[n]) - begin(n, 0)) for n in asked]
    with torch.no_grad():
        p = torch.softmax(days_net.head(ends(days_net, of_days, False)[0][0]).double(), 1).numpy()
        h, c = ends(goals_net, of_goals, True)
        last = first[asked] + count[asked] - 1
        over = np.arange(GAPS)[None] <= (until - day[last])[:, None]
        over[:, -1] = False
        p = np.where(over, 0.0, p)
        p /= p.sum(1, keepdims=True)
        rows, gaps = np.nonzero(p > NEGLIGIBLE)
        answers = np.zeros((len(asked), goals))
        for k in range(0, len(rows), QUERIES):
            row, of = rows[k : k + QUERIES], gaps[k : k + QUERIES]
            ids = np.column_stack([last_ids[last[row]], next_ids(day[last[row]], of)])[:, None]
            x = goals_net.inputs(torch.from_numpy(ids), torch.from_numpy(number[last[row]])[:, None])
            out = goals_net.lstm(x, (h[:, row].contiguous(), c[:, row].contiguous()))[0][:, 0]
            said = torch.softmax(goals_net.head(out).double(), 1).numpy()
            np.add.at(answers, row, said * p[row, of][:, None])
    return answers / answers.sum(1, keepdims=True)


def show(task, how, seconds):
    print(json.dumps({"peer": f"torch {torch.__version__}, {how}", "task": task, "s": seconds}), flush=True)


next_gap = np.minimum(gap, LONGEST_GAP + 1)
for embed, how in ((False, "one-hot"), (True, "embeddings")):
    nets = [Net(SIZES_LAST, GAPS, embed), Net(SIZES_LAST + SIZES_NEXT, goals, embed)]
    adams = [torch.optim.Adam(net.parameters(), lr=RATE) for net in nets]
    cuts = [windows(False), windows(True)]
    # A first batch, so that what PyTorch sets up once is not counted.
    for net, adam, cut, sees_next, of in zip(nets, adams, cuts, (False, True), (next_gap, goal)):
        train_pass(net, adam, cut[-BATCH:], sees_next, of)
    start = time.perf_counter()
    for net, adam, cut, sees_next, of in zip(nets, adams, cuts, (False, True), (next_gap, goal)):
        train_pass(net, adam, cut, sees_next, of)
    show("train_pass", how, time.perf_counter() - start)
    start = time.perf_counter()
    predict(*nets, int(day.max()))
    show("predict", how, time.perf_counter() - start)
