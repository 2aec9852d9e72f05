"""How fast scans are spoilt and repaired here: images/s, one line each, with scikit-image beside our CT.

    python benchmarks/restoration.py [--size 64] [--images 64]

The Radon transform and its inverse are scikit-image's own arithmetic as one sparse matrix for the whole
batch; what bounds them is memory bandwidth. The conventional methods work image by image on one core.
"""

import argparse
import time
import warnings

import numpy as np
import torch
from skimage.transform import iradon, radon

from medgan_helpers import degradation, restoration
from medgan_helpers.simulator import brain

VIEWS = 32


def rate(work, images):
    """Images per second of work(), the best of three after one that warms up."""
    work()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return images / min(times)


def main():
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--images", type=int, default=64)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # scikit-image warns of every image that leaves its circle
    torch.set_num_threads(1)
    n, images = options.images, brain.slices(options.images, options.size)
    rays, theta = degradation.radon(images, VIEWS), np.arange(VIEWS) * 180 / VIEWS
    few = [image.numpy() for image in images[:8, 0]]
    size, sinograms = options.size, [ray.numpy().T for ray in rays[:8]]
    pairs = {
        "Radon transform": (
            lambda: degradation.radon(images, VIEWS),
            lambda: [radon(image, theta, circle=False) for image in few],
        ),
        "filtered back-projection": (
            lambda: degradation.filtered_back_projection(rays, size),
            lambda: [iradon(sinogram, theta, circle=False) for sinogram in sinograms],
        ),
    }
    for name, (ours, theirs) in pairs.items():
        mine, other = rate(ours, n), rate(theirs, 8)
        print(f"{name:26s} {mine:9.0f} images/s, scikit-image {other:6.0f}: {mine / other:.0f} times as fast")
    for modality in degradation.MODALITIES:
        speed = rate(lambda m=modality: degradation.apply(images, m), n)
        print(f"degradation {modality:14s} {speed:9.0f} images/s")
    for name, method in restoration.METHODS.items():
        print(f"restoration {name:18s} {rate(lambda m=method: m(images[:8]), 8):5.0f} images/s")


if __name__ == "__main__":
    main()
