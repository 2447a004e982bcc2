#!/usr/bin/python3
"""Writes small arrays as NumPy saves them, for test_npy.c: every type, version 2 of the format, and archives.

Run in this folder with Debian's python3-numpy (made with 1.24.2); writes arrays/. The values are formulas
that the test knows: number i of an array is (i * 7) % 100 - 20 (unsigned: without the - 20).
"""
import os
import shutil

import numpy as np


def numbers(shape, kind):
    count = int(np.prod(shape))
    values = np.arange(count) * 7 % 100 - (0 if kind in ("u", "b") else 20)
    return values.reshape(shape)


def labels(count):
    return np.arange(count) % 3


def pair(name, x, y):
    np.save(f"arrays/x_{name}.npy", x)
    np.save(f"arrays/y_{name}.npy", y)


if __name__ == "__main__":
    shutil.rmtree("arrays", ignore_errors=True)
    os.makedirs("arrays")
    for kind in ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"):
        pair(kind, numbers((6, 5), kind[0]).astype(kind), labels(6).astype("i8"))
    pair("planes", numbers((6, 3, 4, 5), "u").astype("u1"), labels(6).astype("u1"))
    pair("last", numbers((6, 4, 5, 3), "u").astype("u1"), labels(6).astype("f8").reshape(6, 1))
    pair("grey", numbers((6, 4, 5), "u").astype("u1"), labels(6).astype("i4"))
    pair("big", numbers((6, 5), "f").astype(">f4"), labels(6))
    pair("fortran", np.asfortranarray(numbers((6, 5), "f").astype("f4")), labels(6))
    pair("complex", numbers((6, 5), "f").astype("c8"), labels(6))
    pair("records", np.zeros(6, dtype=[("a", "<f4"), ("b", "<i4")]), labels(6))
    with open("arrays/x_version2.npy", "wb") as file:
        np.lib.format.write_array(file, numbers((6, 5), "f").astype("f4"), version=(2, 0))
    np.save("arrays/y_version2.npy", labels(6))
    np.savez("arrays/stored.npz", X=numbers((6, 5), "f").astype("f4"), y=labels(6))
    np.savez_compressed("arrays/packed.npz", x_train=numbers((6, 4, 5), "u").astype("u1"), y_train=labels(6),
                        x_test=numbers((3, 4, 5), "u").astype("u1"), y_test=labels(3))
