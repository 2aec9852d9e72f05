"""What did the network look at? Class activation maps, Grad-CAM, and whether they point at the finding.

    maps = cam.activation_map(model, films, "Pleural Effusion")     # (B, h, w), one value per cell
    hits, n, chance = cam.pointing_game(maps, masks)

A map explains a network, not a patient: it shows where the evidence was taken from, right or wrong.
"""

import numpy as np
import pandas as pd
import scipy  # its parts are loaded on first use: stats takes seconds
import torch
import torch.nn.functional as F

from . import metrics
from .checks import door, each, estimates, having, holding, number, numbers, one_of, shaped, tensor, whole
from .training.model import check_batch


def column(model, finding):
    """The output of `model` that belongs to `finding`, a name (or already a number)."""
    if not hasattr(model, "findings"):
        raise TypeError(f"{type(model).__name__} reads no findings: expected a classifier.DenseNet")
    if isinstance(finding, int) and not isinstance(finding, bool) and 0 <= finding < len(model.findings):
        return finding
    if not isinstance(finding, str) or finding not in model.findings:
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
    number = column(model, finding)
    check_batch(images, model.config)
    model.network.eval()
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
    number = column(model, finding)
    check_batch(images, model.config)
    model.network.eval()
    with torch.inference_mode(False), torch.enable_grad():  # whatever the caller has switched off
        grid, _, logits = model.read(images.to(model.device).clone())  # (B, C, h, w)
        (gradient,) = torch.autograd.grad(logits[:, number].sum(), grid)
    weights = gradient.mean((2, 3), keepdim=True)
    return (weights * grid).sum(1).relu().detach().float().cpu()


@door(maps=tensor("B", "h", "w"), size=whole(1, 4096))
def upsample(maps, size):
    """Bilinear maps (B, h, w) -> (B, size, size). align_corners=False keeps each cell's centre in place;
    with True, cells at the edge would move outwards by up to half a cell."""
    return F.interpolate(maps[:, None], size=(size, size), mode="bilinear", align_corners=False)[:, 0]


@door(masks=shaped("B", "H", "W"), reach=whole(0, 4096))
def dilate(masks, reach):
    """Masks (B, H, W) grown by `reach` pixels in every direction."""
    masks = torch.as_tensor(masks)
    if reach == 0:
        return masks.bool()
    return F.max_pool2d(masks[:, None].float(), 2 * reach + 1, stride=1, padding=reach)[:, 0] > 0


def _pair(maps, masks):
    maps, masks = torch.as_tensor(maps).float(), torch.as_tensor(masks)
    if maps.ndim != 3 or masks.ndim != 3 or len(maps) != len(masks):
        raise ValueError(
            f"expected maps (B, h, w) and masks (B, H, W) of the same films, found {tuple(maps.shape)} and "
            f"{tuple(masks.shape)}"
        )
    if masks.shape[1] != masks.shape[2]:
        raise ValueError(f"masks are {tuple(masks.shape[1:])} pixels: expected square ones, as films are")
    if not maps.isfinite().all():
        raise ValueError("maps hold nan or infinity: has the network's training gone astray?")
    if not ((masks == 0) | (masks == 1)).all():
        raise ValueError("masks hold more than 0 and 1: expected bool, as masks > 0.5; or are they the maps?")
    masks = masks.bool()
    seen = masks.flatten(1).any(1)  # a film whose mask is empty cannot be hit
    return maps[seen], masks[seen]


@door(maps=numbers(), masks=numbers())
def pointing(maps, masks):
    """Whether each map's highest point lies in its mask, and in what share of other films' masks: (n,), (n,).

    The masks are of one finding. The share is the chance of a map that knows where the finding usually lies
    and has not looked at this film: masks shuffled between films, in the mean over all shuffles. A map cannot
    point finer than its cells: masks grow by half a cell first, in the hits and in the share. Films with an
    empty mask are left out; with a single film there is nothing to shuffle, and the share is nan.
    """
    maps, masks = _pair(maps, masks)
    size = masks.shape[-1]
    masks = dilate(masks, size // maps.shape[-1] // 2).flatten(1)
    peak = upsample(maps, size).flatten(1).argmax(1)
    return _own_and_others(masks[:, peak].T.float())


def _own_and_others(table):
    """(n, n) values of map i with mask j -> of each map with its own mask, and its mean with the others."""
    own, others = table.diagonal(), len(table) - 1
    return own, (table.sum(1) - own) / others if others > 0 else torch.full_like(own, torch.nan)


def pointing_game(maps, masks):
    """Pointing game (Zhang et al., ECCV 2016): hits, n, chance.

    maps: (B, h, w); masks: (B, H, W) bool, of one finding. See `pointing` for what a hit and what chance is.
    """
    hits, chance = pointing(maps, masks)
    if len(hits) == 0:
        raise ValueError("no film with a mask: take films that show the finding, and masks of that finding")
    return int(hits.sum()), len(hits), chance.mean().item()


@door(maps=numbers(), masks=numbers())
def energy_inside(maps, masks):
    """Share of what stands out in each map that lies in its mask, and in the other films' masks: (n,), (n,).

    (Energy-based pointing game, Wang et al., Score-CAM, CVPRW 2020, on the part of the map above its median:
    what the overlays show. A map may be negative all over, and a constant belongs to the bias.) A flat map
    points everywhere alike and gets the masks' areas. The second share is chance, as in `pointing`.
    """
    maps, masks = _pair(maps, masks)
    values = upsample(maps, masks.shape[-1]).flatten(1)
    energy = (values - values.median(1, keepdim=True).values).relu()
    energy[energy.sum(1) == 0] = 1
    shares = energy @ masks.flatten(1).float().T / energy.sum(1, keepdim=True)
    return _own_and_others(shares)


SCORES = ("hit", "chance", "energy", "energy by chance")


def _scores(*keys):
    """What `localisation` gives, with these keys, for each finding."""

    def rule(name, value):
        having("items", kind="{finding: localisation(...)}")(name, value)
        each(holding(*keys))(name, value)

    return rule


@door(maps=numbers(), masks=numbers())
def localisation(maps, masks):
    """Where maps (B, h, w) of one finding point, scored against its masks (B, H, W): {name: Estimate}, and n.

    hit (Wilson) and energy (bootstrap over films): see `pointing_game` and `energy_inside`; chance and energy
    by chance: the same with the masks of other films; lead: hit minus chance, film by film (bootstrap, and no
    narrower than Wilson's interval of the hits: where all are hits, resampling knows of no other luck). n:
    films with a mask. With fewer than two there is no chance to compare with, and all but n are nan.
    """
    count = len(_pair(maps, masks)[1])
    if count < 2:
        return dict.fromkeys((*SCORES, "lead"), metrics.Estimate(np.nan, np.nan, np.nan)) | {"n": count}
    hits, chance = (part.numpy() for part in pointing(maps, masks))
    energy = energy_inside(maps, masks)
    hit, lead = metrics.proportion(int(hits.sum()), count), metrics.mean_interval(hits - chance)
    low, high = (end - chance.mean() for end in hit[1:])
    return {
        "hit": hit,
        "chance": metrics.mean_interval(chance),
        "energy": metrics.mean_interval(energy[0].numpy()),
        "energy by chance": metrics.mean_interval(energy[1].numpy()),
        "lead": metrics.Estimate(lead.value, min(lead.low, low), max(lead.high, high)),
        "n": count,
    }


@door(scores=_scores("hit", "chance", "lead", "n"))
def in_boxes(scores):
    """(a sentence per finding, the same in short): do the maps point into the boxes of radiologists?"""
    long, short = [], []
    for name, row in scores.items():
        shown = "shown" if row["lead"].low > 0 else "not shown"
        long.append(
            f"Boxes of radiologists, {name}, {row['n']} real films: the map is brightest inside the box in a "
            f"share of {row['hit']:.2f}, by chance {row['chance'].value:.2f}: that it follows the finding is "
            f"**{shown}**."
        )
        short.append(f"On {row['n']} real films with a radiologist's box ({name}) that is {shown}.")
    return "\n\n".join(long), " ".join(short)


@door(score=one_of("hit", "energy"), scores=_scores(*SCORES))
def beside_chance(scores, score="hit"):
    """The rows of `figures.against_chance` for `scores`, {name: `localisation`}: value, low, high, chance."""
    chance = "chance" if score == "hit" else "energy by chance"
    rows = {name: [*row[score], row[chance].value] for name, row in scores.items()}
    return pd.DataFrame(rows, index=["value", "low", "high", "chance"]).T


def possible(scores):
    """Those of `scores`, {name: `localisation`}, where a lead is possible: chance is not 1 already."""
    return {name: row for name, row in scores.items() if not row["chance"].value > 1 - 1e-6}


@door(scores=_scores("lead", "chance"))
def who_points(scores):
    """A sentence: for which findings maps hit more often than with other films' masks (interval above 0)."""
    room = possible(scores)
    leads = {name: row["lead"] for name, row in room.items()}
    better = [f"{name} ({lead.value:+.2f}, {lead.low:+.2f} to {lead.high:+.2f})"
              for name, lead in leads.items() if lead.low > 0]  # fmt: skip
    others = [name for name, lead in leads.items() if not lead.low > 0]
    sentence = (
        f"The maps follow the finding from film to film for **{len(better)} of {_tested(leads, scores)}**"
    )
    sentence += f": {', '.join(better)}. " if better else ". "
    if others:
        sentence += (
            f"Not shown for {', '.join(others)}: these films do not tell such a map from one that knows the "
            "usual place. "
        )
    if full := [name for name in scores if name not in room]:
        sentence += f"For {', '.join(full)} the usual place always suffices (chance is 1): nothing to test."
    return sentence.strip()


def _tested(leads, scores):
    """The number of findings, of which it is said how many could be tested, where not all could."""
    return f"{len(leads)}" if len(leads) == len(scores) else (
        f"{len(leads)} findings that could be tested, of {len(scores)}"
    )  # fmt: skip


@door(scores=_scores("hit", "chance", "n"))
def pooled(scores):
    """{"hit", "chance": Estimate} of the maps of all findings together. Hits by Wilson; chance is the mean of
    the findings' chances, whose errors are taken for independent."""
    count = sum(row["n"] for row in scores.values())
    share = np.array([row["n"] / count for row in scores.values()])
    value, low, high = np.array([row["chance"] for row in scores.values()]).T
    ends = [np.sqrt(((end - value) * share) @ ((end - value) * share)) for end in (low, high)]
    hits = round(sum(row["hit"].value * row["n"] for row in scores.values()))
    chance = metrics.Estimate(value @ share, value @ share - ends[0], value @ share + ends[1])
    return {"hit": metrics.proportion(hits, count), "chance": chance}


@door(scores=_scores("hit", "chance", "n"))
def together(scores):
    """A sentence: the maps of all findings together, and without those where chance is 1."""
    every, room = pooled(scores), possible(scores)
    count = sum(row["n"] for row in scores.values())
    chance = f"{every['chance'].value:.2f}"
    said = f"All {count} maps together hit in a share of {every['hit']:.2f}, by chance {chance}."
    if len(room) == len(scores) or not room:
        return said
    part, left = pooled(room), sum(row["n"] for row in room.values())
    return (
        f"{said} Without the {count - left} of findings whose chance is 1, {left} maps: {part['hit']:.2f}, "
        f"by chance {part['chance'].value:.2f}."
    )


@door(scores=_scores("lead", "chance"))
def pointed(scores):
    """The same in short: how many findings' maps follow the finding."""
    room = possible(scores)
    better = sum(row["lead"].low > 0 for row in room.values())
    which = f"{len(scores)} findings" if len(room) == len(scores) else f"the {_tested(room, scores)},"
    return f"For {better} of {which} the map of where it looked follows the finding."


@door(skill=estimates)
def who_reads(skill):
    """A sentence on {name: AUROC as Estimate}: whose maps may be looked at (interval above .5)."""
    worse = [name for name, estimate in skill.items() if estimate.high < 0.5]
    unsure = [name for name, estimate in skill.items() if not estimate.low > 0.5 and name not in worse]
    if not unsure and not worse:
        return f"All {len(skill)} are read better than by guessing, so their maps may be looked at."
    parts = []
    if unsure:
        parts.append(
            f"For {len(unsure)} of {len(skill)} the interval reaches down to guessing: {'; '.join(unsure)}."
        )
    if worse:
        parts.append(
            f"For {len(worse)} of {len(skill)} it lies wholly below, worse than guessing: {'; '.join(worse)}."
            if unsure
            else f"For {len(worse)} of {len(skill)} the interval lies wholly below guessing, so the network "
            f"ranks the wrong way round: {'; '.join(worse)}."
        )
    return " ".join([*parts, "Their maps explain nothing and are left out of what follows."])


@door(
    before=numbers(0, 1, known=True), after=numbers(0, 1, known=True), true=numbers(0, 1, known=True)
)  # fmt: skip
def believes(finding, before, after, true):
    """A sentence: in how many films a classifier sees a finding that was drawn into them, and in the others.

    before, after, true: probabilities (B,) of the healthy films, of the made ones, of their true twins;
    seen: above one half.
    """
    first, seen, twins = (int((np.asarray(part) > 0.5).sum()) for part in (before, after, true))
    return (
        f"The classifier thinks {finding} more likely than not in **{seen} of {len(after)}** made films, in "
        f"{twins} of their true twins and in {first} of the healthy films that they were made from."
    )


@door(agreements=each(number()))
def depends_on_learning(agreements):
    """A sentence on {network: rank correlation of its maps with the trained network's} (sanity checks)."""
    parts = ", ".join(f"{name} {value:+.2f}" for name, value in agreements.items())
    if max(agreements.values()) < 0.5:
        return (
            f"Rank correlation with the trained maps: {parts}. Maps depend on what was learnt, or the "
            "networks that they are compared with have learnt too little to draw any."
        )
    return (
        f"Rank correlation with the trained maps: {parts}. That is too much: part of the map comes from the "
        "film and the architecture, not from learning."
    )


@door(first=tensor("B", "h", "w"), second=tensor("B", "h", "w"))
def agreement(first, second):
    """Spearman's rank correlation of two maps of each film: (B,). Near 0 when a network with random weights
    is compared with the trained one, as it should be (sanity checks, Adebayo et al., NeurIPS 2018).

    Equal values share their mean rank. A map of one value ranks nothing: nan, and so is a mean over films
    with such a map (take nanmean for Grad-CAM, which is blank in some films; activation maps never are).
    """
    if first.shape != second.shape:
        raise ValueError(
            f"maps are {tuple(first.shape)} and {tuple(second.shape)}: expected two of each film"
        )
    ranks = [torch.from_numpy(scipy.stats.rankdata(maps.flatten(1), axis=1)) for maps in (first, second)]
    a, b = (r - r.mean(1, keepdim=True) for r in ranks)
    return ((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))).float()
