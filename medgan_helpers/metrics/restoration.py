"""A restored film against the clean one: PSNR and SSIM of each image."""

import torch

from ..checks import door, floats

OVERSHOOT = 0.5  # of a restoration that is not clipped; films in [-1, 1] lie further out


def _unit_pair(restored, clean):
    restored, clean = torch.as_tensor(restored).float(), torch.as_tensor(clean).float()
    if clean.isnan().any():
        raise ValueError("clean holds nan: expected images in [0, 1]")
    if clean.numel() == 0 or restored.isnan().any():
        raise ValueError("what was restored is empty or holds nan: did the training diverge?")
    if restored.shape != clean.shape or clean.ndim != 4:
        raise ValueError(
            f"expected two batches (B, C, H, W) of one shape, found {tuple(restored.shape)} and "
            f"{tuple(clean.shape)}"
        )
    if clean.min() < 0 or clean.max() > 1:
        raise ValueError(
            f"expected clean images in [0, 1], found [{clean.min():.2f}, {clean.max():.2f}]: "
            "images in [-1, 1] need (images + 1) / 2 first, or PSNR comes out 6 dB too low"
        )
    if restored.min() < -OVERSHOOT or restored.max() > 1 + OVERSHOOT:
        raise ValueError(
            f"expected restored images in [0, 1], found [{restored.min():.2f}, {restored.max():.2f}]: "
            "images in [-1, 1] need (images + 1) / 2 first"
        )
    return restored, clean


@door(restored=floats, clean=floats)
def psnr(restored, clean):
    """Peak signal-to-noise ratio of each image, in dB, data range 1: 10 log10(1 / mean squared error).

    restored, clean: (B, C, H, W) in [0, 1]. Returns (B,); equal images give inf.
    """
    from torchmetrics.functional.image import peak_signal_noise_ratio  # takes a second

    restored, clean = _unit_pair(restored, clean)
    return peak_signal_noise_ratio(restored, clean, data_range=1.0, reduction="none", dim=(1, 2, 3))


@door(restored=floats, clean=floats)
def ssim(restored, clean):
    """Structural similarity of each image (Wang et al. 2004: Gaussian window, sigma 1.5), data range 1.

    restored, clean: (B, C, H, W) in [0, 1], at least 11 px. Returns (B,); equal images give 1.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure  # takes a second

    restored, clean = _unit_pair(restored, clean)
    if min(clean.shape[-2:]) < 11:
        raise ValueError(f"images are {tuple(clean.shape[-2:])}: the window of SSIM needs 11 px a side")
    return structural_similarity_index_measure(restored, clean, data_range=1.0, reduction="none").reshape(-1)
