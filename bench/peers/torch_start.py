"""One prediction of PyTorch in a fresh process, from a file of weights: what bench/start times.

    python3 torch_start.py NET FILE            makes FILE, the weights of an untrained net
    python3 torch_start.py NET FILE --predict  loads it and predicts one picture of zeros
"""
import sys

import torch

from torch_bench import NETS

build, shape, _ = NETS[sys.argv[1]]
torch.set_num_threads(1)
net = build().eval()
if len(sys.argv) == 3:
    torch.save(net.state_dict(), sys.argv[2])
else:
    net.load_state_dict(torch.load(sys.argv[2]))
    with torch.no_grad():
        print(int(net(torch.zeros(1, *shape)).argmax()))
