"""Photos a second as torchvision loads them: a folder of class folders, one JSON line.

    python3 torch_photos.py FOLDER [--workers N] [--batch N] [--epochs N]

Resize 256, middle 224x224, tensor, normalize, in batches by worker processes. Without torchvision the same
steps are done by Pillow and numpy, which is what torchvision calls for photos.
"""
import argparse
import glob
import json
import os
import statistics
import time

import numpy as np
import torch
from PIL import Image

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Photos(torch.utils.data.Dataset):
    """What ImageFolder and the usual transforms do, for machines without torchvision."""

    def __init__(self, folder):
        self.paths = sorted(glob.glob(os.path.join(folder, "*", "*.jp*g")))
        self.mean, self.deviation = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(DEVIATION).view(3, 1, 1)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        with open(self.paths[i], "rb") as f:
            photo = Image.open(f).convert("RGB")
        w, h = photo.size
        w, h = (256, int(256 * h / w)) if w < h else (int(256 * w / h), 256)
        photo = photo.resize((w, h), Image.BILINEAR)
        left, top = round((w - 224) / 2), round((h - 224) / 2)
        pixels = np.array(photo.crop((left, top, left + 224, top + 224)))
        values = torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float().div(255)
        return values.sub_(self.mean).div_(self.deviation), 0


def dataset(folder):
    try:
        from torchvision import datasets, transforms as T
    except ImportError:
        return "pillow", Photos(folder)
    steps = [T.Resize(256), T.CenterCrop(224), T.ToTensor(), T.Normalize(MEAN, DEVIATION)]
    return "torchvision", datasets.ImageFolder(folder, T.Compose(steps))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("folder")
    ap.add_argument("--workers", type=int, default=2)
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--epochs", type=int, default=3)
    a = ap.parse_args()
    torch.set_num_threads(1)
    peer, photos = dataset(a.folder)
    loader = torch.utils.data.DataLoader(photos, a.batch, num_workers=a.workers, persistent_workers=a.workers > 0)
    rates = []
    for _ in range(a.epochs + 1):  # the first starts the workers
        start, count = time.perf_counter(), 0
        for x, _ in loader:
            count += len(x)
        rates.append(count / (time.perf_counter() - start))
    print(json.dumps({"bench": "photos", "peer": peer, "workers": a.workers,
                      "photos_per_second": round(statistics.median(rates[1:]), 1)}))


if __name__ == "__main__":
    main()
