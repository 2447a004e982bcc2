#!/usr/bin/env python3
"""ONNX files that tests/unit/formats/test_onnx.c reads and fuzz_onnx begins from, and what the other program answers.

    tests/golden/onnx_files.py tests/fuzz/seeds/onnx tests/golden/onnx     (PyTorch 1.13, onnx 1.14, safetensors)

Nets of PyTorch are written by its exporter and computed by itself in doubles; models written node by node are computed with
NumPy and PyTorch's functions."""
import os
import sys
import warnings

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional

warnings.filterwarnings("ignore")
models, answers = sys.argv[1:]
os.makedirs(models, exist_ok=True)
os.makedirs(answers, exist_ok=True)


def record(name, inputs, logits):
    save_file({"input": numpy.ascontiguousarray(inputs, numpy.float32), "logits": numpy.ascontiguousarray(logits, numpy.float32)},
              os.path.join(answers, name + ".safetensors"))


# ---- by PyTorch's exporter ----


class Plain(nn.Module):
    """Folded batch norm, pooling with a partly filled window, what batch norm in front leaves."""

    def __init__(self):
        super().__init__()
        self.first = nn.BatchNorm2d(3)
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=(0, 1), dilation=(2, 1), groups=2)
        self.fc = nn.Linear(30, 5)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(functional.leaky_relu(self.first(x), 0.2))))
        x = functional.elu(self.conv2(functional.pad(self.pool(x), (1, 0, 2, 1))), 0.5)
        x = functional.avg_pool2d(x, 2, 1, count_include_pad=False)
        return self.fc(torch.flatten(functional.pad(x, (0, 1, 0, 0)), 1)[:, :30])


class Activations(nn.Module):
    """Activations that are spelled out, squeeze and excitation, constants."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.down, self.up = nn.Conv2d(4, 2, 1), nn.Conv2d(2, 4, 1)
        self.prelu = nn.PReLU(4)
        self.register_buffer("scale", torch.tensor([0.5, 2.0, -1.0, 3.0]).reshape(1, 4, 1, 1))
        self.inner, self.fc = nn.Linear(4, 4, bias=False), nn.Linear(4, 3)

    def forward(self, x):
        x = functional.silu(self.conv((x - 0.5) / 0.25))
        x = functional.gelu(x) * functional.hardsigmoid(self.up(functional.relu(self.down(x.mean((2, 3), keepdim=True)))))
        x = functional.hardswish(x) + functional.relu6(x + 3) / 6 * self.scale
        x = self.prelu(functional.avg_pool2d(x - self.scale, 3, 2, 1))
        return self.fc(torch.tanh(self.inner(x.mean((2, 3)))) + functional.selu(x.amax((2, 3))))


class Shuffle(nn.Module):
    """Shapes that are computed with, for a batch of any size."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.each = nn.Conv2d(2, 2, 3, padding=1, groups=2)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        left, right = self.conv(x).chunk(2, 1)
        x = torch.cat((left, self.each(right)), 1)
        count, channels, height, width = x.size()
        x = x.view(count, 2, channels // 2, height, width).transpose(1, 2).contiguous().view(count, -1, height, width)
        x = torch.cat((x[:, 0].unsqueeze(1) * 0.5 - 0.25, x[:, 1:]), 1)
        return self.fc(x[:, :, ::2].mean([2, 3]))


def export(name, net, opset, end=nn.Identity(), **options):
    torch.manual_seed(3)
    inputs = torch.randn(2, 3, 8, 8)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
    net.eval()
    torch.onnx.export(nn.Sequential(net, end).eval(), inputs[:1], os.path.join(models, name + ".onnx"), opset_version=opset, **options)
    with torch.no_grad():
        record(name, inputs, net.double()(inputs.double()))


torch.manual_seed(5)
export("plain", Plain(), 9, nn.LogSoftmax(1))
export("activations", Activations(), 13)
export("shuffle", Shuffle(), 17, input_names=["input"], dynamic_axes={"input": {0: "batch"}})

# ---- node by node ----

random = numpy.random.default_rng(1)


def values(*shape):
    return random.standard_normal(shape).astype(numpy.float32)


def save(name, nodes, tensors, opset, shape, notes=()):
    graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, *shape[1:]])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 5])], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    for key, value in notes:
        model.metadata_props.append(onnx.StringStringEntryProto(key=key, value=value))
    onnx.save(model, os.path.join(models, name + ".onnx"))


# Every way in which a tensor may be kept, and padding by rule.
halves, small = values(4, 2, 2, 2).astype(numpy.float16), values(4)
typed = [
    numpy_helper.from_array(values(2, 3, 3, 3), "w1"),
    helper.make_tensor("b1", TensorProto.FLOAT, [2], values(2)),
    helper.make_tensor("w2", TensorProto.FLOAT16, halves.shape, halves.flatten()),
    helper.make_tensor("b2", TensorProto.DOUBLE, [4], small.astype(float)),
    helper.make_tensor("w3", TensorProto.BFLOAT16, [4, 1, 2, 2], numpy.array([1, -2, 0.5, 3] * 4)),
    helper.make_tensor("target", TensorProto.INT64, [2], [0, -1]),
    helper.make_tensor("w4", TensorProto.INT32, [16, 5], (numpy.arange(80) % 7 - 3)),
    helper.make_tensor("b4", TensorProto.FLOAT, [1, 5], values(5)),
]
inputs = values(2, 3, 8, 8)
save("typed", [
    helper.make_node("Conv", ["x", "w1", "b1"], ["a"], "one", auto_pad="SAME_UPPER", strides=[2, 2]),
    helper.make_node("Cast", ["w2"], ["w2f"], to=TensorProto.FLOAT), helper.make_node("Cast", ["b2"], ["b2f"], to=TensorProto.FLOAT),
    helper.make_node("Conv", ["a", "w2f", "b2f"], ["b"], "two", auto_pad="SAME_LOWER"),
    helper.make_node("Cast", ["w3"], ["w3f"], to=TensorProto.FLOAT),
    helper.make_node("Conv", ["b", "w3f"], ["c"], "three", group=4, strides=[2, 2], kernel_shape=[2, 2]),
    helper.make_node("Reshape", ["c", "target"], ["d"]), helper.make_node("Cast", ["w4"], ["w4f"], to=TensorProto.FLOAT),
    helper.make_node("Gemm", ["d", "w4f", "b4"], ["y"], "four", alpha=0.5, beta=2.0),
], typed, 13, inputs.shape, notes=[("classes", '["a","b","c","d","e"]'), ("Image.NominalPixelRange", "Normalized_0_1"),
                                        ("Image.BitmapPixelFormat", "Bgr8")])

tensor = {t.name: torch.tensor(numpy_helper.to_array(t).astype(float)) for t in typed}
planes = functional.pad(torch.tensor(inputs.astype(float)), (0, 1, 0, 1))
planes = functional.conv2d(planes, tensor["w1"], tensor["b1"], 2)
planes = functional.conv2d(functional.pad(planes, (1, 0, 1, 0)), tensor["w2"], tensor["b2"])
planes = functional.conv2d(planes, tensor["w3"], None, 2, groups=4)
record("typed", inputs, 0.5 * planes.flatten(1) @ tensor["w4"] + 2 * tensor["b4"])

# Opset 9: what became inputs later are attributes.
old = [numpy_helper.from_array(values(12, 5), "w"), numpy_helper.from_array(values(5), "b"), numpy_helper.from_array(values(1, 5), "f")]
inputs = values(2, 3, 4, 4)
save("old", [
    helper.make_node("Slice", ["x"], ["a"], axes=[1, 2], starts=[0, 1], ends=[2, 9223372036854775807]),
    helper.make_node("Clip", ["a"], ["c"], min=0.0, max=6.0),
    helper.make_node("Split", ["c"], ["s1", "s2"], axis=1, split=[1, 1]), helper.make_node("Squeeze", ["s1"], ["q"], axes=[1]),
    helper.make_node("Unsqueeze", ["q"], ["u"], axes=[1]), helper.make_node("Sub", ["u", "s2"], ["d"]),
    helper.make_node("Transpose", ["d"], ["t"], perm=[0, 1, 3, 2]), helper.make_node("Flatten", ["t"], ["l"]),
    helper.make_node("Constant", [], ["k"], value=helper.make_tensor("k", TensorProto.FLOAT, [], [3.0])),
    helper.make_node("MatMul", ["l", "w"], ["m"], "dense"), helper.make_node("Add", ["b", "m"], ["n"]),
    helper.make_node("Add", ["n", "k"], ["n3"]), helper.make_node("Clip", ["n3"], ["n6"], min=0.0, max=6.0),
    helper.make_node("Mul", ["n", "n6"], ["h"]), helper.make_node("Constant", [], ["six"], value=helper.make_tensor("six", 1, [], [6.0])),
    helper.make_node("Div", ["h", "six"], ["z"]), helper.make_node("Mul", ["f", "z"], ["v"]), helper.make_node("Softmax", ["v"], ["y"]),
], old, 9, inputs.shape)
clipped = inputs[:, :2, 1:].clip(0, 6)
dense = (clipped[:, 0] - clipped[:, 1]).transpose(0, 2, 1).reshape(2, 12) @ numpy_helper.to_array(old[0]) + numpy_helper.to_array(old[1])
record("old", inputs, numpy_helper.to_array(old[2]) * dense * (dense + 3).clip(0, 6) / 6)

# Channels last, as TensorFlow has them.
inputs = values(2, 8, 8, 3)
last = [numpy_helper.from_array(values(*shape), name) for name, shape in
        (("w1", (4, 3, 3, 3)), ("bias", (4,)), ("w2", (4, 6)), ("b2", (6,)), ("scale", (6,)), ("shift", (6,)), ("w3", (12, 5)), ("b3", (5,)))]
number = {name: numpy_helper.from_array(numpy.float32(value), name) for name, value in (("two", 2), ("one", 1))}
save("last", [
    helper.make_node("Mul", ["x", "two"], ["x2"]), helper.make_node("Sub", ["x2", "one"], ["x3"]),
    helper.make_node("Transpose", ["x3"], ["first"], perm=[0, 3, 1, 2]), helper.make_node("Conv", ["first", "w1"], ["c"], "conv"),
    helper.make_node("Transpose", ["c"], ["l"], perm=[0, 2, 3, 1]), helper.make_node("Add", ["l", "bias"], ["lb"]),
    helper.make_node("Clip", ["lb", "zero", "six"], ["r"]), helper.make_node("MatMul", ["r", "w2"], ["m"], "point"),
    helper.make_node("Add", ["m", "b2"], ["mb"]), helper.make_node("LayerNormalization", ["mb", "scale", "shift"], ["n"], "norm", axis=-1),
    helper.make_node("ReduceMean", ["n"], ["p"], axes=[1, 2]), helper.make_node("Sigmoid", ["p"], ["g"]),
    helper.make_node("Mul", ["n", "g"], ["s"]), helper.make_node("Concat", ["s", "n"], ["k"], axis=3),
    helper.make_node("ReduceMax", ["k"], ["v"], axes=[1, 2], keepdims=0), helper.make_node("Gemm", ["v", "w3", "b3"], ["y"], "fc"),
], [*last, *number.values(), helper.make_tensor("zero", 1, [], [0.0]), helper.make_tensor("six", 1, [], [6.0])], 17, inputs.shape)
tensor = {t.name: torch.tensor(numpy_helper.to_array(t).astype(float)) for t in last}
planes = functional.conv2d(torch.tensor(inputs.astype(float)).permute(0, 3, 1, 2) * 2 - 1, tensor["w1"]).permute(0, 2, 3, 1)
planes = (planes + tensor["bias"]).clip(0, 6) @ tensor["w2"] + tensor["b2"]
planes = functional.layer_norm(planes, (6,), tensor["scale"], tensor["shift"])
planes = torch.cat((planes * planes.mean((1, 2), keepdim=True).sigmoid(), planes), 3)
record("last", inputs.transpose(0, 3, 1, 2), planes.amax((1, 2)) @ tensor["w3"] + tensor["b3"])

# Constants that are computed: batch norm folded by hand, weights in another order, numbers by every function.
inputs = values(2, 3, 4, 4)
given = {"hwio": values(3, 3, 3, 4), "gamma": values(4), "variance": abs(values(4)), "mean": values(4), "dense": values(5, 16),
         "table": values(3, 1, 5)}
given = {name: numpy_helper.from_array(value, name) for name, value in given.items()}
nodes = []


def node(op, taken, given, **attributes):
    nodes.append(helper.make_node(op, taken, [given], **attributes))


def number(name, **value):
    node("Constant", [], name, **value)


number("epsilon", value_float=0.5)
number("rows", value_ints=[4, 1, 1, 1])
number("rest", value_ints=[-1])
number("one", value_int=1)
number("pair", value_floats=[2.5, -3.5])
number("zero", value_ints=[0])
number("ones", value_ints=[1])
number("five", value_ints=[5])
for op, taken, gives, options in [
        ("Add", ["variance", "epsilon"], "v", {}), ("Sqrt", ["v"], "deviation", {}), ("Div", ["gamma", "deviation"], "scale", {}),
        ("Transpose", ["hwio"], "oihw", {"perm": [3, 2, 0, 1]}), ("Reshape", ["scale", "rows"], "scales", {}),
        ("Mul", ["oihw", "scales"], "w", {}), ("Mul", ["mean", "scale"], "ms", {}), ("Neg", ["ms"], "b", {}),
        ("Conv", ["x", "w", "b"], "c", {"name": "conv"}), ("Shape", ["c"], "shape", {}), ("Slice", ["shape", "zero", "ones"], "n", {}),
        ("Concat", ["n", "rest"], "to", {"axis": 0}), ("Reshape", ["c", "to"], "f", {}), ("Transpose", ["dense"], "turned", {}),
        ("MatMul", ["f", "turned"], "m", {"name": "dense"}), ("ConstantOfShape", ["five"], "bias", {"value": helper.make_tensor("q", 1, [1], [0.25])}),
        ("Add", ["m", "bias"], "mb", {}), ("Gather", ["table", "one"], "row", {}), ("Squeeze", ["row", "zero"], "flat", {}),
        ("Unsqueeze", ["flat", "zero"], "again", {}), ("Abs", ["again"], "positive", {}), ("Mul", ["mb", "positive"], "s", {}),
        ("Floor", ["pair"], "low", {}), ("Ceil", ["pair"], "high", {}), ("Cast", ["pair"], "whole", {"to": TensorProto.INT32}),
        ("Cast", ["whole"], "back", {"to": TensorProto.FLOAT}), ("Sub", ["high", "low"], "d", {}), ("Mul", ["d", "back"], "e", {}),
        ("Gather", ["e", "one"], "k", {}), ("Exp", ["k"], "ek", {}), ("Reciprocal", ["ek"], "r", {}), ("Pow", ["r", "epsilon"], "root", {}),
        ("Mul", ["s", "root"], "y", {})]:
    node(op, taken, gives, **options)
save("folded", nodes, list(given.values()), 13, inputs.shape, notes=[("names", "{0: 'ant', 1: 'bee', 2: 'cat', 3: 'dog', 4: 'eel'}")])
tensor = {name: numpy_helper.to_array(value).astype(float) for name, value in given.items()}
scale = tensor["gamma"] / numpy.sqrt(tensor["variance"] + 0.5)
planes = functional.conv2d(torch.tensor(inputs.astype(float)), torch.tensor(tensor["hwio"].transpose(3, 2, 0, 1) * scale.reshape(4, 1, 1, 1)),
                           torch.tensor(-tensor["mean"] * scale)).flatten(1).numpy()
record("folded", inputs, (planes @ tensor["dense"].T + 0.25) * abs(tensor["table"][1]) * numpy.exp(3) ** 0.5)

# Weights in a file beside the model.
graph = helper.make_graph([helper.make_node("Gemm", ["x", "w"], ["y"], "fc")], "beside",
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])],
                          [numpy_helper.from_array(numpy.arange(6, dtype=numpy.float32).reshape(3, 2), "w")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
open(os.path.join(answers, "beside.bin"), "w").close()  # it would be written on at its end
onnx.save(model, os.path.join(answers, "beside.onnx"), save_as_external_data=True, location="beside.bin", size_threshold=0)

# What must be refused.
save("quantized", [helper.make_node("QuantizeLinear", ["x", "s"], ["q"], "q"), helper.make_node("DequantizeLinear", ["q", "s"], ["y"])],
     [helper.make_tensor("s", TensorProto.FLOAT, [], [0.1])], 13, (1, 5))
