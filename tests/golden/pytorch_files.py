#!/usr/bin/env python3
"""Files of torch.save that tests/unit/formats/test_pytorch.c reads and fuzz_pytorch begins from.

    tests/golden/pytorch_files.py tests/fuzz/seeds/pytorch      (written with PyTorch 1.13)

Values count up, so that what is read can be told from where it stands."""
import collections
import os
import sys
import zipfile

import torch

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def path(name):
    return os.path.join(folder, name)


count = torch.arange(24, dtype=torch.float32)
state = collections.OrderedDict()
state["conv.weight"] = count.reshape(2, 3, 2, 2)
state["conv.bias"] = torch.nn.Parameter(torch.tensor([0.5, -1.0]))
state["fc.weight"] = count[2:8].reshape(3, 2).t()  # shares its storage, and lies in columns
state["fc.half"] = torch.tensor([0.5, -2.0, 3.0], dtype=torch.float16)
state["fc.brain"] = torch.tensor([1.0, -0.5], dtype=torch.bfloat16)
state["bn.num_batches_tracked"] = torch.tensor(7)

torch.save(state, path("zip.pth"))
torch.save(state, path("legacy.pth"), _use_new_zipfile_serialization=False)
torch.save({"epoch": 3, "best": 0.5, "state_dict": {"module.fc.weight": count.reshape(4, 6)}, "optimizer": {"state": {}}},
           path("wrapped.pth"), _use_new_zipfile_serialization=False)
torch.save(state, path("protocol4.pth"), pickle_protocol=4)


class Attack:
    def __reduce__(self):
        return os.system, ("echo attacked",)


torch.save({"fc.weight": Attack()}, path("attack.pth"), _use_new_zipfile_serialization=False)
torch.save(torch.nn.Linear(2, 2), path("module.pth"))

with zipfile.ZipFile(path("no_pickle.pth"), "w") as archive:
    archive.writestr("archive/version", "3\n")
