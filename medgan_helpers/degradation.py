"""Bad scans on purpose: the physics that spoils an X-ray film, a CT slice or an MR slice.

    degraded = degradation.apply(images, "xray", seed=0, dose=300)

Images are (B, 1, H, W) in [0, 1], on the CPU or a GPU; what comes back has the same shape and range.
Every effect is a small function of its own. `xray`, `ct` and `mr` chain them in the order in which they
happen in the machine, and their keyword arguments are the strengths that `apply` takes.
"""

import inspect
import math
from functools import lru_cache

import torch
import torch.nn.functional as F

from . import checks
from .checks import door, number, one_of, tensor, times, torch_seed, whole, within
from .checks import generator as generator_of
from .tomography import filtered_back_projection, nepers, radon

# The display curve of a film, grey = sigmoid(SLOPE * (attenuation - FILM_RANGE / 2)), as simulator.projection
# draws it: from grey .1 (1 of exposure) to .9 it spans FILM_RANGE natural-log units, e^3 = 20, the 1.3
# decades between the lung and the mediastinum that a chest film is made for.
FILM_RANGE = 3.0
SLOPE = 1.5
DARKEST = 1 / 256  # greys that the curve can be read back from: DARKEST to 1 - DARKEST
TITANIUM = 12.0  # attenuation in grey values: 0.345 / mm at 60 keV (NIST XCOM), 12 times MU_WATER * CT_MAX
CENTRE = 0.08  # of the rows of k-space: always measured (fastMRI)
STRENGTH = number(0)
LIMITS = {  # of single strengths; the others are 0 or more
    "motion": number(0, 1000), "grid": number(0, 1), "downsample": number(1, 64),
    "views": number(1, 10_000), "acceleration": number(1), "spokes": whole(0, 10_000),
}  # fmt: skip
FILMS = tensor("B", "1", "H", "W")
MODALITY = one_of("xray", "ct", "mr")
FWHM = 2 * math.sqrt(2 * math.log(2))  # full width at half maximum of a Gaussian, in standard deviations


def _amounts(name, value):
    """Films or exposures (B, 1, H, W) of which photons can be counted; on a GPU a look would have to wait."""
    FILMS(name, value)
    if value.device.type == "cpu" and value.numel() and not value.amin() >= 0:
        raise ValueError(f"{name} reaches {value.amin():.3g}: expected 0 or more")


@door(modality=MODALITY, seed=torch_seed)
def apply(images, modality, seed=0, **strengths):
    """Degrade images as the machine would; the same seed gives the same degradation.

    images: (B, 1, H, W) float in [0, 1]; modality: "xray", "ct" or "mr"; strengths: see `strengths_of`.
    Returns (B, 1, H, W) in [0, 1] on the same device. Raises ValueError for another shape, range, modality
    or strength, saying what was expected.
    """
    check(images)
    completed(modality, strengths)
    generator = torch.Generator(images.device).manual_seed(seed)
    return MODALITIES[modality](images, generator, **strengths).clamp(0, 1)


@door(modality=MODALITY, seed=torch_seed)
def measure(images, modality, seed=0, **strengths):
    """What the machine measured when `apply`, given the same arguments, made its image.

    "ct": the line integrals (B, views, detectors); "mr": k-space (B, 1, H, W), complex, 0 where nothing was
    measured; "xray": the film itself. Raises ValueError as `apply` does.
    """
    check(images)
    if modality == "xray":
        return apply(images, modality, seed, **strengths)
    apply(images[:1], modality, seed, **strengths)  # says what is wrong with the arguments
    generator = torch.Generator(images.device).manual_seed(seed)
    return {"ct": ct_rays, "mr": mr_kspace}[modality](images, generator, **strengths)


@door(modality=MODALITY)
def strengths_of(modality):
    """The strengths of a modality with their defaults, as a dict."""
    parameters = list(inspect.signature(MODALITIES[modality]).parameters.values())[2:]
    return {parameter.name: parameter.default for parameter in parameters}


def completed(modality, strengths):
    """`strengths` and the defaults of the others; ValueError for what the machine has not or cannot have."""
    known = strengths_of(modality)
    if unknown := sorted(set(strengths) - set(known)):
        raise ValueError(f"{modality} has no strength {unknown[0]!r}: choose among {', '.join(known)}")
    for name, value in strengths.items():
        LIMITS.get(name, STRENGTH)(name, value)
    return known | strengths


def check(images, name="images"):
    """Raise ValueError unless images are (B, 1, H, W) float in [0, 1], at least one."""
    if not torch.is_tensor(images) or images.ndim != 4 or images.shape[1] != 1 or 0 in images.shape:
        found = tuple(images.shape) if hasattr(images, "shape") else type(images).__name__
        raise ValueError(
            f"{name}: expected a tensor (B, 1, H, W), found {found}; one slice is slice[None, None]"
        )
    if not images.is_floating_point():
        raise ValueError(f"{name}: expected floats in [0, 1], found {images.dtype}: divide bytes by 255")
    if not (images.amin() >= -1e-3 and images.amax() <= 1 + 1e-3):
        low, high = images.amin().item(), images.amax().item()
        raise ValueError(
            f"{name}: expected [0, 1], found [{low:.3g}, {high:.3g}]: (images + 1) / 2 if from [-1, 1]"
        )


# --- X-ray -------------------------------------------------------------------------------------------------


@door(images=_amounts, generator=generator_of, focal_spot=within("images"))
def xray(images, generator, dose=100.0, scatter=0.0, focal_spot=0.0, motion=0.0, downsample=2, grid=0.0):
    """A radiograph from tube to film: blur, scatter, grid, detector, quanta.

    dose: photons a detector pixel where the film is nearly black (grey .1); scatter: scatter-to-primary ratio
    at the film's mean; focal_spot: penumbra, FWHM in pixels; motion: path of the patient in pixels;
    downsample: detector pixels are 1, 2 or 4 times as wide; grid: depth of the anti-scatter grid's shadow.
    """
    exposure = exposure_of(images)  # the physics happens before the display's S-curve, and not on its greys
    exposure = motion_blur(gaussian_blur(exposure, focal_spot / FWHM), motion, generator)
    exposure = grid_lines(add_scatter(exposure, scatter), grid)
    exposure = quantum_noise(coarser(exposure, downsample), dose, generator)
    return finer(grey_of(exposure), downsample)


@door(images=tensor())
def exposure_of(images):
    """What reached the detector where a film shows these greys: exp(-attenuation), by Beer and Lambert.

    The display curve is read backwards: attenuation = logit(grey) / SLOPE + FILM_RANGE / 2.
    """
    return torch.exp(-torch.logit(images, eps=DARKEST) / SLOPE - FILM_RANGE / 2)


@door(exposure=tensor())
def grey_of(exposure):
    """The greys that a film shows of an exposure: the inverse of `exposure_of`."""
    return torch.sigmoid(SLOPE * (-torch.log(exposure) - FILM_RANGE / 2))


@door(exposure=_amounts, dose=STRENGTH, generator=generator_of)
def quantum_noise(exposure, dose, generator):
    """Photon counting: N ~ Poisson(dose * exposure), returned as N / dose, at least half a photon.

    dose: photons per pixel where exposure is 1; signal-to-noise sqrt(N). Source: Barrett & Swindell,
    Radiological Imaging (1981), ch. 3. Dose 0 means no noise.
    """
    if not dose:
        return exposure
    return torch.poisson(dose * exposure, generator=generator).clamp_min(0.5) / dose


@door(exposure=FILMS, ratio=STRENGTH)
def add_scatter(exposure, ratio):
    """Primary plus a broad veil: E + ratio * (E blurred over a quarter of the film), renormalised.

    ratio: scatter to primary, 0.5 to 2 in a chest with a grid. Source: Boone & Seibert, Med Phys 15 (1988)
    721: scatter is the primary convolved with a wide kernel.
    """
    if not ratio:
        return exposure
    return (exposure + ratio * gaussian_blur(exposure, exposure.shape[-1] / 4)) / (1 + ratio)


@door(images=FILMS, sigma=STRENGTH)
def gaussian_blur(images, sigma):
    """Convolve with a Gaussian of standard deviation sigma (pixels), edges repeated; 0 changes nothing."""
    if sigma < 0.1:  # narrower than a tenth of a pixel: nothing to see
        return images
    radius = min(math.ceil(3 * sigma), images.shape[-1] - 1)
    x = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(images, (radius,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))


@door(images=FILMS, length=number(0, 1000), generator=generator_of)
def motion_blur(images, length, generator):
    """Average along a straight path of `length` pixels, one random direction an image."""
    if length <= 0 or len(images) == 0:
        return images
    angle = math.pi * torch.rand(len(images), generator=generator, device=images.device, dtype=images.dtype)
    steps = torch.linspace(-0.5, 0.5, 2 * math.ceil(length) + 1, device=images.device, dtype=images.dtype)
    # Shifts (B, 2) in the units of grid_sample, where the image is 2 wide and 2 high.
    shift = 2 * length * torch.stack([angle.cos() / images.shape[-1], angle.sin() / images.shape[-2]], 1)
    identity = torch.eye(2, device=images.device, dtype=images.dtype).expand(len(images), 2, 2)
    blurred = torch.zeros_like(images)
    for step in steps:
        theta = torch.cat([identity, (step * shift)[:, :, None]], 2)  # (B, 2, 3)
        sampling = F.affine_grid(theta, images.shape, align_corners=False)
        blurred += F.grid_sample(images, sampling, padding_mode="border", align_corners=False)
    return blurred / len(steps)


@door(exposure=FILMS, depth=number(0, 1), period=number(above=0))
def grid_lines(exposure, depth, period=2.6):
    """Shadow of an anti-scatter grid that the pixels sample as a moire of `period` pixels.

    E * (1 - depth * (1 + cos(2 pi x / period)) / 2). Source: Lin et al., J Digit Imaging 19 (2006) 351.
    """
    x = torch.arange(exposure.shape[-1], device=exposure.device, dtype=exposure.dtype)
    return exposure * (1 - depth * (1 + torch.cos(2 * math.pi * x / period)) / 2)


@door(images=FILMS, factor=times)
def coarser(images, factor):
    """A detector whose pixels are `factor` times as wide: means over factor x factor blocks."""
    factor = int(factor)
    if images.shape[-1] % factor or images.shape[-2] % factor:
        raise ValueError(f"downsample={factor}: expected 1, 2 or 4, a divisor of {tuple(images.shape[-2:])}")
    return F.avg_pool2d(images, factor)


@door(images=FILMS, factor=times)
def finer(images, factor):
    """Back to the old number of pixels by repeating each: nothing is added, so nothing is hidden."""
    return images.repeat_interleave(int(factor), -1).repeat_interleave(int(factor), -2)


# --- CT ----------------------------------------------------------------------------------------------------


@door(images=_amounts, generator=generator_of)
def ct(images, generator, dose=2e3, views=32, electronic=3.0, ring=0.0, metal=0.0):
    """A CT slice scanned with few photons from few directions, then filtered back-projected.

    dose: photons per ray in air; views: projections over 180 degrees; electronic: read-out noise in photons;
    ring: relative spread of the detectors' gains; metal: radius of one metal pin in pixels.
    """
    rays = ct_rays(images, generator, dose, views, electronic, ring, metal)
    return filtered_back_projection(rays, images.shape[-1])


@door(images=_amounts, generator=generator_of, views=number(1, 10_000), metal=STRENGTH)
def ct_rays(images, generator, dose=2e3, views=32, electronic=3.0, ring=0.0, metal=0.0):
    """What the scanner of `ct` measures: a sinogram (B, views, detectors)."""
    scanned = metal_pin(images, metal, generator) if metal else images
    return sinogram(scanned, generator, dose, int(views), electronic, ring)


@door(images=_amounts, generator=generator_of, dose=STRENGTH, electronic=STRENGTH, ring=STRENGTH)
def sinogram(images, generator, dose=2e3, views=32, electronic=3.0, ring=0.0):
    """The measured line integrals, in the units of `radon` (grey value times pixels): (B, views, detectors).

    N = Poisson(dose * exp(-p)) + Normal(0, electronic), p' = -log(N / dose): the noise model of Whiting et
    al., Med Phys 33 (2006) 3290. A ring is a detector whose gain is off in every view: exp(-p) * (1 + g),
    g ~ Normal(0, ring). Dose 0 means no noise.
    """
    per_pixel = nepers(images.shape[-1])
    transmitted = torch.exp(-per_pixel * radon(images, views))
    if ring:
        gain = 1 + ring * _normal(transmitted[:, :1], generator)  # one a detector, the same in every view
        transmitted = transmitted * gain.clamp_min(0.05)
    if dose:
        counts = torch.poisson(dose * transmitted, generator=generator)
        counts = counts + electronic * _normal(counts, generator)
        transmitted = counts.clamp_min(0.5) / dose
    return -torch.log(transmitted) / per_pixel


@door(images=FILMS, radius=STRENGTH, generator=generator_of)
def metal_pin(images, radius, generator):
    """Draw a disc of titanium, `radius` pixels, in the middle half of each slice: its rays are starved."""
    batch, _, height, width = images.shape
    centre = (0.25 + 0.5 * torch.rand(batch, 2, generator=generator, device=images.device)) * (height - 1)
    y = torch.arange(height, device=images.device)[:, None]
    x = torch.arange(width, device=images.device)[None, :]
    distance = torch.hypot(y - centre[:, 0, None, None], x - centre[:, 1, None, None])[:, None]
    return images + TITANIUM * (radius + 0.5 - distance).clamp(0, 1)  # a soft edge one pixel wide


# --- MR ----------------------------------------------------------------------------------------------------


@door(images=FILMS, generator=generator_of)
def mr(images, generator, acceleration=4.0, spokes=0, noise=0.03, ghosts=0.0, bias=0.0):
    """An MR slice: coil shading, breathing, thermal noise, and only part of k-space measured.

    acceleration: rows of k-space are divided by this; spokes: if not 0, measure that many radial spokes
    instead; noise: sigma of the real and imaginary part, white is 1; ghosts: amplitude of the motion in
    pixels; bias: spread of the log of the coil's sensitivity.
    """
    kspace = mr_kspace(images, generator, acceleration, spokes, noise, ghosts, bias)
    return from_kspace(kspace).abs().to(images.dtype)


@door(images=FILMS, generator=generator_of, acceleration=number(1), spokes=whole(0, 10_000),
      noise=STRENGTH, ghosts=STRENGTH)  # fmt: skip
def mr_kspace(images, generator, acceleration=4.0, spokes=0, noise=0.03, ghosts=0.0, bias=0.0):
    """What the scanner of `mr` measures: k-space (B, 1, H, W), complex, 0 where nothing was measured.

    Two simplifications: one coil, where scanners have many, and a slice without phase (real-valued).
    """
    kspace = to_kspace(bias_field(images, bias, generator).to(torch.complex64))
    kspace = motion_ghosts(kspace, ghosts, generator)
    kspace = kspace + noise * torch.complex(_normal(kspace.real, generator), _normal(kspace.real, generator))
    shape = images.shape[-2:]
    mask = radial_mask(shape, spokes) if spokes else cartesian_mask(shape, acceleration)
    return kspace * mask.to(images.device)


@door(images=checks.planes)
def to_kspace(images):
    """Centred, orthonormal 2-D Fourier transform: what an MR machine measures. Row 0 holds ky = -H/2."""
    return torch.fft.fftshift(torch.fft.fft2(images, norm="ortho"), dim=(-2, -1))


@door(kspace=checks.planes)
def from_kspace(kspace):
    """The inverse of `to_kspace`. The magnitude of a noisy result is Rician (Gudbjartsson & Patz,
    Magn Reson Med 34 (1995) 910): biased upwards where the signal is weak."""
    return torch.fft.ifft2(torch.fft.ifftshift(kspace, dim=(-2, -1)), norm="ortho")


@door(shape=checks.height_width, acceleration=number(1))
@lru_cache(maxsize=16)
def cartesian_mask(shape, acceleration):
    """Rows of k-space that a Cartesian scan measures: (H, 1) of 0 and 1.

    The central CENTRE of the rows (where the contrast is), the rest at random with a density that falls
    with distance, so that H / acceleration rows are measured in all. Source: Lustig et al., Magn Reson Med 58
    (2007) 1182; fastMRI (Zbontar et al. 2018) for the 8 % centre. The pattern belongs to the sequence, not
    to the patient: it does not depend on the seed of `apply`.
    """
    height = shape[0]
    lines = max(1, round(height / acceleration))
    distance = (torch.arange(height) - height // 2).abs()
    density = (1 - distance / (height / 2 + 1)) ** 2
    density[distance <= CENTRE * height / 2] = 1e6  # drawn first: always measured
    generator = torch.Generator().manual_seed(0)  # one pattern for all
    chosen = torch.multinomial(density, lines, generator=generator)
    return torch.zeros(height, 1).index_fill(0, chosen, 1.0)


@door(shape=checks.height_width, spokes=whole(1, 10_000))
@lru_cache(maxsize=16)
def radial_mask(shape, spokes):
    """The cells of k-space that `spokes` diameters cross, turned by the golden angle: (H, W) of 0 and 1.

    Source: Winkelmann et al., IEEE Trans Med Imaging 26 (2007) 68; 111.25 degrees. Cells stand in for the
    regridding of a real radial scan.
    """
    height, width = shape
    angle = torch.arange(int(spokes))[:, None] * math.radians(111.246)
    radius = torch.linspace(-1, 1, 4 * max(shape))[None, :]
    row = (height / 2 * radius * angle.sin()).round().long() + height // 2
    column = (width / 2 * radius * angle.cos()).round().long() + width // 2
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    mask = torch.zeros(height, width)
    mask[row[inside], column[inside]] = 1.0
    return mask


@door(kspace=checks.kspace, amplitude=STRENGTH, generator=generator_of, period=number(above=0))
def motion_ghosts(kspace, amplitude, generator, period=5.3):
    """Breathing along the rows while they are measured one after another: copies shifted by H / period.

    Fourier shift theorem: row ky is multiplied by exp(-2 pi i ky d / H) with d = amplitude *
    sin(2 pi row / period + phase) pixels. Source: Wood & Henkelman, Med Phys 12 (1985) 143.
    """
    if not amplitude:
        return kspace
    height = kspace.shape[-2]
    row = torch.arange(height, device=kspace.device)[:, None]
    phase = 2 * math.pi * torch.rand(len(kspace), 1, 1, 1, generator=generator, device=kspace.device)
    shift = amplitude * torch.sin(2 * math.pi * row / period + phase)
    return kspace * torch.exp(-2j * math.pi * (row - height // 2) / height * shift)


@door(images=FILMS, spread=STRENGTH, generator=generator_of)
def bias_field(images, spread, generator):
    """Multiply by a smooth coil sensitivity exp(spread * b), b a random quadratic of mean 0 and deviation 1.

    Source: Sled et al., IEEE Trans Med Imaging 17 (1998) 87; real fields vary by 20 to 40 %. The brightest
    value of each image is kept, so that nothing is clipped.
    """
    if not spread:
        return images
    y = torch.linspace(-1, 1, images.shape[-2], device=images.device)[:, None].expand(images.shape[-2:])
    x = torch.linspace(-1, 1, images.shape[-1], device=images.device)[None, :].expand(images.shape[-2:])
    terms = torch.stack([x, y, x * y, x**2, y**2])  # (5, H, W)
    weights = torch.randn(len(images), 5, generator=generator, device=images.device)
    field = torch.einsum("bk,khw->bhw", weights, terms)[:, None]
    field = (field - field.mean((-2, -1), keepdim=True)) / field.std((-2, -1), keepdim=True)
    shaded = images * torch.exp(spread * field)
    return shaded * images.amax((-2, -1), keepdim=True) / shaded.amax((-2, -1), keepdim=True).clamp_min(1e-6)


def _normal(like, generator):
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)


MODALITIES = {"xray": xray, "ct": ct, "mr": mr}
