#!/usr/bin/env python3
"""Nets of torchvision with random weights as ONNX files, and what PyTorch makes of three random pictures in doubles.

    torch_onnx_families.py FOLDER [--opset N] [NAME ...]

Writes FOLDER/NAME.onnx and FOLDER/NAME.safetensors (input and logits, for "espalier convert --check"). Needs torch,
torchvision, onnx and safetensors (pip). Statistics of batch norm are set to what the pictures have, so that random
weights give answers of ordinary size."""
import argparse
import copy
import os
import warnings

import numpy
import onnx
import torch
import torchvision
from safetensors.numpy import save_file

warnings.filterwarnings("ignore")

SIZES = {"vgg11_bn": 224}
NAMES = ("resnet18 resnet50 vgg11_bn mobilenet_v2 mobilenet_v3_small mobilenet_v3_large shufflenet_v2_x0_5 squeezenet1_0 "
         "densenet121 efficientnet_b0 regnet_x_400mf regnet_y_400mf mnasnet0_5 googlenet efficientnet_v2_s convnext_tiny").split()


def build(name):
    torch.manual_seed(7)
    options = {"init_weights": True} if name == "googlenet" else {}
    return getattr(torchvision.models, name)(weights=None, num_classes=10, **options)


def settle(net, pictures):
    """One pass with batch norm in training mode and momentum 1 takes the pictures' statistics over."""
    net.eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
            module.train()
    with torch.no_grad():
        net(pictures)
    return net.eval()


def write(folder, name, opset):
    size = SIZES.get(name, 64)
    pictures = torch.randn(16, 3, size, size)
    net = settle(build(name), pictures)
    pictures = pictures[:3]
    with torch.no_grad():
        logits = copy.deepcopy(net).double()(pictures.double()).float()
    path = os.path.join(folder, name)
    # A net of one batch size would have it in its shapes; some operations of old opsets need that.
    axes = {"input": {0: "batch"}} if opset > 11 else None
    torch.onnx.export(net, pictures[:1], path + ".onnx", opset_version=opset, input_names=["input"], output_names=["logits"],
                      dynamic_axes=axes)
    onnx.checker.check_model(path + ".onnx")
    save_file({"input": pictures.numpy(), "logits": numpy.ascontiguousarray(logits.numpy())}, path + ".safetensors")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder")
    arguments.add_argument("names", nargs="*", default=[])
    arguments.add_argument("--opset", type=int, default=17)
    given = arguments.parse_intermixed_args()
    os.makedirs(given.folder, exist_ok=True)
    for name in given.names or NAMES:
        write(given.folder, name, given.opset)


main()
