"""Chapters 6 and 7 on real films: how well classifiers read them, and where they look."""

import numpy as np
import torch

from .. import cam, chexpert, metrics, simulator
from ..checks import bounds, data_set, door, each, every, one_of, shaped, whole
from ..checks import table as table_of
from ..images import signed_batch
from .films import CLASSIFIER, LABELLED, NOT_RUN, REAL, estimate_of

IN_LUNGS = ("Lung Lesion", "Edema", "Consolidation", "Pneumonia", "Atelectasis")  # their place
SIZES = table_of("network", "parameters", "epochs", "minutes", "value", "low", "high", "films")


def official(table):
    """A sentence on the paper's own network beside the narrow one, from studies/official_network.py."""
    if table is None:
        return NOT_RUN.format(command="python studies/official_network.py")
    SIZES("table", table)
    rows = table.set_index("network")
    for name in ("narrow", "densenet121"):
        if name not in rows.index:
            raise ValueError(f"table has no row of {name}: run studies/official_network.py again")
    small, large = rows.loc["narrow"], rows.loc["densenet121"]
    words = (
        "The official network reads better"
        if large["low"] > small["high"]
        else "The narrow network reads better"
        if small["low"] > large["high"]
        else "The intervals do not tell them apart"
    )
    return (
        f"From first weights, after {large['epochs']} epochs on real films, mean AUROC of nine findings on "
        f"{large['films']} validation films: the official DenseNet-121 ({large['parameters']:,} parameters) "
        f"{estimate_of(large):.2f} in {large['minutes']:.1f} minutes, the narrow one "
        f"({small['parameters']:,}) {estimate_of(small):.2f} in {small['minutes']:.1f}. {words}."
    )


@door(network=CLASSIFIER, real=data_set)
def skill(network, real):
    """{finding: AUROC, an Estimate} of a classifier on the films of `real`: what NIH labels and it reads."""
    truth, logits = real.labels(), network.logits(signed_batch(real.store[:])).numpy()
    columns = {name: network.findings.index(name) for name in LABELLED if name in network.findings}
    return {
        name: metrics.auroc(truth[name].to_numpy(), logits[:, column], real.frame.patient)
        for name, column in columns.items()
    }


@door(real=REAL, boxes=table_of("path", "finding"), findings=every(one_of(*chexpert.FINDINGS)))
def boxed(network, real, boxes, findings):
    """{finding: `cam.localisation`} of a classifier's maps against NIH's boxes (`chexpert.read_boxes`)."""
    rows = {}
    for name in findings:
        mine = boxes[boxes["finding"] == name]
        marked = real.frame[real.frame.path.isin(mine.path)]
        if len(marked) > 1:  # with one film there is no chance to compare with
            store = real.store.subset(marked)
            masks = chexpert.box_masks(mine, store.frame.path.to_numpy(), store[:1].shape[-1])
            rows[name] = cam.localisation(cam.activation_map(network, signed_batch(store[:]), name), masks)
    return rows


@door(size=whole(24, 512), patients=whole(1, 10_000))
def usual_lungs(size, patients=24, seed=0):
    """(size, size) bool: where at least half of the simulated patients have lung. Nobody's own outline."""
    *_, table = simulator.sample(patients, size, seed, twins=False, masks=False)
    lungs = simulator.organ_map(table, size)[:, simulator.ORGANS.index("lungs")] > 0.1
    return lungs.mean(0) >= 0.5


@door(network=CLASSIFIER, real=REAL, finding=one_of(*chexpert.FINDINGS), lungs=shaped("size", "size"))
def inside(network, real, finding, lungs):
    """Share of what stands out in the maps of a finding that lies in `lungs`: {"with", "without"} it, each an
    Estimate. Without it is where this network looks for the finding whatever the film shows.
    """
    truth, shares = real.labels()[finding], {}
    for name, label in (("with", 1), ("without", 0)):
        store = real.store.subset(real.frame[truth == label])
        if tuple(lungs.shape) != store[:1].shape[1:]:
            raise ValueError(f"lungs is {tuple(lungs.shape)}: the films are {store[:1].shape[1:]} pixels")
        maps = cam.activation_map(network, signed_batch(store[:]), finding)
        masks = torch.from_numpy(np.broadcast_to(lungs, (len(store), *lungs.shape)).copy())
        energy = cam.energy_inside(maps, masks)[0].numpy()
        shares[name] = metrics.mean_interval(energy, store.frame.patient.to_numpy())
    return shares


@door(shares=each(each(bounds, "with", "without")))
def looked(shares):
    """A sentence on {finding: `inside`}: which maps lie in the lungs because the finding is there?"""
    there = [name for name, share in shares.items() if share["with"][1] > share["without"][2]]
    others = [name for name in shares if name not in there]
    if not there:
        return "**Whether a film shows the finding or not, its maps are not shown to lie elsewhere.**"
    rest = f"; not shown for {', '.join(others)}" if others else ""
    return f"Its maps lie more in the lungs where the finding is for {', '.join(there)}{rest}."
