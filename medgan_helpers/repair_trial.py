"""What chapter 4 measures of its restorers, and the sentences that follow from the numbers.

Every sentence whose wording depends on a result is a function here, so that tests can read it.
"""

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from . import artifacts, chexpert, classifier, degradation, metrics, restorers, simulator, training
from .checks import (
    data_set,
    door,
    each,
    estimate,
    estimates,
    function,
    having,
    holding,
    like,
    number,
    pair,
    shaped,
    whole,
    words,
)
from .checks import images as films_of
from .checks import names as names_of
from .checks import table as table_of
from .images import unit_batch, unit_to_signed

MEASURES = {"PSNR (dB)": ("psnr", metrics.psnr, "dB"), "SSIM": ("ssim", metrics.ssim, "")}
NETWORKS = having("items", kind="{name: network}")
PROFILE = having("restoration_images", "classifier_steps", kind="a profile, as session.start gives it")
AIM = {"PSNR (dB)": 1.0, "SSIM": 0.03}  # the lead that a network with the same information should have
CLEARLY = 1.1  # times: how much sharper counts as sharper, how much farther off as farther
TUNED = (0, 1, 2)  # seeds of the order in which the shipped classifier goes on learning
FAINT = 0.02  # grey values: below it no share of a lesion's contrast can be taken
SCORES = shaped("classifiers", "n", "findings")
DRAWINGS = ("L1 alone", "D alone", "both")
WHERE = {
    "xray": "simulated patients, one CT: intervals are over warps",
    "ct": "one CT, warped: intervals are over warps",
    "mr": "one head, warped: intervals are over warps",
}


# ---------------------------------------------------------------- the table
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
    clean = bench.clean["valid"]

    def worth(trust):
        repaired = restorers.repair(network, bench, "valid", trust)
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


@door(found=each(estimate, *MEASURES))
def lead(modality, rival, found):
    """The sentence of the U-Net against the best conventional method; in bold where the aim is missed.

    found: as from `difference`.
    """
    dB, ssim = found["PSNR (dB)"], found["SSIM"]
    numbers = (
        f"{dB.value:+.2f} dB ({dB.low:+.2f} to {dB.high:+.2f}), "
        f"SSIM {ssim.value:+.3f} ({ssim.low:+.3f} to {ssim.high:+.3f})"
    )
    text = f"{modality}: unet against {rival}, {numbers}"
    if dB.high < 0 or ssim.high < 0:
        return f"**{text}. With the same information the network loses here.**"
    missed = [name for name, wanted in AIM.items() if found[name].value < wanted]
    if missed:
        return (
            f"**{text}. It does not lead by the {' and '.join(_aim(name) for name in missed)} we aimed at.**"
        )
    return f"{text}. It leads by more than the {_aim('PSNR (dB)')} and {_aim('SSIM')} we aimed at."


def _aim(measure):
    return f"{AIM[measure]:g} dB" if measure == "PSNR (dB)" else f"{AIM[measure]:g} of SSIM"


# ---------------------------------------------------------------- the discriminator
@door(images=films_of)
def sharpness(images):
    """Mean step between neighbouring pixels."""
    across, down = images.diff(dim=-1), images.diff(dim=-2)
    return (across.abs().mean() + down.abs().mean()).item()


@door(diagnosis=words, found=each(estimate, *MEASURES), sharp=pair)
def discriminator_effect(modality, diagnosis, found, sharp):
    """What the discriminator changed, against the control that took the same steps with L1 alone.

    diagnosis: of `training.diagnose`; found: as from `difference`, pix2pix minus unet; sharp: (unet, pix2pix)
    sharpness, clean images are 1. Says nothing of an effect unless the discriminator has learnt and neither
    network has won.
    """
    if not diagnosis.startswith("healthy"):
        return f"{modality}: {diagnosis}. So nothing can be said about what a discriminator changes."
    dB, ssim = found["PSNR (dB)"], found["SSIM"]
    change = (
        f"PSNR by {dB.value:+.2f} dB ({dB.low:+.2f} to {dB.high:+.2f}), SSIM by {ssim.value:+.3f} "
        f"({ssim.low:+.3f} to {ssim.high:+.3f}), sharpness from {sharp[0]:.2f} to {sharp[1]:.2f} (clean: 1)"
    )
    closeness = "It costs closeness" if dB.high < 0 else "No cost in closeness has been shown"
    detail = "adds detail" if sharp[1] > sharp[0] * 1.02 else "adds no detail"
    return f"{modality}: the discriminator changes {change}. {closeness}, and it {detail}."


@door(table=table_of("KID x 1000", "low", "high", numeric=True))
def realism(table, one="unet", other="pix2pix"):
    """The sentence about KID in features of photographs: table, as from `metrics.realism_table`."""
    table_of(rows=[("imagenet", one), ("imagenet", other)])("table", table)
    first, second = (table.loc[("imagenet", name)] for name in (one, other))
    numbers = f"KID x 1000 goes from {first['KID x 1000']:.0f} to {second['KID x 1000']:.0f}"
    apart = second["high"] < first["low"]
    return f"{numbers}: " + (
        "a gain in realism."
        if apart
        else "the intervals overlap, so a gain in realism has **not** been shown."
    )


@door(films=films_of, drawn=each(films_of))
def drawings(films, drawn):
    """How near and how sharp films drawn from organ maps are: DataFrame, a row per generator.

    films: the true ones; drawn: {generator: films}; all (n, 1, H, W) in [-1, 1]. error: mean absolute, of
    grey levels in [0, 1]; sharpness: the true films have 1.
    """
    for name, made in drawn.items():
        like(films)(name, made)
    errors = {name: (made - films).abs().mean().item() / 2 for name, made in drawn.items()}
    sharp = {name: sharpness(made) / sharpness(films) for name, made in drawn.items()}
    return pd.DataFrame({"error": errors, "sharpness": sharp})


@door(table=table_of("error", rows=DRAWINGS, numeric=True))
def held_by_l1(table):
    """What the drawings lose when the L1 term goes; table as for `sharp_and_right`."""
    lost, both = (table.error[name] / table.error["L1 alone"] for name in ("D alone", "both"))
    numbers = (
        f"*D alone* is {lost:.2f} times as far from the true film as *L1 alone*, *both* {both:.2f} times"
    )
    if lost > CLEARLY:
        return f"L1 does: {numbers}. The discriminator asks for *a* film, L1 for this patient's."
    return f"Not shown: {numbers}."


@door(table=table_of("error", "sharpness", rows=DRAWINGS, numeric=True))
def sharp_and_right(table):
    """Which generator draws films both sharp and right.

    table: columns error and sharpness, rows "L1 alone", "D alone" and "both"."""
    both, plain = table.loc["both"], table.loc["L1 alone"]
    farther, sharper = both.error / plain.error, both.sharpness / plain.sharpness
    numbers = f"{sharper:.2f} times as sharp as L1 alone, {farther:.2f} times as far from the true film"
    if sharper > CLEARLY and farther < CLEARLY:
        return f"*Both* is: {numbers}."
    if sharper > CLEARLY:
        return f"None is: *both* is {numbers}. Its detail is not where it should be."
    return f"None is: *both* is {numbers}, hardly sharper."


# ---------------------------------------------------------------- erased, or invented
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
        self.clean = {"found": _unit(found), "plain": _unit(plain)}
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

    def strays(self, name):
        """The brightest false opacity in the lungs of each repaired twin, grey values: (n,)."""
        size = self.mask.shape[-1]
        window, lungs = (size // 8 - 1) | 1, self.mask.amax(0)  # where some lesion of the set lies
        error = F.avg_pool2d(self.fixed[name]["plain"] - self.clean["plain"], window, 1, window // 2)
        return (error * lungs).amax((1, 2, 3))

    def kept(self):
        """{name: Estimate} of the share of contrast kept, over visible lesions."""
        return {n: metrics.mean_interval(self.share(n)[self.visible], seed=self.seed) for n in self.fixed}

    def invented(self):
        """{name: Estimate} of the share of twins with a false opacity above half a typical lesion."""
        half = self.contrast.median().item() / 2
        return {n: metrics.proportion((self.strays(n) > half).sum(), len(self.mask)) for n in self.fixed}

    def worst(self, name):
        """Rows for `figures.before_and_after`: the method's brightest error, the lesion it keeps least of."""
        added = int(self.strays(name).argmax())
        visible = torch.from_numpy(self.visible)
        faint = int(torch.where(visible, self.share(name), torch.inf).argmin())
        rows = {"no finding: brightest error in the lungs": ("plain", added)}
        rows |= {"a lesion: the least kept": ("found", faint)}
        return {
            title: {"clean": self.clean[which][k], "degraded": self.spoilt[which][k]}
            | {n: fix[which][k] for n, fix in self.fixed.items() if n in (name, "pix2pix")}
            for title, (which, k) in rows.items()
        }


@door(kept=each(estimate, "unet", "pix2pix"), invented=each(estimate, "unet", "pix2pix"))
def erased_or_invented(kept, invented, rival):
    """What the U-Net keeps of lesions and invents, beside the best filter and Pix2Pix: {name: Estimate}."""
    for name, found in {"kept": kept, "invented": invented}.items():
        holding(rival)(name, found)
    names = {"unet": "the U-Net", rival: f"the best filter ({rival})", "pix2pix": "Pix2Pix"}
    left = ", ".join(f"{told} {kept[name]:.2f}" for name, told in names.items())
    drawn = ", ".join(f"{told} in {100 * invented[name].value:.0f} %" for name, told in names.items())
    return (
        f"Of the contrast of a lung lesion, the share that is left: {left}. A false opacity in the lungs "
        f"of a patient without any finding: {drawn} of the films."
    )


def _unit(images):
    return unit_batch(images)


# ---------------------------------------------------------------- does it help the diagnosis
@door(films=data_set, versions=each(function), findings=names_of(*chexpert.FINDINGS), profile=PROFILE)
def read(films, versions, findings, profile):
    """What the shipped classifier makes of each version of the test films, as it is and tuned to the version.

    versions: {name: function(films in [0, 1], seed) -> films}. It learnt from other patients; tuned, it goes
    on learning from training films of the version, once with each seed of TUNED. Returns {version: (1, n, F)}
    as shipped, {version: (seeds, n, F)} tuned, truth (n, F), patients (n,). The films it is tuned on are the
    U-Net's own training films, whose repairs may be better than those of the test films.
    """
    parts = {part: films.store.subset(films.splits[part]) for part in ("train", "test")}
    count = min(profile.restoration_images, len(parts["train"]))
    labels = torch.tensor(films.labels(parts["train"].frame)[findings].to_numpy()[:count])
    steps = max(4, profile.classifier_steps // 10)
    shipped, tuned = {}, {}
    for name, version in versions.items():
        lessons, test = (
            unit_to_signed(version(restorers.unit(parts[part], many), seed))
            for part, many, seed in (("train", count, 20), ("test", 10**9, 21))
        )
        shipped[name] = _answers(classifier.shipped(), test, findings)[None]
        networks = [_tuned(lessons, labels, findings, steps, seed) for seed in TUNED]
        tuned[name] = np.stack([_answers(network, test, findings) for network in networks])
    truth = films.labels(parts["test"].frame)[findings].to_numpy()
    return shipped, tuned, truth, parts["test"].frame["patient"].to_numpy()


def _tuned(lessons, labels, findings, steps, seed):
    model = classifier.shipped(steps)
    answers = torch.full((len(labels), len(model.findings)), torch.nan)  # of other findings nothing is asked
    answers[:, [model.findings.index(name) for name in findings]] = labels
    rng = np.random.default_rng(seed)
    draws = [rng.integers(len(lessons), size=32) for _ in range(steps)]
    training.fit(model, [(lessons[chosen], answers[chosen]) for chosen in draws], steps)
    return model


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


def _gains(name, value):
    estimates(name, value)
    holding("degraded")(name, value)


@door(gains=_gains, shipped=estimate, seeds=whole())
def helped(gains, shipped, seeds):
    """Whether the repair helped the classifier that was tuned to the films it reads, and the one as shipped.

    gains: {other: Estimate} of unet minus the other, tuned; shipped: Estimate of unet minus degraded.
    """
    numbers = "; ".join(f"{name} ones {gain:+.3f}" for name, gain in gains.items())
    verdict = "The repair helped." if gains["degraded"].low > 0 else "**No help has been shown.**"
    if seeds < metrics.LEAST_SEEDS:
        verdict = f"**{metrics.first_look(seeds)}.**"
    installed = "is harmed" if shipped.high < 0 else "is not shown to be helped"
    installed = "is helped" if shipped.low > 0 else installed
    return (
        "A classifier that is tuned to the films it reads, mean AUROC on films that the U-Net repaired minus "
        f"that on {numbers}. {verdict} The classifier as shipped, which learnt from clean films alone, "
        f"{installed}: repaired minus degraded {shipped:+.3f}."
    )


@door(rivals=each(words), against=each(each(estimate, *MEASURES)))
def leads(rivals, against):
    """The U-Net against the best conventional method in one sentence: {modality: its name, `difference`}."""
    holding(*against)("rivals", rivals)
    parts = [
        f"{'X-ray' if modality == 'xray' else modality.upper()} {found['PSNR (dB)'].value:+.2f} dB, "
        f"SSIM {found['SSIM'].value:+.3f} ({rivals[modality].replace('_', ' ')})"
        for modality, found in against.items()
    ]
    return f"The U-Net against the best conventional method, on test images: {'; '.join(parts)}."
