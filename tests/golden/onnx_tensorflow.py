#!/usr/bin/env python3
"""The ONNX file of tf2onnx that tests/unit/formats/test_onnx.c reads, and what Keras answers.

    tests/golden/onnx_tensorflow.py tests/fuzz/seeds/onnx tests/golden/onnx     (TensorFlow 2.15, tf2onnx, safetensors)"""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy
import tensorflow
import tf2onnx
from safetensors.numpy import save_file
from tensorflow.keras import layers

models, answers = sys.argv[1:]
tensorflow.keras.utils.set_random_seed(7)
# Padding on the right and below alone, channels last, a block that is added to.
inputs = layers.Input((8, 8, 3))
x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(inputs)
x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
y = layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x))
x = layers.Add()([x, layers.Conv2D(4, 1, activation="relu")(y)])
x = layers.AveragePooling2D(2, padding="same")(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
x = layers.Dense(3)(layers.GlobalAveragePooling2D()(x))
net = tensorflow.keras.Model(inputs, x)
random = numpy.random.default_rng(7)
for layer in net.layers:
    if isinstance(layer, layers.BatchNormalization):
        layer.set_weights([random.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
tf2onnx.convert.from_keras(net, input_signature=(tensorflow.TensorSpec((None, 8, 8, 3), tensorflow.float32),), opset=17,
                           output_path=os.path.join(models, "tensorflow.onnx"))
samples = random.standard_normal((2, 8, 8, 3)).astype(numpy.float32)
save_file({"input": numpy.ascontiguousarray(samples.transpose(0, 3, 1, 2)), "logits": net(samples, training=False).numpy()},
          os.path.join(answers, "tensorflow.safetensors"))
