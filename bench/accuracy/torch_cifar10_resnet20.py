"""recipes/cifar10_resnet20.yaml written in PyTorch, to compare the accuracy both reach.

    python3 torch_cifar10_resnet20.py DATA [--epochs 30] [--seed 1] [--threads 2] [--state FILE]

DATA is the folder of CIFAR-10's binary files. Same net (option A shortcuts), same start (normal with
variance 2/fan-in), same optimizer, rate, decay, augmentation, batch and number of epochs; the random
numbers differ. Prints one JSON line an epoch; with --state it goes on where it was stopped.
"""
import argparse
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.a, self.na = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.b, self.nb = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        self.stride, self.more = stride, cout - cin

    def forward(self, x):
        y = self.nb(self.b(F.relu(self.na(self.a(x)))))
        if self.more:
            half = self.more // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.more - half))
        return F.relu(x + y)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        blocks, cin = [], 16
        for cout in (16, 32, 64):
            for i in range(3):
                blocks.append(Block(cin, cout, 2 if i == 0 and cout > 16 else 1))
                cin = cout
        self.blocks, self.head = nn.Sequential(*blocks), nn.Linear(64, 10)
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(m.weight, mode="fan_in", nonlinearity="relu")
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        return self.head(self.blocks(F.relu(self.norm(self.stem(x)))).mean((2, 3)))


def read(folder, names):
    raw = np.concatenate([np.fromfile(os.path.join(folder, n), np.uint8).reshape(-1, 3073) for n in names])
    x = torch.from_numpy(raw[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255)
    return (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1), torch.from_numpy(
        raw[:, 0].astype(np.int64)
    )


def augment(x):
    """Black border of 4, a random window of 32, flipped or not: for each picture on its own."""
    black = (-torch.tensor(MEAN) / torch.tensor(STD)).view(1, 3, 1, 1)
    wide = black.expand(x.shape[0], 3, 40, 40).clone()
    wide[:, :, 4:36, 4:36] = x
    out = torch.empty_like(x)
    top, left = torch.randint(0, 9, (2, x.shape[0])).tolist()
    flip = (torch.rand(x.shape[0]) < 0.5).tolist()
    for i in range(x.shape[0]):
        w = wide[i, :, top[i] : top[i] + 32, left[i] : left[i] + 32]
        out[i] = w.flip(2) if flip[i] else w
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("data")
    ap.add_argument("--epochs", type=int, default=30)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--state")
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    x, y = read(a.data, [f"data_batch_{i}.bin" for i in range(1, 6)])
    tx, ty = read(a.data, ["test_batch.bin"])
    net, batch, base, decay = ResNet20().to(memory_format=torch.channels_last), 128, 0.1, 5e-4
    weights = [p for p in net.parameters() if p.dim() > 1]
    others = [p for p in net.parameters() if p.dim() <= 1]
    opt = torch.optim.SGD(
        [{"params": weights, "weight_decay": decay}, {"params": others}], base, momentum=0.9, nesterov=True
    )
    steps = math.ceil(len(x) / batch)
    total, warm, first = steps * a.epochs, steps, 0
    if a.state and os.path.exists(a.state):
        s = torch.load(a.state)
        net.load_state_dict(s["net"]), opt.load_state_dict(s["opt"]), torch.set_rng_state(s["rng"])
        first = s["epoch"]
    for epoch in range(first, a.epochs):
        net.train()
        start, order, losses = time.time(), torch.randperm(len(x)), []
        for i in range(steps):
            t = epoch * steps + i
            rate = base * (t + 1) / warm if t < warm else base * 0.5 * (1 + math.cos(math.pi * (t - warm) / (total - warm)))
            for g in opt.param_groups:
                g["lr"] = rate
            pick = order[i * batch : (i + 1) * batch]
            loss = F.cross_entropy(net(augment(x[pick]).contiguous(memory_format=torch.channels_last)), y[pick])
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            losses.append(loss.item())
        net.eval()
        with torch.no_grad():
            hits = sum((net(tx[i : i + 500]).argmax(1) == ty[i : i + 500]).sum().item() for i in range(0, len(tx), 500))
        print(json.dumps({"epoch": epoch + 1, "loss": round(sum(losses) / len(losses), 4), "top1": hits / len(tx),
                          "seconds": round(time.time() - start, 1)}), flush=True)
        if a.state:
            torch.save({"net": net.state_dict(), "opt": opt.state_dict(), "rng": torch.get_rng_state(), "epoch": epoch + 1}, a.state)


if __name__ == "__main__":
    main()
