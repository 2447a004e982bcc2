"""Writes nets of keras.applications with random weights, and what Keras computes with them.

    python keras_families.py FOLDER [FAMILY ...]

For each family FOLDER gets <family>.h5, <family>.keras and <family>.reference.safetensors: three random
pictures (bytes) and the logits for them, the layout that "espalier convert --check" reads. The pictures
are smaller than those the families were made for, so that the files are quick to make; the layers are the
same. Norms get statistics of their own, since those of a fresh net would hide a mistake in them.
Needs keras, a backend of it (jax is small), h5py and safetensors.
"""
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np
from keras import applications as apps
from safetensors.numpy import save_file

CLASSES = 10
# family: (where its preparation is found, side of the pictures)
FAMILIES = {
    "VGG16": (apps.vgg16, 64),
    "VGG19": (apps.vgg19, 64),
    "ResNet50": (apps.resnet, 64),
    "ResNet101": (apps.resnet, 64),
    "ResNet50V2": (apps.resnet_v2, 64),
    "ResNet101V2": (apps.resnet_v2, 64),
    "InceptionV3": (apps.inception_v3, 139),
    "Xception": (apps.xception, 96),
    "MobileNet": (apps.mobilenet, 96),
    "MobileNetV2": (apps.mobilenet_v2, 96),
    "MobileNetV3Small": (apps.mobilenet_v3, 96),
    "MobileNetV3Large": (apps.mobilenet_v3, 96),
    "DenseNet121": (apps.densenet, 64),
    "EfficientNetB0": (apps.efficientnet, 64),
    "EfficientNetV2B0": (apps.efficientnet_v2, 64),
    "NASNetMobile": (apps.nasnet, 96),
}


def build(family, side, **settings):
    return getattr(apps, family)(weights=None, input_shape=(side, side, 3), classes=CLASSES, **settings)


def vary_norms(net, random):
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            for weight in layer.weights:
                around_one = weight.name in ("gamma", "moving_variance")
                weight.assign(random.uniform(0.5, 1.5, weight.shape) if around_one
                              else random.normal(0, 0.2, weight.shape))


def write(folder, family):
    preparing, side = FAMILIES[family]
    random = np.random.default_rng(7)
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    net = build(family, side)
    vary_norms(net, random)
    # the same net without its softmax, for the logits
    plain = build(family, side, classifier_activation=None)
    plain.set_weights(net.get_weights())
    pictures = random.integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    logits = np.asarray(plain(preparing.preprocess_input(pictures.astype("float32")), training=False))
    net.save(f"{folder}/{family}.h5")
    net.save(f"{folder}/{family}.keras")
    save_file({"input_u8_nhwc": pictures, "logits": np.ascontiguousarray(logits.reshape(3, CLASSES), "float32")},
              f"{folder}/{family}.reference.safetensors")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for family in sys.argv[2:] or FAMILIES:
        write(sys.argv[1], family)
