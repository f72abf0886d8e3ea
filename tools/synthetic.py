"""How long the sample takes to draw: `python tools/synthetic.py [images] [width]`."""

import sys
import tempfile
import time
from pathlib import Path

from lesions.sample import synthetic


def main(images: int = 300, width: int = 600) -> None:
    height = width * 3 // 4
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        synthetic.make_sample(Path(folder) / "sample", images, width, height)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    each = 1000 / images
    print(f"1,000 images of {width} x {height} as JPEG, with masks, from {images} drawn here:")
    print(f"{wall * each:.1f} s on the clock, {cpu * each:.1f} s of processor time")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
