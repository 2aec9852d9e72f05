"""The conventional masters: denoisers, deblurrers, upsamplers and reconstructions, each tuned to its best.

    tuned = restoration.tune("xray", degraded, clean)        # on validation images
    restored = tuned["nlm"](degraded_test)                   # on test images

METHODS maps a name to a function images -> images, both (B, 1, H, W) in [0, 1], made of scikit-image's and
scipy's algorithms. `tune` wraps each in all the help that a careful user would give it: the best parameters,
the variance made equal first, the detector's own resolution, a straight line to put the grey values right.
BM3D is missing: its authors' package is not free for every use, the free ones need a GPU or have not been
kept up since 2017.
"""

import functools
import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from scipy import ndimage
from skimage import restoration, transform

from . import degradation, tomography
from .checks import (
    door,
    having,
    height_width,
    like,
    number,
    one_of,
    shaped,
    switch,
    tensor,
    whole,
)
from .checks import kspace as kspace_of
from .checks import names as names_of
from .fista import fista

# What `tune` tries: wide enough that the best lies inside at the default strengths of `degradation`, or at an
# end beyond which the method does nothing (gaussian, median, one iteration), sees the whole image or is the
# Gaussian (bilateral); few enough that a class can wait for it.
GRIDS = {
    "gaussian": {"sigma": (0.2, 0.4, 0.6, 0.8, 1.0, 1.4)},
    "median": {"size": (3, 5, 7)},
    "bilateral": {
        "sigma_color": (0.02, 0.05, 0.1, 0.2, 0.4, 0.8),
        "sigma_spatial": (0.8, 1.2, 2.0, 5.0, 14.0),
    },
    "tv": {"weight": (0.0025, 0.005, 0.01, 0.02, 0.04, 0.06, 0.09, 0.13, 0.2, 0.3)},
    "wavelet": {"sigma": (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.35, 0.5)},
    "nlm": {"h": (0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3), "patch_size": (3, 5)},
    "wiener": {"blur": (0.3, 0.4, 0.5, 0.8, 1.2), "balance": (0.01, 0.1, 0.3, 1.0)},
    "richardson_lucy": {"blur": (0.5, 0.8, 1.2), "iterations": (1, 2, 5)},
    "bicubic": {},
    "lanczos": {},
    "sart": {"relaxation": (0.15, 0.3, 0.6), "weight": (0.04, 0.08, 0.16)},
    "pwls": {"weight": (0.1, 0.2, 0.35, 0.6, 1.0)},
    "compressed_sensing": {"weight": (0.004, 0.007, 0.01, 0.015, 0.025)},
}
DENOISERS = ("gaussian", "median", "bilateral", "tv", "wavelet", "nlm")
SUITABLE = {  # what is tried on which modality
    "xray": ("bicubic", "lanczos", *DENOISERS, "wiener", "richardson_lucy"),
    "ct": (*DENOISERS, "sart", "pwls"),
    "mr": (*DENOISERS, "compressed_sensing"),
}
FROM_MEASUREMENT = ("sart", "pwls", "compressed_sensing")  # these start from what the machine measured
METHODS = {}
PARAMETERS = {  # of the methods; the others are numbers above 0
    **dict.fromkeys(("size", "patch_size", "factor"), whole(1, 64)),
    **dict.fromkeys(("iterations", "sweeps", "views"), whole(1, 10_000)),
    "shifts": whole(0, 16),
    "sigma": number(above=0, most=1000),
}


def method(function, together=False):
    """Enter a function (H, W) -> (H, W) into METHODS as one on batches, checked and kept in [0, 1].

    together: the function takes the whole batch. measured: for methods that start from the measurement, as
    from `degradation.measure`.
    """

    @functools.wraps(function)
    def on_batch(images, measured=None, **parameters):
        degradation.check(images)
        for name, value in parameters.items():
            PARAMETERS.get(name, number(above=0))(name, value)
        if measured is not None:
            _check_measured(function.__name__, images, measured)
        if together:
            return function(images, measured, **parameters)
        single = images[:, 0].cpu().double().numpy()
        if measured is None:
            restored = [function(image, **parameters) for image in single]
        else:
            known = measured.cpu().numpy()
            restored = [function(i, measured=m, **parameters) for i, m in zip(single, known, strict=True)]
        return torch.from_numpy(np.stack(restored)[:, None]).to(images).clamp(0, 1)

    METHODS[function.__name__] = on_batch
    return on_batch


def _check_measured(name, images, measured):
    """Refuse what no scanner measured of these images."""
    if name not in FROM_MEASUREMENT:
        raise TypeError(f"measured is given to {name}, which starts from the images alone: leave it out")
    if name == "compressed_sensing":
        kspace_of("measured", measured)
        like(images)("measured", measured)
    else:
        detectors = tomography.detectors_of(images.shape[-1])
        tensor(str(len(images)), "views", str(detectors))("measured", measured)


@method
def gaussian(image, sigma=0.8):
    """Gaussian smoothing, sigma in pixels."""
    return ndimage.gaussian_filter(image, sigma)


@method
def median(image, size=3):
    """Median of size x size pixels."""
    return ndimage.median_filter(image, size)


@method
def bilateral(image, sigma_color=0.1, sigma_spatial=1.2):
    """Bilateral filter (Tomasi & Manduchi 1998): a Gaussian over neighbours of similar grey.

    Not scikit-image's: the window of its denoise_bilateral (0.26) is skewed and lies off the centre.
    """
    grey = image.astype(np.float32) / (math.sqrt(2) * sigma_color)  # 8-bit images hold no more
    reach = min(math.ceil(2 * sigma_spatial), min(image.shape) // 2)  # what is farther changes nothing
    near = np.exp(-0.5 * (np.arange(-reach, reach + 1, dtype=np.float32) / sigma_spatial) ** 2)
    windows = sliding_window_view(np.pad(grey, reach, mode="edge"), image.shape)  # (down, across, H, W)
    total = weights = 0
    for down, moved in zip(near, windows, strict=True):
        alike = np.exp(-((moved - grey) ** 2))
        total = total + down * np.tensordot(near, alike * moved, 1)
        weights = weights + down * np.tensordot(near, alike, 1)
    return total / weights * (math.sqrt(2) * sigma_color)


@method
def tv(image, weight=0.06):
    """Total variation (Rudin, Osher & Fatemi 1992) by Chambolle's projection."""
    return restoration.denoise_tv_chambolle(image, weight=weight)


@method
def wavelet(image, sigma=0.03, shifts=1):
    """BayesShrink wavelet thresholding (Chang, Yu & Vetterli 2000), averaged over shifts."""
    total = np.zeros_like(image)
    for dy, dx in itertools.product(range(shifts + 1), repeat=2):
        rolled = np.roll(image, (dy, dx), (0, 1))
        denoised = restoration.denoise_wavelet(rolled, sigma=sigma, wavelet="db2")
        total += np.roll(denoised, (-dy, -dx), (0, 1))
    return total / (shifts + 1) ** 2


@method
def nlm(image, h=0.03, patch_size=3):
    """Non-local means (Buades, Coll & Morel 2005): the mean of pixels whose surroundings look alike."""
    return restoration.denoise_nl_means(image, patch_size, patch_distance=7, h=h, fast_mode=True)


@method
def wiener(image, blur=0.8, balance=0.03):
    """Wiener deconvolution with a Gaussian point spread (standard deviation `blur` pixels)."""
    return restoration.wiener(image, _point_spread(blur), balance)


@method
def richardson_lucy(image, blur=0.8, iterations=5):
    """Richardson-Lucy deconvolution with a Gaussian point spread: maximum likelihood under Poisson noise."""
    padded = np.pad(image, 8, mode="edge").clip(1e-3)
    return restoration.richardson_lucy(padded, _point_spread(blur), num_iter=iterations)[8:-8, 8:-8]


@method
def bicubic(image, factor=2):
    """Bicubic interpolation of the block means of factor x factor pixels."""
    return enlarge(block_means(image, factor), image.shape, "bicubic")


@method
def lanczos(image, factor=2):
    """Lanczos-3 interpolation (Duchon 1979) of the block means of factor x factor pixels."""
    return enlarge(block_means(image, factor), image.shape, "lanczos")


def block_means(image, factor):
    """Means over factor x factor pixels; scikit-image would fill blocks that reach over the edge with 0."""
    if image.shape[0] % factor or image.shape[1] % factor:
        raise ValueError(f"factor is {factor}: expected a divisor of the sides, {image.shape}")
    return transform.downscale_local_mean(image, (factor, factor))


@door(image=shaped("h", "w"), shape=height_width, filter_=one_of("bicubic", "lanczos"))
def enlarge(image, shape, filter_):
    """Interpolate (h, w) to `shape`; filter_: "bicubic" or "lanczos"."""
    picture = Image.fromarray(np.asarray(image, np.float32))
    return np.asarray(picture.resize(shape[::-1], Image.Resampling[filter_.upper()]), dtype=float)


@method
def sart(image, measured=None, views=32, sweeps=6, relaxation=0.3, weight=0.01):
    """Algebraic CT reconstruction (SART: Andersen & Kak 1984), each sweep followed by total variation, as in
    Sidky & Pan 2008.

    measured: the sinogram (views, detectors). Without it the image is projected again along the same `views`
    directions: all that one can do with an archive, and worse.
    """
    if measured is None:
        measured = degradation.radon(torch.from_numpy(image)[None, None], views)[0].numpy()
    rays, theta = measured.T.astype(float), np.arange(len(measured)) * 180 / len(measured)
    reconstructed = None
    for _ in range(sweeps):
        reconstructed = transform.iradon_sart(rays, theta, reconstructed, None, (0, 1), relaxation)
        reconstructed = restoration.denoise_tv_chambolle(reconstructed, weight=weight)
    start = reconstructed.shape[0] // 2 - image.shape[0] // 2
    return reconstructed[start : start + image.shape[0], start : start + image.shape[1]]


@functools.partial(method, together=True)
def pwls(images, measured=None, views=32, weight=0.35):
    """CT reconstruction by penalised weighted least squares, see `tomography.penalised`: the strongest of the
    conventional methods here, for it knows the scanner and how far each ray can be trusted."""
    rays = degradation.radon(images, views) if measured is None else measured
    return tomography.penalised(rays, images.shape[-1], weight)


@method
def compressed_sensing(image, measured=None, acceleration=4.0, iterations=40, weight=0.01):
    """MR reconstruction by total variation (Lustig, Donoho & Pauly 2007): the image of least
    |F x - y|^2 / 2 + weight * TV(x) over the measured cells y of k-space, by FISTA (Beck & Teboulle 2009).

    measured: k-space (1, H, W), 0 where nothing was measured. Without it the image is transformed again: its
    magnitude has lost the phase of the noise, and little can be won. The slice is taken to be real.
    """
    if measured is None:
        rows = degradation.cartesian_mask(image.shape, acceleration).numpy()
        measured = rows * to_kspace(image)
    y = measured.reshape(image.shape)
    known = y != 0

    def agree(x):
        return x - from_kspace(known * (to_kspace(x) - y)).real

    def smooth(x):
        return restoration.denoise_tv_chambolle(x, weight=weight, max_num_iter=15).clip(0, 1)

    return fista(from_kspace(y).real, agree, smooth, iterations)


def to_kspace(image):
    """`degradation.to_kspace` of one slice (H, W) in numpy."""
    return np.fft.fftshift(np.fft.fft2(image, norm="ortho"))


def from_kspace(kspace):
    """The inverse of `to_kspace`: complex (H, W)."""
    return np.fft.ifft2(np.fft.ifftshift(kspace), norm="ortho")


def weight(name, value):
    """A number from 0 to inf."""
    if not (isinstance(value, float) and value == math.inf):
        number(0)(name, value)


@door(trust=weight, images=tensor("B", "1", "H", "W"), kspace=kspace_of)
def consistent(images, kspace, trust):
    """Put the measured cells of k-space back into restored MR slices: data consistency (Schlemper et al.,
    *A deep cascade of convolutional neural networks for dynamic MR image reconstruction*, 2017, eq. 7).

    images: (B, 1, H, W) in [0, 1]; kspace: as from `degradation.measure`. trust: weight of the measurement
    against the image in the measured cells; 0 leaves the image, inf takes the noisy measurement as it is.
    Schlemper et al. train through this step and repeat it; here it stands once, after the network.
    """
    like(images)("kspace", kspace)
    share = 1.0 if math.isinf(trust) else trust / (1 + trust)
    missing = torch.where(kspace != 0, kspace - degradation.to_kspace(images.to(kspace.dtype)), 0)
    return (images + share * degradation.from_kspace(missing).real.to(images.dtype)).clamp(0, 1)


def _point_spread(sigma):
    x = np.arange(-4, 5)
    line = np.exp(-0.5 * (x / sigma) ** 2)
    return np.outer(line, line) / line.sum() ** 2


# --- Tuning ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tuned:
    """A method at its best: call it on images, as any of METHODS."""

    name: str
    parameters: dict
    stabilise: bool = False  # denoise where quantum noise is the same everywhere
    factor: int = 1  # restore at the detector's resolution, 1 / factor, then interpolate
    gain: float = 1.0
    offset: float = 0.0
    psnr: float = 0.0  # on the validation images, dB

    def __post_init__(self):
        one_of(*METHODS)("name", self.name)
        PARAMETERS["factor"]("factor", self.factor)
        having("keys", kind="a dict")("parameters", self.parameters)
        switch("stabilise", self.stabilise)
        number()("gain", self.gain)
        number()("offset", self.offset)

    def __call__(self, images, measured=None):
        restored = self.raw(images, measured)
        return (self.gain * restored + self.offset).clamp(0, 1)

    def raw(self, images, measured=None):
        """Without the straight line at the end."""
        degradation.check(images)
        small = degradation.coarser(images, self.factor)
        known = {} if measured is None or self.name not in FROM_MEASUREMENT else {"measured": measured}
        if self.name not in ("bicubic", "lanczos"):
            small = equal_noise(small) if self.stabilise else small
            small = METHODS[self.name](small, **known, **self.parameters)
            small = equal_noise(small, back=True) if self.stabilise else small
        if self.factor == 1:
            return small
        filter_ = "bicubic" if self.name == "bicubic" else "lanczos"
        large = [enlarge(image, images.shape[-2:], filter_) for image in small[:, 0].cpu().numpy()]
        return torch.from_numpy(np.stack(large)[:, None]).to(images).clamp(0, 1)


@door(images=tensor(), back=switch)
def equal_noise(images, back=False):
    """Make the quantum noise of films the same in bright and dark: the square root of the exposure, whose
    variance is 1 / (4 dose) everywhere (Anscombe 1948), scaled to [0, 1]. back: the inverse."""
    low, high = (degradation.exposure_of(torch.tensor(end)).sqrt() for end in (1.0, 0.0))
    if back:
        return degradation.grey_of((images * (high - low) + low) ** 2)
    return (degradation.exposure_of(images).sqrt() - low) / (high - low)


@door(modality=one_of(*SUITABLE), names=names_of(*METHODS))
def tune(modality, degraded, clean, measured=None, names=None, **strengths):
    """Find every method's best setting on validation images: {name: Tuned}, the highest mean PSNR first.

    degraded, clean: (B, 1, H, W) in [0, 1]; measured: as from `degradation.measure`; names: default
    SUITABLE[modality]; strengths: those that `degradation.apply` was given, where not the defaults (the
    number of views, the acceleration and the detector's pixels are known to whoever runs the machine).
    """
    known = degradation.completed(modality, strengths)
    degradation.check(degraded, "degraded")
    degradation.check(clean, "clean")
    if degraded.shape != clean.shape:
        raise ValueError(f"pairs must match: degraded {tuple(degraded.shape)}, clean {tuple(clean.shape)}")
    tuned = [_best(name, modality, known, degraded, clean, measured) for name in names or SUITABLE[modality]]
    return {best.name: best for best in sorted(tuned, key=lambda best: -best.psnr)}


def _best(name, modality, known, degraded, clean, measured):
    archive = {
        "sart": {"views": int(known.get("views", 0))},
        "pwls": {"views": int(known.get("views", 0))},
        "compressed_sensing": {"acceleration": known.get("acceleration")},
    }
    fixed = archive if measured is None else {}
    domains = (True, False) if modality == "xray" and name in DENOISERS else (False,)
    best = None
    for stabilise, values in itertools.product(domains, itertools.product(*GRIDS[name].values())):
        parameters = dict(zip(GRIDS[name], values, strict=True)) | fixed.get(name, {})
        trial = calibrated(
            Tuned(name, parameters, stabilise, int(known.get("downsample", 1))), degraded, clean, measured
        )
        best = trial if best is None or trial.psnr > best.psnr else best
    return best


@door(trial=having("raw", "gain", kind="a Tuned"), degraded=degradation.FILMS, clean=degradation.FILMS)
def calibrated(trial, degraded, clean, measured):
    """`trial` with the straight line and the PSNR that it reaches: scatter and bias shift all grey values."""
    like(degraded)("clean", clean)
    restored = trial.raw(degraded, measured).flatten().double()
    gain, offset = np.polyfit(restored.cpu().numpy(), clean.flatten().double().cpu().numpy(), 1)
    final = (gain * restored + offset).clamp(0, 1).reshape(clean.shape)
    error = ((final - clean) ** 2).mean((1, 2, 3)).clamp_min(1e-12)
    psnr = (-10 * torch.log10(error)).mean().item()
    return replace(trial, gain=float(gain), offset=float(offset), psnr=psnr)
