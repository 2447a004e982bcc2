#!/usr/bin/env python3
"""Small models of Keras, which tests/cli/convert_keras reads, and what Keras computes with them. The seeds of
fuzz_keras_file are two of them; those of fuzz_keras are what espalier-read-h5 makes of them.

    tests/golden/keras_files.py tests/golden/keras

Run once with Keras 3 (written with 3.15 on jax) and once with TensorFlow's Keras 2 (2.15); each writes the
files of its version. Keras 3 also writes keras1.h5, the Sequential model by hand in the layout of Keras 1.2.
"""
import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import h5py
import numpy as np

try:
    from tensorflow import keras
    version = 2
except ImportError:
    import keras
    version = 3
from safetensors.numpy import save_file

layers = keras.layers
folder = sys.argv[1]
random = np.random.default_rng(5)


def functional():
    """What the nets of keras.applications are made of, with names that are not those Keras gives."""
    picture = layers.Input((9, 10, 3), name="picture")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="scaled")(picture)
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = entry = layers.ReLU(6.0, name="six")(x)
    x = layers.SeparableConv2D(4, 3, padding="same", name="sep")(x)
    x = layers.BatchNormalization(scale=False, name="norm_without_scale")(x)
    x = layers.Activation("hard_sigmoid", name="hard")(x)
    x = layers.Add(name="sum")([x, entry])
    gate = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    gate = layers.Conv2D(4, 1, activation="sigmoid", name="excite")(gate)
    x = layers.Multiply(name="gated")([x, gate])
    x = layers.ZeroPadding2D(((1, 0), (2, 1)), name="padded")(x)
    x = layers.DepthwiseConv2D(3, dilation_rate=1, padding="valid", name="depth")(x)
    left = layers.AveragePooling2D(2, strides=1, padding="same", name="left")(x)
    right = layers.Cropping2D(((0, 1), (1, 0)), name="cropped")(layers.ZeroPadding2D(((1, 0), (0, 1)), name="moved")(x))
    x = layers.Concatenate(name="both")([left, right])
    x = layers.Flatten(name="flat")(x)
    x = layers.Dropout(0.5, name="dropped")(x)
    return keras.Model(picture, layers.Dense(4, activation="softmax", name="head")(x), name="all_kinds")


def sequential():
    return keras.Sequential([
        layers.Input((7, 6, 2)),
        layers.Conv2D(3, (3, 2), activation="relu", name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.MaxPooling2D(2, strides=1, name="pool"),
        layers.Flatten(name="flat"),
        layers.Dense(4, name="fc"),
    ], name="in_a_row")


def nested():
    """What code for transfer learning writes: models within a model, the preparation in front of them."""
    picture = layers.Input((8, 8, 3), name="picture")
    base = layers.Input((8, 8, 3))
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name="pad")(base)
    x = layers.Conv2D(4, 3, strides=2, use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = keras.Sequential([layers.Conv2D(4, 1, name="point"), layers.ReLU(name="relu")], name="inner")(x)
    base = keras.Model(base, layers.ZeroPadding2D(1, name="last_pad")(x), name="base")
    norm = layers.Normalization(name="numbers")
    norm.adapt(random.uniform(-2, 2, (20, 8, 8, 3)).astype("float32"))
    x = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)], name="augment")(picture)
    x = norm(keras.applications.densenet.preprocess_input(x))
    x = layers.Conv2D(4, 3, name="conv")(base(x, training=False))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.Sequential([layers.Dense(6, activation="relu", name="hidden"), layers.Dropout(0.2)], name="top")(x)
    return keras.Model(picture, layers.Dense(4, name="hidden")(x), name="wrapped")


def draw(net):
    """Weights between 0.2 and 1 with signs; variances and scales positive."""
    net.set_weights([random.uniform(0.2, 1, w.shape) * (1 if w.ndim == 1 else random.choice([-1, 1], w.shape))
                     for w in net.get_weights()])


def record(name, net, inputs, as_bytes):
    logits = net(inputs.astype("float32"), training=False)
    logits = np.asarray(logits)
    if net.layers[-1].activation is keras.activations.softmax:
        logits = np.log(logits)  # up to a number for each sample
        below = keras.Model(net.inputs, net.layers[-1].input)
        kernel, bias = net.layers[-1].get_weights()
        logits = np.asarray(below(inputs.astype("float32"))) @ kernel + bias
    stored = {"input_u8_nhwc": inputs} if as_bytes else {"input": np.ascontiguousarray(inputs.transpose(0, 3, 1, 2))}
    save_file({**stored, "logits": logits.astype("float32").copy()}, f"{folder}/{name}.safetensors")


def write_keras_1(net):
    """Every key that Keras 1.2 writes for these layers, and no other."""
    conv, norm, pool, flat, fc = net.layers
    config = [
        {"class_name": "Convolution2D", "config": {
            "name": "conv", "trainable": True, "batch_input_shape": [None, 7, 6, 2], "input_dtype": "float32",
            "nb_filter": 3, "nb_row": 3, "nb_col": 2, "init": "glorot_uniform", "activation": "relu",
            "border_mode": "valid", "subsample": [1, 1], "dim_ordering": "tf", "bias": True}},
        {"class_name": "BatchNormalization", "config": {
            "name": "norm", "trainable": True, "axis": -1, "mode": 0, "epsilon": 1e-3, "momentum": 0.99}},
        {"class_name": "MaxPooling2D", "config": {
            "name": "pool", "trainable": True, "pool_size": [2, 2], "strides": [1, 1], "border_mode": "valid",
            "dim_ordering": "tf"}},
        {"class_name": "Flatten", "config": {"name": "flat", "trainable": True}},
        {"class_name": "Dense", "config": {
            "name": "fc", "trainable": True, "output_dim": 4, "input_dim": None, "init": "glorot_uniform",
            "activation": "linear", "bias": True}},
    ]
    names = {"conv": ["conv_W", "conv_b"], "norm": ["norm_gamma", "norm_beta", "norm_running_mean", "norm_running_std"],
             "fc": ["fc_W", "fc_b"]}
    with h5py.File(f"{folder}/keras1.h5", "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": config}).encode()
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [layer.name.encode() for layer in net.layers]
        for layer in net.layers:
            group = weights.create_group(layer.name)
            own = names.get(layer.name, [])
            group.attrs["weight_names"] = [name.encode() for name in own]
            for name, values in zip(own, layer.get_weights()):
                group[name] = values


os.makedirs(folder, exist_ok=True)
pictures = random.integers(0, 256, (2, 9, 10, 3), dtype=np.uint8)
numbers = random.normal(size=(2, 7, 6, 2)).astype("float32")
net = functional()
draw(net)
record(f"keras{version}", net, pictures, True)
net.save(f"{folder}/keras{version}.h5")
net.save(f"{folder}/keras{version}.keras")
net = sequential()
draw(net)
record(f"keras{version}_row", net, numbers, False)
net.save(f"{folder}/keras{version}_row.keras")
net.save_weights(f"{folder}/keras{version}_row{'_weights.h5' if version == 2 else '.weights.h5'}")
if version == 3:
    record("keras1", net, numbers, False)
    write_keras_1(net)
pictures = random.integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
net = nested()
kept = net.get_layer("numbers").get_weights()
draw(net)
net.get_layer("numbers").set_weights(kept)
net.get_layer("numbers").finalize_state()
record(f"keras{version}_nested", net, pictures, True)
net.save(f"{folder}/keras{version}_nested.h5")
net.save(f"{folder}/keras{version}_nested.keras")
