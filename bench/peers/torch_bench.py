"""Speed of PyTorch on the nets that espalier is compared with: one JSON line.

    python3 torch_bench.py NET [--train | --frozen] [--mode nchw|nhwc|optimized|bf16|bf16-nhwc] [--batch N] [--threads N] [--seconds S]

NET is a name of espalier's own (resnet-20, wide-resnet-16-4, lenet-5, lenet-300-100, densenet-40-12,
mobilenet-v2). --train times forward, backward and an SGD step with momentum on a batch that is already
in memory; --frozen the same of a new head of ten classes on a frozen net, which computes as in inference and
without gradients; otherwise a forward pass without gradients ("optimized": TorchScript, frozen and optimized
for inference; "bf16": autocast). Steps in which another program took the processor are left out.
"""
import argparse
import json
import os
import resource
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def conv_bn(cin, cout, k, stride=1):
    return nn.Sequential(nn.Conv2d(cin, cout, k, stride, k // 2, bias=False), nn.BatchNorm2d(cout))


class Basic(nn.Module):
    """Post-activation block of the CIFAR ResNets, shortcut without parameters."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.a, self.b = conv_bn(cin, cout, 3, stride), conv_bn(cout, cout, 3)
        self.stride, self.half, self.rest = stride, (cout - cin) // 2, (cout - cin) - (cout - cin) // 2

    def forward(self, x):
        y = self.b(F.relu(self.a(x)))
        if self.rest:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.half, self.rest))
        return F.relu(x + y)


class Pre(nn.Module):
    """Pre-activation block of the wide ResNets."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.na, self.a = nn.BatchNorm2d(cin), nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.nb, self.b = nn.BatchNorm2d(cout), nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.short = nn.Conv2d(cin, cout, 1, stride, bias=False) if cin != cout else None

    def forward(self, x):
        y = F.relu(self.na(x))
        r = x if self.short is None else self.short(y)
        return r + self.b(F.relu(self.nb(self.a(y))))


class Grow(nn.Module):
    def __init__(self, cin, growth):
        super().__init__()
        self.n, self.c = nn.BatchNorm2d(cin), nn.Conv2d(cin, growth, 3, 1, 1, bias=False)

    def forward(self, x):
        return torch.cat((x, self.c(F.relu(self.n(x)))), 1)


class Shrink(nn.Module):
    def __init__(self, cin):
        super().__init__()
        self.n, self.c = nn.BatchNorm2d(cin), nn.Conv2d(cin, cin, 1, bias=False)

    def forward(self, x):
        return F.avg_pool2d(self.c(F.relu(self.n(x))), 2)


class Pool(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def stages(block, cin, widths, count):
    blocks = []
    for i, cout in enumerate(widths):
        for k in range(count):
            blocks.append(block(cin, cout, 2 if i and not k else 1))
            cin = cout
    return blocks


def resnet20():
    return nn.Sequential(conv_bn(3, 16, 3), nn.ReLU(), *stages(Basic, 16, (16, 32, 64), 3), Pool(), nn.Linear(64, 10))


def wrn():
    body = stages(Pre, 16, (64, 128, 256), 2)
    return nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), *body, nn.BatchNorm2d(256), nn.ReLU(), Pool(),
                         nn.Linear(256, 10))


def densenet():
    layers, c = [nn.Conv2d(3, 16, 3, 1, 1, bias=False)], 16
    for part in range(3):
        for _ in range(12):
            layers.append(Grow(c, 12))
            c += 12
        if part < 2:
            layers.append(Shrink(c))
    return nn.Sequential(*layers, nn.BatchNorm2d(c), nn.ReLU(), Pool(), nn.Linear(c, 10))


def lenet5():
    return nn.Sequential(nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


def lenet300():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))


class Inverted(nn.Module):
    """Expand, filter each channel, project: the block of MobileNetV2."""

    def __init__(self, cin, cout, stride, expansion):
        super().__init__()
        mid, layers = cin * expansion, []
        if expansion != 1:
            layers += [nn.Conv2d(cin, mid, 1, bias=False), nn.BatchNorm2d(mid), nn.ReLU6(inplace=True)]
        layers += [nn.Conv2d(mid, mid, 3, stride, 1, groups=mid, bias=False), nn.BatchNorm2d(mid), nn.ReLU6(inplace=True),
                   nn.Conv2d(mid, cout, 1, bias=False), nn.BatchNorm2d(cout)]
        self.body, self.again = nn.Sequential(*layers), stride == 1 and cin == cout

    def forward(self, x):
        return x + self.body(x) if self.again else self.body(x)


def mobilenet():
    layers, cin = [conv_bn(3, 32, 3, 2), nn.ReLU6(inplace=True)], 32
    for t, cout, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                                   (6, 320, 1, 1)):
        for k in range(count):
            layers.append(Inverted(cin, cout, stride if not k else 1, t))
            cin = cout
    return nn.Sequential(*layers, conv_bn(cin, 1280, 1), nn.ReLU6(inplace=True), Pool(), nn.Dropout(0.2), nn.Linear(1280, 1000))


NETS = {"resnet-20": (resnet20, (3, 32, 32), 10), "wide-resnet-16-4": (wrn, (3, 32, 32), 10),
        "densenet-40-12": (densenet, (3, 32, 32), 10), "lenet-5": (lenet5, (1, 28, 28), 10),
        "lenet-300-100": (lenet300, (1, 28, 28), 10), "mobilenet-v2": (mobilenet, (3, 224, 224), 1000)}


def switched():
    """How often another program took the processor from this one."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def blas():
    """The library that multiplies matrices; with the reference one PyTorch's figures are worthless."""
    with open("/proc/self/maps") as f:
        paths = sorted({line.split()[-1] for line in f if "blas" in line or "mkl" in line})
    if not any("openblas" in p or "mkl" in p for p in paths):
        print("torch_bench: PyTorch uses a slow BLAS; install OpenBLAS (libopenblas0-pthread)", file=sys.stderr)
    return ", ".join(os.path.basename(p) for p in paths)


def measure(step, seconds):
    """Times of single steps: of those in which no other program was let in, if there are enough."""
    clean, every, start = [], [], time.perf_counter()
    while time.perf_counter() - start < seconds or len(every) < 3:
        before, t = switched(), time.perf_counter()
        step()
        every.append(time.perf_counter() - t)
        if switched() == before:
            clean.append(every[-1])
    return clean if len(clean) >= 3 else every


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("net", choices=NETS)
    ap.add_argument("--train", action="store_true")
    ap.add_argument("--frozen", action="store_true")
    ap.add_argument("--mode", default="nchw", choices=("nchw", "nhwc", "optimized", "bf16", "bf16-nhwc"))
    ap.add_argument("--batch", type=int, default=128)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--seconds", type=float, default=4)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    build, shape, classes = NETS[a.net]
    net, head = build().train(a.train), None
    if a.frozen:
        net, head, classes = net[:-1], nn.Linear(net[-1].in_features, 10), 10
    x, y = torch.randn(a.batch, *shape), torch.randint(0, classes, (a.batch,))
    if a.mode.endswith("nhwc") and len(shape) == 3:
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    if a.mode == "optimized":
        with torch.no_grad():
            net = torch.jit.optimize_for_inference(torch.jit.trace(net, x))
    opt = torch.optim.SGD((head or net).parameters(), 0.01, momentum=0.9, weight_decay=1e-4)

    bf16 = torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.mode.startswith("bf16"))

    def train():
        opt.zero_grad(set_to_none=True)
        with bf16:
            loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()

    def train_head():
        opt.zero_grad(set_to_none=True)
        with torch.no_grad(), bf16:
            features = net(x)
        F.cross_entropy(head(features.float()), y).backward()
        opt.step()

    def infer():
        with torch.no_grad(), bf16:
            net(x)

    step = train if a.train else train_head if a.frozen else infer
    start = time.perf_counter()
    step()
    first = time.perf_counter() - start
    times = measure(step, a.seconds)
    print(json.dumps({"net": a.net, "peer": "pytorch " + torch.__version__, "blas": blas(), "mode": a.mode, "train": a.train, "frozen": a.frozen,
                      "threads": a.threads, "batch": a.batch, "median_ms": round(statistics.median(times) * 1e3, 4),
                      "min_ms": round(min(times) * 1e3, 4), "max_ms": round(max(times) * 1e3, 4),
                      "first_ms": round(first * 1e3, 2),
                      "images_per_second": round(a.batch / statistics.median(times), 1),
                      "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
