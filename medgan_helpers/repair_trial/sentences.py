"""The sentences of chapter 4 whose wording depends on what `measures` found, so that tests can read them."""

from .. import metrics, pix2pix, restorers
from ..checks import (
    door,
    each,
    estimate,
    estimates,
    holding,
    number,
    pair,
    whole,
    words,
)
from ..checks import names as names_of
from ..checks import table as table_of
from ..pix2pix import PAPER
from .measures import AIM, MEASURES

CLEARLY = 1.1  # times: how much sharper counts as sharper, how much farther off as farther
SHARP = (0.8, 1.25)  # of the true films' detail: from here to there a drawing is as sharp as a film
NAMES = {"xray": "X-ray", "ct": "CT", "mr": "MR"}
DRAWINGS = ("L1 alone", "D alone", "both")
TOLD = {"nlm": "non-local means (nlm)"}  # filters in words


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
    sharper = "sharper" if sharp[1] > sharp[0] * 1.02 else "no sharper"
    return f"{modality}: the discriminator changes {change}. {closeness}, and images become {sharper}."


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


@door(
    table=table_of("error", "sharpness", "in place", rows=DRAWINGS, numeric=True),
    found=each(estimate, "sharper", "farther", "in place"),
)
def sharp_and_right(table, found):
    """Which generator draws films both sharp and right.

    table: columns error, sharpness and in place, rows "L1 alone", "D alone" and "both"; found: as from
    `beside_l1`."""
    sharp, blurred = table.sharpness["both"], table.sharpness["L1 alone"]
    farther = found["farther"]
    numbers = (
        f"*both* has {100 * sharp:.0f} % of the true films' fine detail, *L1 alone* {100 * blurred:.0f} %; "
        f"in shapes and greys *both* is farther from the true film than *L1 alone* by "
        f"{100 * farther.value:.0f} % ({100 * farther.low:.0f} to {100 * farther.high:.0f}), "
        f"*D alone* by {_farther(table):.0f} %"
    )
    own, other = (table["in place"][name] for name in ("both", "L1 alone"))
    place = (
        f"in place (correlation with the true film's detail {own:.2f}, *L1 alone* {other:.2f}; difference "
        f"{found['in place']:+.3f})"
    )
    if found["sharper"].low <= 0 or sharp < CLEARLY * blurred:
        return f"None is: {numbers}. *Both* is hardly sharper than *L1 alone*."
    if not SHARP[0] <= sharp <= SHARP[1]:
        return f"None is yet: {numbers}. *Both* is sharper than *L1 alone*, but not as a film is."
    if farther.high >= CLEARLY - 1:
        return f"None is: {numbers}. *Both* pays for its detail with the patient."
    if found["in place"].high < 0:
        most = "In shapes and greys *both* is, in fine detail it is not"
        return f"{most}: {numbers}. Less of its detail lies {place}."
    return f"*Both* is: {numbers}. No less of its detail is shown to lie {place}."


@door(known=number(0), new=number(0))
def by_heart(known, new):
    """Whether L1 alone has learnt films by heart, from its errors on those it learnt from and on others."""
    numbers = (
        f"*L1 alone* errs by {known:.3f} on the films it learnt from and by {new:.3f} on other patients'"
    )
    if new < CLEARLY * known:
        return f"{numbers}: nothing is learnt by heart."
    return (
        f"{numbers}. The map does not say how a film was exposed, and whoever trains long on few films "
        "learns their exposures by heart. The other two learnt as long from the same films."
    )


def _farther(table):
    return 100 * (table.error["D alone"] / table.error["L1 alone"] - 1)


WITHOUT = ("degraded", "unet", "pix2pix")  # what stands beside the filters
SHARES, BESIDE = each(estimate, *WITHOUT), each(each(estimate, "pix2pix"), "kept", "invented")


@door(kept=SHARES, invented=SHARES, beside=BESIDE, films=whole())
def erased_or_invented(kept, invented, beside, rival, films):
    """What is left of lesions, and where lungs come out too bright: {name: Estimate}, also before any repair.

    beside: as from `Lesions.beside_degraded`; rival: the best filter by PSNR; films: how many healthy ones.
    """
    for name, found in {"kept": kept, "invented": invented}.items():
        holding(rival)(name, found)
    names = {"degraded": "before any repair", "unet": "the U-Net"}
    names |= {rival: f"the best filter by PSNR ({rival})", "pix2pix": "Pix2Pix"}
    names |= {name: TOLD.get(name, name.replace("_", " ")) for name in invented if name not in names}
    left = ", ".join(f"{told} {kept[name]:.2f}" for name, told in names.items())
    drawn = ", ".join(f"{told} {_percent(invented[name])}" for name, told in names.items())
    return (
        f"Of the contrast of a lung lesion, the share that is left: {left}. {_takes(kept, beside)} "
        f"A patch of lung too bright by more than half a lesion, in how many of {films} healthy films: "
        f"{drawn}. {_adds(beside)} Whether such a patch looks like a lesion was not asked."
    )


def _percent(share):
    return f"{100 * share.value:.0f} % ({100 * share.low:.0f} to {100 * share.high:.0f})"


def _adds(beside):
    """Whether more films have such a patch after Pix2Pix than before any repair."""
    change = beside["invented"]["pix2pix"]
    told = "more films have" if change.low > 0 else "fewer films have" if change.high < 0 else (
        "it is not shown that more or fewer films have"
    )  # fmt: skip
    return (
        f"After Pix2Pix {told} one than before any repair: the difference is {100 * change.value:.0f} points "
        f"of 100 ({100 * change.low:.0f} to {100 * change.high:.0f})."
    )


def _takes(kept, beside):
    """Whether every repair leaves less of a lesion than the film had before it."""
    values = [found.value for name, found in kept.items() if name != "degraded"]
    every = max(change.high for change in beside["kept"].values()) < 0
    says = "Every repair takes" if every else "Not every repair is shown to take"
    return (
        f"{says} contrast from true lesions: {min(values):.2f} to {max(values):.2f} of it are left, "
        f"{kept['degraded'].value:.2f} before any repair."
    )


def _gains(name, value):
    estimates(name, value)
    holding("degraded")(name, value)


@door(late=each(pair, "degraded"), steps=whole())
def tuned_how(late, steps):
    """How the classifier came to its films. late: its losses, as from `measures.read`; steps: of tuning."""
    middle, end = late["degraded"]
    still = "; its loss on degraded ones was still falling" if end < middle else ""
    return f"it learnt from clean films, then for {steps} more steps from films of each kind{still}"


@door(gains=_gains, shipped=estimate, seeds=whole(), late=each(pair, "degraded", "unet"), steps=whole())
def helped(gains, shipped, seeds, late, steps):
    """Whether the repair helped the classifier that was tuned to the films it reads, and the one as shipped.

    gains: {other: Estimate} of unet minus the other, tuned; shipped: Estimate of unet minus degraded; late
    and steps: as for `tuned_how`.
    """
    (bad, bad_end), (good, good_end) = late["degraded"], late["unet"]
    short = (
        f"The tuning was short, {steps} steps: in their second half the training loss went from {bad:.2f} to "
        f"{bad_end:.2f} on degraded films, from {good:.2f} to {good_end:.2f} on the U-Net's."
    )
    if bad_end < bad:
        short += " It still fell on degraded ones: part of the gain may be an under-tuned opponent."
    numbers = ", ".join(f"{gain:+.3f} from that on {name} ones" for name, gain in gains.items())
    verdict = "The repair helped." if gains["degraded"].low > 0 else "**No help has been shown.**"
    if seeds < metrics.LEAST_SEEDS:
        verdict = f"**{metrics.first_look(seeds)}.**"
    installed = "is harmed" if shipped.high < 0 else "is not shown to be helped"
    installed = "is helped" if shipped.low > 0 else installed
    return (
        "When the classifier is tuned to the films it reads, its mean AUROC on films that the U-Net repaired "
        f"differs by {numbers}. {verdict} {short} The classifier as shipped, a single one that learnt from "
        f"clean films alone, {installed}: repaired minus degraded {shipped:+.3f}."
    )


@door(against=each(each(estimate, *MEASURES)), gan=each(each(estimate, *MEASURES)))
def led(against, gan, simulated=True):
    """The same without names and intervals: where the U-Net, and where the GAN, repairs better by PSNR.

    against, gan: {modality: `difference`} of "unet" and of "pix2pix" to the best conventional method;
    simulated: whether the films are.
    """
    leads, better = _better(against), "better than the best conventional method"
    if not leads:
        return f"No U-Net repairs {better}; {_gan_led(gan)}."
    values = sorted(lead.value for lead in leads.values())
    images = "simulated images" if simulated else "test images"
    by = " to ".join(dict.fromkeys(f"{value:.2f}" for value in (values[0], values[-1])))
    where = f"for {_and(leads)}, by {by} dB, on {images} spoilt as in training"
    return f"A U-Net repairs {better} {where}; {_gan_led(gan)}."


@door(leads=each(estimate), trained=words, films=whole())
def elsewhere(leads, trained, films):
    """The U-Net at settings of the machine that it was not trained for. leads: {setting: Estimate of dB};
    trained: the setting that it was trained for; films: how many."""
    said = {
        name: f"{name} {dB.value:+.2f} dB ({dB.low:+.2f} to {dB.high:+.2f})" for name, dB in leads.items()
    }
    parts = [f"**{said[n]}, the filter wins**" if dB.high < 0 else said[n] for n, dB in leads.items()]
    return (
        f"The X-ray U-Net was trained for {trained}. At other settings of the machine, against the best "
        f"filter tuned anew ({films} films): {'; '.join(parts)}."
    )


def _and(names):
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _better(against, sign=1):
    """{name: Estimate of the dB} of the modalities where the lead (sign -1: the loss) is beyond doubt."""
    found = {NAMES[modality]: measured["PSNR (dB)"] for modality, measured in against.items()}
    return {name: dB for name, dB in found.items() if (dB.low > 0 if sign > 0 else dB.high < 0)}


def _gan_led(gan):
    better, worse = _better(gan), _better(gan, -1)
    does = f"does so for {_and(better)}" if better else "does not"
    weight = f" ({told})" if (told := heavier([*gan])) else ""
    return f"as a GAN it {does}{f' and loses for {_and(worse)}' if worse else ''}{weight}"


@door(modalities=names_of(*NAMES))
def heavier(modalities):
    """Which of these modalities' discriminators weigh more beside L1 than the paper's, by the course's
    settings; "" if none does."""
    by_times = {}
    for modality in modalities:
        l1 = restorers.BESIDE_OF.get(modality, {}).get("l1", pix2pix.BESIDE.l1)
        by_times.setdefault(PAPER.l1 / l1, []).append(NAMES[modality])
    parts = [f"{_and(names)} at {times:.3g} times" for times, names in by_times.items() if times > 1]
    return f"{_and(parts)} the paper's adversarial weight" if parts else ""


@door(against=each(each(estimate, *MEASURES)), diagnosis=each(words))
def gan_leads(rivals, against, diagnosis):
    """The GAN's own answer, Pix2Pix against the best conventional method; in bold where it loses.

    against: {modality: `difference`}; diagnosis: {modality: of `training.diagnose`}.
    """
    parts = []
    for modality, found in against.items():
        dB = found["PSNR (dB)"]
        text = f"{NAMES[modality]} {dB.value:+.2f} dB ({dB.low:+.2f} to {dB.high:+.2f})"
        text = f"**{text}, it loses to {rivals[modality].replace('_', ' ')}**" if dB.high < 0 else text
        learnt = diagnosis[modality].startswith("healthy")
        parts.append(text if learnt else f"{text}, but its discriminator has not learnt: no GAN")
    return f"The GAN itself, Pix2Pix against the best conventional method: {'; '.join(parts)}."


@door(kept=SHARES, invented=SHARES, beside=BESIDE, films=whole())
def invented_in_short(kept, invented, beside, films):
    """The same in short sentences, of which the front page takes the first: networks, filters, lesions."""
    gan, unet, bad = (f"{100 * invented[name].value:.0f} %" for name in ("pix2pix", "unet", "degraded"))
    filters = [name for name in invented if name not in WITHOUT]
    most = max(filters, key=lambda name: invented[name].value, default=None)
    named = TOLD.get(most, str(most).replace("_", " "))
    filtered = f", the filter {named} in {100 * invented[most].value:.0f} %" if most else ""
    each_one = {"Pix2Pix": "pix2pix", "U-Net": "unet", "before": "degraded"} | {
        name.replace("_", " "): name for name in filters
    }
    shares = ", ".join(f"{told} {_percent(invented[name])}" for told, name in each_one.items())
    return (
        f"Pix2Pix leaves a patch of lung too bright by more than half a lesion in {gan} of {films} healthy "
        f"films, the U-Net in {unet}{filtered}; before repair {bad}. With intervals: {shares}. "
        f"{_takes(kept, beside)}"
    )


@door(weights=each(number(0.01)))
def critics_weight(weights):
    """How much the discriminators weighed beside L1. weights: {modality: the l1 of its Pix2Pix}."""
    by_weight = {}
    for modality, l1 in weights.items():
        by_weight.setdefault(l1, []).append(NAMES[modality])
    parts = []
    for l1, names in sorted(by_weight.items(), reverse=True):
        times = "as much" if l1 == PAPER.l1 else f"{PAPER.l1 / l1:.3g} times as much"
        parts.append(f"for {_and(names)} {times} (l1 = {l1:g})")
    why = " The weights were chosen while the course was made; no table of others is kept."
    return (
        "Beside L1, the discriminator of the Pix2Pix that is measured here weighs, compared with the "
        f"paper's, {', '.join(parts)}.{why if min(by_weight) < PAPER.l1 else ''}"
    )


@door(memory=each(number(0), "fake", "held_out", "copies"), films=whole())
def shines_through(memory, films):
    """Do training films shine through repaired ones? memory: as from `metrics.memorisation`; films: how many
    are repaired, and how many clean ones say what chance is."""
    near = metrics.proportion(round(memory["copies"] * films), films)
    share = (
        f"{100 * near.value:.1f} % of {films} ({100 * near.low:.1f} to {100 * near.high:.1f}; chance: 5 %)"
    )
    verdict = (
        "**More than chance, a warning: training films may shine through.** Repaired films may also be "
        "nearer because they are plainer; which of the two it is was not looked into"
        if near.low > 0.05
        else "That training films shine through is not shown"
    )
    return (
        "Median distance to the nearest training film, in thumbnails: repaired films "
        f"{memory['fake']:.2f}, clean films of the same patients {memory['held_out']:.2f}; suspiciously "
        f"near: {share}. {verdict}. (The interval leaves out that the 5 % is measured as well, on as many "
        "clean films.)"
    )


@door(rivals=each(words), against=each(each(estimate, *MEASURES)))
def leads(rivals, against):
    """The U-Net against the best conventional method in one sentence: {modality: its name, `difference`}."""
    holding(*against)("rivals", rivals)
    parts = [
        f"{NAMES[modality]} {found['PSNR (dB)'].value:+.2f} dB, "
        f"SSIM {found['SSIM'].value:+.3f} ({rivals[modality].replace('_', ' ')})"
        for modality, found in against.items()
    ]
    return f"The U-Net against the best conventional method, on test images: {'; '.join(parts)}."
