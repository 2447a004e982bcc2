"""Photos of another size, for benchmarks of loading: the first COUNT of class folders, resized and saved as JPEG.

    python3 enlarge_photos.py FOLDER OUT [--width 500] [--height 375] [--count 300]
"""
import argparse
import glob
import os

from PIL import Image


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("folder")
    ap.add_argument("out")
    ap.add_argument("--width", type=int, default=500)
    ap.add_argument("--height", type=int, default=375)
    ap.add_argument("--count", type=int, default=300)
    a = ap.parse_args()
    classes = sorted(os.listdir(a.folder))
    for kind in classes:
        os.makedirs(os.path.join(a.out, kind), exist_ok=True)
        for path in sorted(glob.glob(os.path.join(a.folder, kind, "*.jp*g")))[: a.count // len(classes)]:
            photo = Image.open(path).convert("RGB").resize((a.width, a.height), Image.BICUBIC)
            photo.save(os.path.join(a.out, kind, os.path.basename(path)), quality=90)


if __name__ == "__main__":
    main()
