"""What chapter 4 measures of its restorers: the table, lesions kept and invented, what a classifier reads."""

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from .. import (
    artifacts,
    chexpert,
    classifier,
    degradation,
    metrics,
    restoration,
    restorers,
    simulator,
    training,
)
from ..checks import (
    data_set,
    door,
    each,
    function,
    having,
    holding,
    like,
    number,
    shaped,
    whole,
    words,
)
from ..checks import images as films_of
from ..checks import names as names_of
from ..checks import table as table_of
from ..images import unit_batch, unit_to_signed

MEASURES = {"PSNR (dB)": ("psnr", metrics.psnr, "dB"), "SSIM": ("ssim", metrics.ssim, "")}
AIM = {"PSNR (dB)": 1.0, "SSIM": 0.03}  # the lead that a network with the same information should have
NETWORKS = having("items", kind="{name: network}")
PROFILE = having("restoration_images", "classifier_steps", kind="a profile, as session.start gives it")
TUNED = (0, 1, 2)  # seeds of the order in which the shipped classifier goes on learning
COARSE = 4  # px: drawn films are compared with true ones in means over so many a side
FAINT = 0.02  # grey values: below it no share of a lesion's contrast can be taken
BRIGHTEST, LEAST_KEPT = "no finding: brightest error in the lungs", "a lesion: the least kept"
SCORES = shaped("classifiers", "n", "findings")
WHERE = {
    "xray": "simulated patients, one CT: intervals are over warps",
    "ct": "one CT, warped: intervals are over warps",
    "mr": "one head, warped: intervals are over warps",
}


@door(bench=restorers.BENCH, tuned=each(function), networks=NETWORKS, trust=number(0))
def restore_all(bench, tuned, networks, trust=0.0):
    """{name: test images}: degraded, by every tuned method, by every network."""
    degraded, measured = bench.degraded["test"], bench.measured["test"]
    conventional = {name: method(degraded, measured) for name, method in tuned.items()}
    repaired = {name: restorers.repair(network, bench, "test", trust) for name, network in networks.items()}
    return {"degraded": degraded} | conventional | repaired


@door(bench=restorers.BENCH)
def best_trust(network, bench):
    """The weight of the measured k-space that serves the validation slices best; 0 but for MR.

    PSNR and SSIM count in units of AIM: PSNR alone prefers a trust that wins little and brings the noise of
    the measurement back into the air around the head, which SSIM sees.
    """
    if bench.modality != "mr":
        return 0.0
    clean, measured = bench.clean["valid"], bench.measured["valid"]
    improved = restorers.repair(network, bench, "valid")

    def worth(trust):
        repaired = restoration.consistent(improved, measured, trust) if trust else improved
        return sum(MEASURES[name][1](repaired, clean).mean().item() / aim for name, aim in AIM.items())

    return max(restorers.TRUSTS, key=worth)


@door(bench=restorers.BENCH, restored=each(films_of), where=words)
def scores(bench, restored, where=None):
    """PSNR and SSIM of every method with 95 % intervals: columns (measure, value | low | high).

    Recorded as restore/<where>/..., where is the modality unless it is given.
    """
    table, where = {}, where or bench.modality
    for name, images in restored.items():
        for measure, (short, measured, unit) in MEASURES.items():
            found = metrics.mean_interval(measured(images, bench.clean["test"]), bench.patients, bench.seed)
            artifacts.record(f"restore/{where}/{short}/{name}", *found, n=len(images), unit=unit)
            for key, value in found._asdict().items():
                table.setdefault((measure, key), {})[name] = value
    return pd.DataFrame(table)


@door(bench=restorers.BENCH, restored=each(films_of))
def difference(bench, restored, one, other):
    """{measure: Estimate} of one method minus the other, paired: on the same test images."""
    holding(one, other)("restored", restored)
    found = {}
    for measure, (_, measured, _) in MEASURES.items():
        ours, theirs = (measured(restored[name], bench.clean["test"]) for name in (one, other))
        found[measure] = metrics.mean_interval(ours - theirs, bench.patients, bench.seed)
    return found


@door(images=films_of)
def sharpness(images):
    """Mean step between neighbouring pixels."""
    across, down = images.diff(dim=-1), images.diff(dim=-2)
    return (across.abs().mean() + down.abs().mean()).item()


@door(table=table_of("KID x 1000", "low", "high", numeric=True))
def realism(table):
    """The sentence about KID: table, as from `metrics.realism_table` with the row "pix2pix minus unet"."""
    rows = [("imagenet", "unet"), ("imagenet", "pix2pix")]
    changes = [(space, "pix2pix minus unet") for space in ("imagenet", "thumbnails")]
    table_of(rows=rows + changes)("table", table)
    first, second = (table.loc[row, "KID x 1000"] for row in rows)
    seen, small = (metrics.Estimate(*table.loc[row, ["KID x 1000", "low", "high"]]) for row in changes)
    return (
        f"KID x 1000 in features of photographs goes from {first:.0f} to {second:.0f}; the change on the "
        f"same films, {seen:+.0f}, {_more_real(seen)}. In thumbnails the change, {small:+.0f}, "
        f"{_more_real(small)}."
    )


def _more_real(change):
    if change.low <= 0 <= change.high:
        return "shows **no** gain in realism"
    return "is a gain in realism" if change.high < 0 else "is a loss of realism"


@door(films=films_of)
def detail(films):
    """The finest detail of films (n, 1, H, W): the films less their blur by (1, 2, 1) / 4 across and down."""
    line = torch.tensor([0.25, 0.5, 0.25]).to(films)
    blurred = F.conv2d(F.pad(films, (1, 1, 1, 1), mode="replicate"), (line[:, None] * line)[None, None])
    return films - blurred


@door(films=films_of, made=films_of)
def per_film(films, made):
    """Film by film, how right and how sharp a drawing is: DataFrame, a row per film.

    films: the true ones; made: those drawn; both (n, 1, H, W) in [-1, 1]. error: of means over COARSE by
    COARSE pixels, in grey levels of [0, 1]: shapes and greys count, grain does not. sharpness: how strong the
    finest detail is; the true film has 1. in place: the correlation of that detail with the true film's.
    """
    like(films)("made", made)
    coarse = F.avg_pool2d(made, COARSE) - F.avg_pool2d(films, COARSE)
    true, drawn = detail(films).flatten(1), detail(made).flatten(1)
    strength = true.abs().mean(1).clamp_min(1e-6)
    found = {
        "error": coarse.abs().mean((1, 2, 3)) / 2,
        "sharpness": drawn.abs().mean(1) / strength,
        "in place": F.cosine_similarity(drawn, true),
    }
    return pd.DataFrame({name: values.numpy(force=True) for name, values in found.items()})


@door(films=films_of, drawn=each(films_of))
def drawings(films, drawn):
    """The means of `per_film`: DataFrame, a row per generator; drawn: {generator: films}."""
    for name, made in drawn.items():
        like(films)(name, made)
    return pd.DataFrame({name: per_film(films, made).mean() for name, made in drawn.items()}).T


@door(films=films_of, drawn=holding("L1 alone", "both"))
def beside_l1(films, drawn, seed=0):
    """{"sharper", "farther", "in place"}: Estimate of "both" against "L1 alone", on the same films.

    sharper and in place: differences of these measures; farther: of their errors, as a share of L1 alone's.
    """
    both, plain = (per_film(films, drawn[name]) for name in ("both", "L1 alone"))
    apart = both - plain
    farther = apart["error"] / max(plain["error"].mean(), 1e-6)
    pairs = {"sharper": apart["sharpness"], "farther": farther, "in place": apart["in place"]}
    return {name: metrics.mean_interval(values, seed=seed) for name, values in pairs.items()}


class _Known(dict):
    """{name: ...} that says which names it has."""

    def __missing__(self, name):
        raise ValueError(f"name is {name!r}: choose one of {', '.join(self)}")


class Lesions:
    """Films with a lung lesion and their twins without, spoilt alike; methods repair both.

    methods: {name: function(degraded films)}. fixed: {name: {"found" | "plain": films}}.
    """

    @door(methods=each(function), size=whole(24, 512), count=whole(1, 100_000))
    def __init__(self, methods, size, count, seed=0):
        labels = pd.DataFrame({"Lung Lesion": [1.0] * count})
        found, plain, masks, _ = simulator.sample(None, size, seed + 300, labels=labels)
        self.clean = {"found": unit_batch(found), "plain": unit_batch(plain)}
        self.mask = torch.from_numpy(masks["Lung Lesion"])[:, None].float()
        self.spoilt = {n: degradation.apply(x, "xray", seed + 9) for n, x in self.clean.items()}
        self.fixed = _Known(
            {name: {which: method(x) for which, x in self.spoilt.items()} for name, method in methods.items()}
        )
        self.contrast = self.inside(self.clean["found"] - self.clean["plain"])
        self.visible = (self.contrast > FAINT).numpy()
        self.seed = seed

    def inside(self, images):
        """Mean over each film's lesion: (n,)."""
        like(self.mask)("images", images)
        return (images * self.mask).sum((1, 2, 3)) / self.mask.sum((1, 2, 3)).clamp_min(1)

    def share(self, name):
        """How much of each lesion's contrast is left after the repair: (n,), 1 is all."""
        fix = self.fixed[name]
        return self.inside(fix["found"] - fix["plain"]) / self.contrast

    def too_bright(self, name):
        """How much too bright each place of the lungs is in the repaired twins, grey values: (n, 1, h, w)."""
        size = self.mask.shape[-1]
        window, lungs = (size // 8 - 1) | 1, self.mask.amax(0)  # where some lesion of the set lies
        error = F.avg_pool2d(self.fixed[name]["plain"] - self.clean["plain"], window, 1, window // 2)
        return error * lungs

    def strays(self, name):
        """The brightest false opacity in the lungs of each repaired twin, grey values: (n,)."""
        return self.too_bright(name).amax((1, 2, 3))

    def kept(self):
        """{name: Estimate} of the share of contrast kept, over visible lesions."""
        return {n: metrics.mean_interval(self.share(n)[self.visible], seed=self.seed) for n in self.fixed}

    def invented(self):
        """{name: Estimate} of the share of twins with a false opacity above half a typical lesion."""
        return {n: metrics.proportion(self._false(n).sum(), len(self.mask)) for n in self.fixed}

    def beside_degraded(self):
        """The same two, of each method minus the films before any repair, paired: {"kept", "invented"}."""

        def change(measured, which=slice(None)):
            before = measured("degraded")[which]
            changes = {n: measured(n)[which] - before for n in self.fixed if n != "degraded"}
            return {n: metrics.mean_interval(values, seed=self.seed) for n, values in changes.items()}

        return {"kept": change(self.share, self.visible), "invented": change(self._false)}

    def _false(self, name):
        """1 for each twin with such an opacity, else 0: (n,) integers."""
        return (self.strays(name) > self.contrast.median() / 2).int().numpy()

    def _worst(self, name):
        """The numbers of two films: with the method's brightest false opacity, with the least kept lesion."""
        visible = torch.from_numpy(self.visible)
        kept = torch.where(visible, self.share(name), torch.inf)
        return int(self.strays(name).argmax()), int(kept.argmin())

    def where(self, name):
        """For `figures.before_and_after`: {row of `worst`: (row, column) of the pixel that it speaks of}."""
        added, faint = self._worst(name)
        places = {BRIGHTEST: self.too_bright(name)[added, 0], LEAST_KEPT: self.mask[faint, 0]}
        return {title: _middle(place == place.max()) for title, place in places.items()}

    def worst(self, name):
        """Rows for `figures.before_and_after`: the method's brightest error, the lesion it keeps least of."""
        added, faint = self._worst(name)
        rows = {BRIGHTEST: ("plain", added), LEAST_KEPT: ("found", faint)}
        return {
            title: {"clean": self.clean[which][k], "degraded": self.spoilt[which][k]}
            | {n: fix[which][k] for n, fix in self.fixed.items() if n in (name, "pix2pix")}
            for title, (which, k) in rows.items()
        }


def _middle(shows):
    """The middle (row, column) of the pixels of a mask (h, w)."""
    return tuple(shows.nonzero().float().mean(0).tolist())


@door(films=data_set, versions=each(function), findings=names_of(*chexpert.FINDINGS), profile=PROFILE)
def read(films, versions, findings, profile):
    """What the shipped classifier makes of each version of the test films, as it is and tuned to the version.

    versions: {name: function(films in [0, 1], seed) -> films}. It learnt from other patients; tuned, it goes
    on learning from training films of the version, once with each seed of TUNED. Returns {version: (1, n, F)}
    as shipped, {version: (seeds, n, F)} tuned, truth (n, F), patients (n,), {version: (training loss in the
    middle of the tuning, at its end)}. The films it is tuned on are the U-Net's own training films, whose
    repairs may be better than those of the test films.
    """
    parts = {part: films.store.subset(films.splits[part]) for part in ("train", "test")}
    count, findings = min(profile.restoration_images, len(parts["train"])), list(findings)
    labels = torch.tensor(films.labels(parts["train"].frame)[findings].to_numpy()[:count])
    steps, shipped, tuned, late = tuning_steps(profile), {}, {}, {}
    for name, version in versions.items():
        lessons, test = (
            unit_to_signed(version(restorers.unit(parts[part], many), seed))
            for part, many, seed in (("train", count, 20), ("test", 10**9, 21))
        )
        shipped[name] = _answers(classifier.shipped(), test, findings)[None]
        networks, losses = zip(*[_tuned(lessons, labels, findings, steps, k) for k in TUNED], strict=True)
        tuned[name] = np.stack([_answers(network, test, findings) for network in networks])
        late[name] = tuple(np.mean(losses, axis=0))
    truth = films.labels(parts["test"].frame)[findings].to_numpy()
    return shipped, tuned, truth, parts["test"].frame["patient"].to_numpy(), late


@door(profile=PROFILE)
def tuning_steps(profile):
    """How many more steps the shipped classifier learns from films of a version."""
    return max(4, profile.classifier_steps // 10)


def _tuned(lessons, labels, findings, steps, seed):
    model = classifier.shipped(steps)
    answers = torch.full((len(labels), len(model.findings)), torch.nan)  # of other findings nothing is asked
    answers[:, [model.findings.index(name) for name in findings]] = labels
    rng = np.random.default_rng(seed)
    draws = [rng.integers(len(lessons), size=32) for _ in range(steps)]
    history = training.fit(model, [(lessons[chosen], answers[chosen]) for chosen in draws], steps)
    second_half = history.loc[history["step"] >= steps / 2, "loss"]
    return model, second_half.iloc[[0, -1]].tolist()


def _answers(model, test, findings):
    return model.predict(test)[:, [model.findings.index(name) for name in findings]].numpy()


@door(guesses=SCORES, truth=shaped("n", "findings"), patients=shaped("n"), rival=SCORES)
def mean_auroc(guesses, truth, patients, rival=None):
    """Estimate of the macro AUROC, the mean over classifiers; minus the rival's, paired, if one is given.

    guesses, rival: (classifiers, n, findings). The interval draws classifiers, one fewer than there are (Rao
    & Wu 1988), and adds the luck of the test patients, which all of them share. Of few classifiers it is too
    narrow (see `experiments.verdicts.seeds_and_patients`): no verdict with fewer than metrics.LEAST_SEEDS.
    """
    if len(guesses) == 0:
        raise ValueError("guesses is empty: expected at least one classifier's")
    if rival is not None:
        like(guesses)("rival", rival)
    rng = np.random.default_rng(0)
    each = [
        metrics.macro_auroc(truth, one, patients, None if rival is None else rival[k])
        for k, one in enumerate(guesses)
    ]
    values = np.array([found.value for found in each])
    spread = np.array([(found.high - found.low) / (2 * 1.96) for found in each])
    draws = rng.integers(len(each), size=(2000, max(1, len(each) - 1)))
    resampled = values[draws].mean(1) + spread.mean() * rng.standard_normal(2000)
    return metrics.intervals.interval(values.mean(), resampled)
