#!/usr/bin/python3
"""Records what Pillow makes of small pictures: the numbers that test_resample.c and test_picture.c compare with.

Run in this folder with Debian's python3-pil (made with 9.4.0); writes pillow_resize.txt, pillow_pictures.txt
and pictures/. The tolerance is zero for 8-bit pictures and float rounding for mode F.
"""
import os

from PIL import Image, ImageOps


def value(i):
    """The same sequence is computed in the tests."""
    return ((i * 2654435761 + 12345) % 2**32) >> 24


def noise(mode, width, height):
    channels = len(mode)
    return Image.frombytes(mode, (width, height), bytes(value(i) for i in range(width * height * channels)))


def flat(image):
    return " ".join(str(v) for v in image.tobytes())


def centre_crop(image, width, height):
    """torchvision's Resize of the short side and CenterCrop, with PIL's own resize."""
    w, h = image.size
    if w * height <= width * h:
        size = (width, width * h // w)
    else:
        size = (height * w // h, height)
    image = image.resize(size, Image.BILINEAR)
    left = int(round((size[0] - width) / 2))
    top = int(round((size[1] - height) / 2))
    return image.crop((left, top, left + width, top + height))


def resizes(out):
    cases = [("RGB", 20, 14, 7, 9), ("RGB", 5, 4, 11, 8), ("L", 33, 47, 16, 16), ("RGB", 100, 3, 5, 5),
             ("L", 9, 9, 9, 4), ("RGB", 12, 10, 5, 10), ("L", 1, 1, 3, 2), ("RGB", 31, 17, 30, 16)]
    for mode, w, h, to_w, to_h in cases:
        image = noise(mode, w, h)
        for rule in ("stretch", "crop"):
            done = image.resize((to_w, to_h), Image.BILINEAR) if rule == "stretch" else centre_crop(image, to_w, to_h)
            out.write(f"{rule} {len(mode)} {h} {w} {to_h} {to_w}\n{flat(done)}\n")
    for w, h, to_w, to_h in [(20, 14, 7, 9), (5, 4, 11, 8), (50, 40, 3, 3)]:
        image = noise("L", w, h).convert("F").resize((to_w, to_h), Image.BILINEAR)
        values = " ".join(repr(image.getpixel((x, y))) for y in range(to_h) for x in range(to_w))
        out.write(f"float 1 {h} {w} {to_h} {to_w}\n{values}\n")


def smooth(width=24, height=16):
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            image.putpixel((x, y), (x * 255 // (width - 1), y * 255 // (height - 1), (x * y * 3) % 256))
    return image


def large():
    """Big enough for a JPEG to be decoded at an eighth of its size: shapes with soft and hard edges."""
    image = Image.new("RGB", (512, 384))
    image.putdata([(x // 2, y * 2 // 3, 255 if (x - 200) ** 2 + (y - 150) ** 2 < 9000 else (x + y) // 4)
                   for y in range(384) for x in range(512)])
    return image


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010F] = "a camera"
    return data


def pictures(out):
    os.makedirs("pictures", exist_ok=True)
    image = smooth()
    files = {
        "rgb.jpg": (image, {"quality": 90}),
        "subsampled.jpg": (image, {"quality": 75, "subsampling": 2}),
        "large.jpg": (large(), {"quality": 60}),
        "grey.jpg": (image.convert("L"), {"quality": 90}),
        "cmyk.jpg": (image.convert("CMYK"), {"quality": 90}),
        "progressive.jpg": (image, {"quality": 90, "progressive": True}),
        "rgb.png": (image, {}),
        "rgba.png": (image.convert("RGBA"), {}),
        "grey.png": (image.convert("L"), {}),
        "bilevel.png": (image.convert("1"), {}),
        "palette.png": (image.convert("P", palette=Image.ADAPTIVE, colors=16), {}),
        "turned.png": (image, {"exif": exif(6)}),
        "lossless.webp": (image, {"lossless": True}),
        "lossy.webp": (image, {"quality": 80}),
        "turned.webp": (image, {"lossless": True, "exif": exif(8)}),
    }
    for orientation in range(1, 9):
        files[f"orientation{orientation}.jpg"] = (image, {"quality": 90, "exif": exif(orientation)})
    for name, (picture, how) in sorted(files.items()):
        picture.save(f"pictures/{name}", **how)
        read = ImageOps.exif_transpose(Image.open(f"pictures/{name}"))
        mode = "L" if read.mode in ("L", "1") else "RGB"
        w, h = read.size
        done = read.convert(mode).resize((6, 5), Image.BILINEAR)
        out.write(f"{name} {len(mode)} {h} {w} 5 6\n{flat(done)}\n")


if __name__ == "__main__":
    with open("pillow_resize.txt", "w", encoding="ascii") as out:
        resizes(out)
    with open("pillow_pictures.txt", "w", encoding="ascii") as out:
        pictures(out)
