"""A network that reads chest films: DenseNet (Huang et al., CVPR 2017) with one logit per finding.

    network = classifier.DenseNet(preset="narrow", steps=450)
    history = training.fit(network, store.batches(64), steps=450)
    probabilities = network.predict(films)                        # (B, 14)

Both presets read a map of the film and pool it: maps (B, findings, h, w) = w . relu(features), and
pool(maps) + bias = logit. So the class activation map is exact (see `cam`), whichever way they pool.
"""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from . import artifacts, chexpert
from .checks import alike, distinct, door, images, names, number, path, tensor, whole
from .images import signed_to_xrv
from .local_contrast import LocalContrast
from .training import Model, load, one_step, seeded
from .training.model import check_batch

COMMON_WEIGHT = 0.2  # of a common finding's loss, against 1 of a rare one: it learns in some hundred steps
WARM = 0.15  # share of the steps in which the learning rate rises
PRESETS = ("narrow", "densenet121")
MOST_FINDINGS = 1000


# ---------------------------------------------------------------- the networks
class Narrow(nn.Module):
    """A DenseNet of about 140,000 parameters for CPUs whose last grid is fine enough for small findings.

    Stride-1 stem and an unpooled last transition: 8 x 8 cells at 64 px, 16 x 16 at 128 px. Below 64 px the
    stem does not pool either, so that 32 px films keep 8 x 8.
    """

    @door(findings=whole())
    def __init__(self, findings):
        super().__init__()
        from torchvision.models import DenseNet  # takes seconds: only who builds a network waits for it

        backbone = DenseNet(12, block_config=(2, 4, 6, 4), num_init_features=16, num_classes=findings)
        self.features, self.classifier = backbone.features, backbone.classifier
        self.features.conv0 = nn.Conv2d(3, 16, kernel_size=3, padding=1, bias=False)
        self.features.pool0 = nn.Identity()
        self.features.transition3.pool = nn.Identity()
        nn.init.kaiming_normal_(self.features.conv0.weight)
        self.inputs = LocalContrast()

    def grid(self, films):
        x = self.inputs(films)
        if films.shape[-1] >= 64:
            x = F.max_pool2d(self.features.relu0(self.features.norm0(self.features.conv0(x))), 2)
            x = self.features[4:](x)
        else:
            x = self.features(x)
        return F.relu(x)  # (B, 98, 8, 8) at 64 px


class Official(nn.Module):
    """torchxrayvision's DenseNet-121: input in [-1024, 1024], last grid 1/32 of the film."""

    @door(findings=whole())
    def __init__(self, findings):
        super().__init__()
        import torchxrayvision  # takes seconds: only who asks for the official network waits for it

        backbone = torchxrayvision.models.DenseNet(num_classes=findings, in_channels=1)
        self.features, self.classifier = backbone.features, backbone.classifier

    def grid(self, films):
        return F.relu(self.features(signed_to_xrv(films)))  # (B, 1024, H / 32, W / 32)


@door(maps=images)
def average(maps):
    """Global average pooling of maps (B, F, h, w): every cell counts alike."""
    return maps.mean((2, 3))


@door(maps=images)
def soft_maximum(maps):
    """logsumexp over the cells minus log of their number (Pinheiro & Collobert 2015): one cell suffices."""
    return maps.flatten(2).logsumexp(2) - math.log(maps[0, 0].numel())


# ---------------------------------------------------------------- the loss
@door(logits=tensor("B", "F"), labels=alike("logits"), weights=tensor("F"))
def masked_bce(logits, labels, weights):
    """Binary cross-entropy over the labels that are known (not nan), a weight per finding; (B, F) -> scalar.

    weights: (F,), mean 1. A film made for one finding carries nan for all others: it teaches that one only.
    """
    known = ~torch.isnan(labels)
    loss = F.binary_cross_entropy_with_logits(logits.float(), labels.nan_to_num(), reduction="none")
    return (weights * loss * known).sum() / known.sum().clamp(min=1)


def finding_weights(findings, emphasis=chexpert.RARE):
    """(F,) weights of mean 1, by name: 1 for the findings in `emphasis`, to COMMON_WEIGHT for the others."""
    findings = _names(findings)
    names(*chexpert.FINDINGS, *findings)("emphasis", findings if emphasis in ([], ()) else emphasis)
    weights = torch.tensor([1.0 if finding in emphasis else COMMON_WEIGHT for finding in findings])
    return weights / weights.mean()


@door(steps=whole())
def one_cycle(steps):
    """Learning rate factor: up to 1 in the first WARM of `steps`, then down a cosine to 0 (Smith 2018)."""

    def factor(step):
        if step < WARM * steps:
            return 0.04 + 0.96 * step / (WARM * steps)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - WARM * steps) / ((1 - WARM) * steps)))) + 1e-4

    return factor


# ---------------------------------------------------------------- the model
class DenseNet(Model):
    """A multi-label classifier of films (B, 1, H, W) in [-1, 1]; trained by `training.fit`.

    findings: 14 (CheXpert's) or a list of names; preset: "narrow" or "densenet121" (6,961,934 parameters,
    average pooling); steps: length of the one-cycle schedule; emphasis: names whose loss counts fully, the
    others COMMON_WEIGHT (empty: all alike); weights: None (from scratch), see `load_pretrained`.
    """

    needs = ("films", "labels")
    side = None  # pixels that films are averaged to, or repeated, before they are read; None: as they come

    def __init__(self, findings=14, preset="densenet121", steps=450, emphasis=chexpert.RARE, weights=None,
                 seed=0, cache=None, **machine):  # fmt: skip
        self.findings = _names(findings)
        self.weights = finding_weights(self.findings, emphasis)
        if preset not in PRESETS:
            raise ValueError(f"unknown preset {preset!r}: choose one of {', '.join(PRESETS)}")
        config = {"findings": list(self.findings), "preset": preset, "steps": steps,
                  "emphasis": list(emphasis), "seed": seed}  # fmt: skip
        super().__init__(config, **machine)
        with seeded(seed):
            network = (Narrow if preset == "narrow" else Official)(len(self.findings))
        if weights:
            load_pretrained(network, self.findings, weights, cache)
        # Platt scaling, per finding; 1 and 0 until `calibrate` is called.
        network.register_buffer("temperature", torch.ones(len(self.findings)))
        network.register_buffer("shift", torch.zeros(len(self.findings)))
        self.network = self.place(network)
        self.pool = soft_maximum if preset == "narrow" else average
        self.weights = self.weights.to(self.device)
        # found on validation films; the audited paper's own rate
        self.begin(steps, 3e-3 if preset == "narrow" else 1e-3)

    @door(steps=whole(), rate=number(above=0))
    def begin(self, steps, rate):
        """Begin to learn: a schedule of `steps` that rises to the learning rate `rate`."""
        self.optimizer = torch.optim.AdamW(self.network.parameters(), rate, weight_decay=1e-4)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, one_cycle(steps))

    @property
    def trained(self):
        """The network a shipped model consists of."""
        return self.network

    def load_trained(self, weights):
        self.network.load_state_dict(weights)

    def parameters(self):
        return self.network.parameters()

    @door(films=images)
    def read(self, films):
        """Features, maps and logits of films: (B, C, h, w), (B, F, h, w), (B, F)."""
        if self.side:
            films = F.interpolate(films, (self.side, self.side), mode="area")
        grid = self.network.grid(films)
        maps = torch.einsum("bchw,fc->bfhw", grid, self.network.classifier.weight)
        return grid, maps, self.pool(maps.float()) + self.network.classifier.bias

    def plan(self):
        return "descent"

    @one_step
    def step(self, batch):
        """One optimizer step on (images, labels (B, F); nan = not counted). Returns {"loss"}."""
        images, labels = batch
        self._check(labels)
        self.network.train()
        loss = masked_bce(self.read(images)[2], labels, self.weights)
        self.descend(loss, self.optimizer)
        return {"loss": loss}

    def _check(self, labels, rows=None):
        """Refuse labels that are not (rows, findings), or not 0 to 1 (or nan)."""
        tensor("B", "findings")("labels", labels)
        if labels.shape[1] != len(self.findings):
            raise ValueError(
                f"the labels have {labels.shape[1]} columns, this network reads {len(self.findings)} "
                f"findings: {', '.join(self.findings)}"
            )
        if rows is not None and len(labels) != rows:
            raise ValueError(f"{len(labels)} rows of labels to {rows} films: expected one each")
        if labels.device.type == "cpu" and ((labels < 0) | (labels > 1)).any():
            raise ValueError(
                "labels outside 0 to 1: what is uncertain (-1) or unknown is nan here, see chexpert.labels"
            )

    @torch.no_grad()
    def logits(self, images):
        """(N, F) on the CPU, in float32; the network in evaluation mode."""
        check_batch(images, self.config)
        self.network.eval()
        with self.autocast():
            parts = [self.read(part.to(self.device))[2].float().cpu() for part in images.split(256)]
        return torch.cat(parts)

    def predict(self, images):
        """Probabilities (N, F) of films (N, 1, H, W) in [-1, 1], on the CPU; calibrated after `calibrate`."""
        temperature, shift = self.network.temperature.cpu(), self.network.shift.cpu()
        return torch.sigmoid(self.logits(images) / temperature + shift)

    @torch.no_grad()
    def embed(self, images):
        """Average-pooled features (N, C): the feature space "films" of `metrics.kid` and its kin."""
        check_batch(images, self.config)
        self.network.eval()
        with self.autocast():
            return self.network.grid(images.to(self.device)).mean((2, 3)).float()

    @door(images=images)
    def loss(self, images, labels):
        """The training loss on films that are not trained on. Validation minus training is the gap."""
        self._check(labels, len(images))
        return masked_bce(self.logits(images), labels.cpu(), self.weights.cpu()).item()

    @door(images=images)
    def calibrate(self, images, labels):
        """Fit temperature and shift of each finding on held-out films (Platt 1999; Guo et al., ICML 2017).

        Ranks, and so AUROC, stay; probabilities become frequencies, which a network trained on a set enriched
        with rare positives otherwise overstates. A finding without both labels is left as it is.
        """
        self._check(labels, len(images))
        logits, labels = self.logits(images), labels.cpu()
        for column, (temperature, shift) in enumerate(platt(logits, labels)):
            self.network.temperature[column], self.network.shift[column] = temperature, shift


def _names(findings):
    if not hasattr(findings, "__iter__"):
        whole(1, MOST_FINDINGS)("findings", findings)
        if findings == len(chexpert.FINDINGS):
            return tuple(chexpert.FINDINGS)
        return tuple(f"finding {number}" for number in range(findings))
    distinct()("findings", findings)
    return tuple(findings)


@door(logits=tensor("N", "F"), labels=alike("logits"))
def platt(logits, labels):
    """Yield (temperature, shift) a column: sigmoid(logit / temperature + shift) fits the labels best."""
    for scores, truth in zip(logits.T.double(), labels.T.double(), strict=True):
        known = ~torch.isnan(truth)
        scores, truth = scores[known], truth[known]
        if not 0 < truth.sum() < len(truth):
            yield 1.0, 0.0
            continue
        parameters = torch.zeros(2, dtype=torch.double, requires_grad=True)  # log of 1 / temperature, shift
        solver = torch.optim.LBFGS([parameters], max_iter=50, line_search_fn="strong_wolfe")

        def objective(p=parameters, x=scores, y=truth, solver=solver):
            solver.zero_grad()
            loss = F.binary_cross_entropy_with_logits(x * p[0].exp() + p[1], y)
            loss = loss + 1e-3 * p.square().sum()  # keeps a separable finding finite
            loss.backward()
            return loss

        solver.step(objective)
        yield math.exp(-parameters[0].item()), parameters[1].item()


# ---------------------------------------------------------------- the shipped one
SIDE = 64  # pixels of the films that the shipped classifier learnt from
TUNING_RATE = 1e-3  # a third of the first: what it has learnt should stay


@door(steps=whole())
def shipped(steps=None):
    """The classifier that the package ships; it brings films to SIDE pixels. Its card says how well it reads.

    steps: None to use it as it is, or how many more steps it will learn, from other films.
    """
    model = load(DenseNet, artifacts.ASSETS / "classifier")
    model.side = SIDE
    if steps is not None:
        model.begin(steps, TUNING_RATE)
    return model


# ---------------------------------------------------------------- transfer learning
XRV_NAMES = {"Pleural Effusion": "Effusion"}  # torchxrayvision's names where they differ from CheXpert's


@door(findings=distinct(), cache=path)
def load_pretrained(network, findings, weights, cache=None):
    """Start `network` (preset "densenet121") from trained weights.

    weights: "imagenet", or a name of torchxrayvision's such as "densenet121-res224-chex"; cache: the folder
    that holds torchxrayvision's file already, or receives it. Its files are pickles: take them only from its
    own releases. Raises ConnectionError with what to fetch, and where to put it, when offline.
    """
    if not isinstance(network, Official):
        raise ValueError('there are pretrained weights for preset="densenet121" only, not for "narrow"')
    if weights == "imagenet":
        network.features.load_state_dict(_imagenet_features())
        return
    trained = _fetch(weights, cache)
    trained.op_threshs = None  # with them the output is a rescaled sigmoid, not a logit
    network.features.load_state_dict(trained.features.state_dict())
    with torch.no_grad():
        for row, finding in enumerate(findings):
            name = XRV_NAMES.get(finding, finding)
            if name in trained.pathologies:  # by name: the orders differ
                column = trained.pathologies.index(name)
                network.classifier.weight[row] = trained.classifier.weight[column]
                network.classifier.bias[row] = trained.classifier.bias[column]


def _fetch(weights, cache):
    import torchxrayvision.models as xrv

    known = [name for name in xrv.model_urls if name.startswith("densenet121")]
    if weights not in known:
        raise ValueError(f"unknown weights {weights!r}: choose imagenet or one of {', '.join(known)}")
    address = xrv.model_urls[weights]["weights_url"]
    folder = Path(cache or "~/.torchxrayvision/models_data/").expanduser()
    try:
        return xrv.DenseNet(weights=weights, cache_dir=None if cache is None else f"{folder}/")
    except OSError as error:
        raise ConnectionError(_offline(weights, address, folder / Path(address).name)) from error


def _imagenet_features():
    """torchvision's ImageNet DenseNet-121, its first layer folded to one channel in [-1024, 1024]."""
    import torchvision

    source = torchvision.models.DenseNet121_Weights.IMAGENET1K_V1
    try:
        features = torchvision.models.densenet121(weights=source).features.state_dict()
    except OSError as error:
        place = Path(torch.hub.get_dir()) / "checkpoints" / Path(source.url).name
        raise ConnectionError(_offline("imagenet", source.url, place)) from error
    # ImageNet input is (v - .45) / .226 of v in [0, 1]; ours is 1024 (2 v - 1): the scale goes into the
    # first layer, the offset of .05 / .226 is dropped.
    features["conv0.weight"] = features["conv0.weight"].sum(1, keepdim=True) / (2 * 1024 * 0.226)
    return features


def _offline(weights, address, place):
    return (
        f"the weights {weights!r} could not be downloaded and are not in {place.parent}. On a machine with a "
        f"network fetch {address} and save it as {place}; or train from scratch with weights=None"
    )
