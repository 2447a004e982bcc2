#!/usr/bin/env python3
"""The ONNX file of PyTorch's newer exporter (torch.export, "dynamo") that tests/unit/formats/test_onnx.c reads, and what the net
answers in doubles.

    tests/golden/onnx_dynamo.py tests/fuzz/seeds/onnx tests/golden/onnx     (PyTorch 2.15, onnxscript, safetensors)"""
import os
import sys

import onnx
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

models, answers = sys.argv[1:]


class Net(nn.Module):
    """Batch norm that the exporter keeps or folds, depthwise, squeeze and excitation, a shape that is computed with."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.each = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
        self.bn2 = nn.BatchNorm2d(4)
        self.down, self.up = nn.Conv2d(4, 2, 1), nn.Conv2d(2, 4, 1)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        x = functional.hardswish(self.bn1(self.conv1(x)))
        y = self.bn2(self.each(x))
        y = y * functional.hardsigmoid(self.up(functional.relu(self.down(functional.adaptive_avg_pool2d(y, 1)))))
        x = functional.max_pool2d(functional.silu(x + y), 2)
        return self.fc(torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1))


torch.manual_seed(7)
net = Net()
for module in net.modules():
    if isinstance(module, nn.BatchNorm2d):
        module.running_mean.uniform_(-0.5, 0.5)
        module.running_var.uniform_(0.5, 2)
net.eval()
inputs = torch.randn(2, 3, 8, 8)
path = os.path.join(models, "dynamo.onnx")
torch.onnx.export(net, (inputs,), path, dynamo=True, external_data=False, dynamic_shapes=({0: torch.export.Dim("batch")},))
model = onnx.load(path)
for node in model.graph.node:  # where the lines of this script lay is of no interest
    kept = [entry for entry in node.metadata_props if not entry.key.endswith("stack_trace")]
    del node.metadata_props[:]
    node.metadata_props.extend(kept)
onnx.save(model, path)
with torch.no_grad():
    logits = net.double()(inputs.double()).float()
save_file({"input": inputs, "logits": logits}, os.path.join(answers, "dynamo.safetensors"))
