"""What did the network look at? Class activation maps, Grad-CAM, and whether they point at the finding.

    maps = cam.activation_map(reader, films, "Pleural Effusion")     # (B, h, w), one value a cell
    hits, n, chance = cam.pointing_game(maps, masks)

A map explains a network, not a patient: it shows where the evidence was taken from, right or wrong.
"""

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats

from . import metrics


def column(model, finding):
    """The output of `model` that belongs to `finding`, a name (or already a number)."""
    if isinstance(finding, int):
        return finding
    if finding not in model.findings:
        raise ValueError(f"this network does not read {finding!r}; it reads {', '.join(model.findings)}")
    return model.findings.index(finding)


@torch.no_grad()
def activation_map(model, images, finding):
    """Class activation map (Zhou et al., CVPR 2016): CAM = w . relu(features), (B, h, w) on the CPU.

    images: (B, 1, H, W) in [-1, 1]. Exact, not an approximation: pool(CAM) + bias is the finding's logit,
    where pool is the mean (preset "densenet121") or logsumexp minus log of the number of cells ("narrow").
    The ReLU before the weights belongs to it; without it, or with the bias added in every cell, the sum is
    not the logit.
    """
    model.network.eval()
    number = column(model, finding)
    return torch.cat(
        [model.read(part.to(model.device))[1][:, number].float().cpu() for part in images.split(256)]
    )


def grad_cam(model, images, finding):
    """Grad-CAM (Selvaraju et al., ICCV 2017): features weighted by the mean gradient of the logit.

    (B, h, w), zero or positive. With a linear head, as in both presets, the mean gradient
    is w / cells, whichever cells carry the logit: the shares of the cells add up to 1, in the mean as in
    logsumexp. So it is CAM without its negative part, over the number of cells; where CAM is negative all
    over, it is blank. It is for networks whose head is not linear that one needs the gradient.
    """
    model.network.eval()
    grid, _, logits = model.read(images.to(model.device))  # (B, C, h, w)
    (gradient,) = torch.autograd.grad(logits[:, column(model, finding)].sum(), grid)
    weights = gradient.mean((2, 3), keepdim=True)
    return (weights * grid).sum(1).relu().detach().float().cpu()


def upsample(maps, size):
    """Bilinear maps (B, h, w) -> (B, size, size). align_corners=False keeps each cell's centre in place;
    with True, cells at the edge would move outwards by up to half a cell."""
    return F.interpolate(maps[:, None], size=(size, size), mode="bilinear", align_corners=False)[:, 0]


def dilate(masks, reach):
    """Masks (B, H, W) grown by `reach` pixels in every direction."""
    if reach == 0:
        return masks.bool()
    return F.max_pool2d(masks[:, None].float(), 2 * reach + 1, stride=1, padding=reach)[:, 0] > 0


def _pair(maps, masks):
    maps, masks = torch.as_tensor(maps).float(), torch.as_tensor(masks).bool()
    if maps.ndim != 3 or masks.ndim != 3 or len(maps) != len(masks):
        raise ValueError(
            f"expected maps (B, h, w) and masks (B, H, W) of the same films, found {tuple(maps.shape)} and "
            f"{tuple(masks.shape)}"
        )
    seen = masks.flatten(1).any(1)  # a film whose mask is empty cannot be hit
    return maps[seen], masks[seen]


def pointing(maps, masks):
    """Whether each map's highest point lies in its mask, and the mask's share of the film: (n,), (n,).

    A map cannot point finer than its cells: masks grow by half a cell first, in the hits and in the share.
    Films with an empty mask are left out.
    """
    maps, masks = _pair(maps, masks)
    size = masks.shape[-1]
    masks = dilate(masks, size // maps.shape[-1] // 2)
    peak = upsample(maps, size).flatten(1).argmax(1)
    inside = masks.flatten(1)
    return inside.gather(1, peak[:, None])[:, 0], inside.float().mean(1)


def pointing_game(maps, masks):
    """Pointing game (Zhang et al., ECCV 2016): hits, n, chance.

    maps: (B, h, w); masks: (B, H, W) bool. chance: the expected share of hits of a random pixel, which is the
    mean area of the masks. See `pointing` for what counts as a hit.
    """
    hits, area = pointing(maps, masks)
    if len(hits) == 0:
        raise ValueError("no film with a mask: take films that show the finding, and masks of that finding")
    return int(hits.sum()), len(hits), area.mean().item()


def energy_inside(maps, masks):
    """Share of what stands out in each map that lies in its mask: (n,). Chance is the mask's area.

    (Energy-based pointing game, Wang et al., Score-CAM, CVPRW 2020, on the part of the map above its median:
    what the overlays show. A map may be negative all over, and a constant belongs to the bias.) A flat map
    points everywhere alike and gets its mask's area. Films with an empty mask are left out.
    """
    maps, masks = _pair(maps, masks)
    values = upsample(maps, masks.shape[-1]).flatten(1)
    energy = (values - values.median(1, keepdim=True).values).relu()
    inside, total = (energy * masks.flatten(1)).sum(1), energy.sum(1)
    return torch.where(total > 0, inside / total.clamp(min=1e-12), masks.flatten(1).float().mean(1))


def localisation(maps, masks):
    """Where maps (B, h, w) point, scored against masks (B, H, W): a dict of both scores beside their chance.

    hit, hit low, hit high (Wilson), chance: see `pointing_game`; energy, energy low, energy high (bootstrap
    over films), area: see `energy_inside`; n: films with a mask. With none, all but n are nan.
    """
    names = ["hit", "hit low", "hit high", "chance", "energy", "energy low", "energy high", "area"]
    masks = torch.as_tensor(masks).bool()
    seen = masks.flatten(1).any(1)
    if not seen.any():
        return dict.fromkeys(names, np.nan) | {"n": 0}
    hits, n, chance = pointing_game(maps, masks)
    energy = metrics.mean_interval(energy_inside(maps, masks).numpy())
    area = masks[seen].float().mean().item()
    values = [*metrics.proportion(hits, n), chance, *energy, area]
    return dict(zip(names, values, strict=True)) | {"n": n}


def agreement(first, second):
    """Spearman's rank correlation of two maps of each film: (B,). Near 0 when a network with random weights
    is compared with the trained one, as it should be (sanity checks, Adebayo et al., NeurIPS 2018).

    Equal values share their mean rank. A map of one value ranks nothing: nan, and so is a mean over films
    with such a map (take nanmean for Grad-CAM, which is blank in some films; activation maps never are).
    """
    ranks = [torch.from_numpy(stats.rankdata(maps.flatten(1).numpy(), axis=1)) for maps in (first, second)]
    a, b = (r - r.mean(1, keepdim=True) for r in ranks)
    return ((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))).float()
