"""The sentences of chapter 4 whose wording depends on what `measures` found, so that tests can read them."""

from .. import metrics
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
from ..checks import table as table_of
from .measures import AIM, MEASURES

CLEARLY = 1.1  # times: how much sharper counts as sharper, how much farther off as farther
SHARP = (0.8, 1.25)  # of the true films' detail: from here to there a drawing is as sharp as a film
NAMES = {"xray": "X-ray", "ct": "CT", "mr": "MR"}
DRAWINGS = ("L1 alone", "D alone", "both")
TOLD = {"nlm": "non-local means (nlm), which averages patches that look alike"}  # filters in words


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
    table=table_of("error", "sharpness", rows=DRAWINGS, numeric=True),
    found=each(estimate, "sharper", "farther"),
)
def sharp_and_right(table, found):
    """Which generator draws films both sharp and right.

    table: columns error and sharpness, rows "L1 alone", "D alone" and "both"; found: as from `beside_l1`."""
    sharp, blurred = table.sharpness["both"], table.sharpness["L1 alone"]
    farther = found["farther"]
    numbers = (
        f"*both* has {100 * sharp:.0f} % of the true films' fine detail, *L1 alone* {100 * blurred:.0f} %; "
        f"in shapes and greys *both* is farther from the true film than *L1 alone* by "
        f"{100 * farther.value:.0f} % ({100 * farther.low:.0f} to {100 * farther.high:.0f}), "
        f"*D alone* by {_farther(table):.0f} %"
    )
    if found["sharper"].low <= 0 or sharp < CLEARLY * blurred:
        return f"None is: {numbers}. *Both* is hardly sharper than *L1 alone*."
    if not SHARP[0] <= sharp <= SHARP[1]:
        return f"None is yet: {numbers}. *Both* is sharper than *L1 alone*, but not as a film is."
    if farther.high >= CLEARLY - 1:
        return f"None is: {numbers}. *Both* pays for its detail with the patient."
    return f"*Both* is: {numbers}."


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


@door(kept=each(estimate, "unet", "pix2pix"), invented=each(estimate, "unet", "pix2pix"))
def erased_or_invented(kept, invented, rival):
    """What the U-Net keeps of lesions and invents, beside the best filter, Pix2Pix, and the filter that
    invents most where that is another one: {name: Estimate}."""
    for name, found in {"kept": kept, "invented": invented}.items():
        holding(rival)(name, found)
    names = {"unet": "the U-Net", rival: f"the best filter by PSNR ({rival})", "pix2pix": "Pix2Pix"}
    left = ", ".join(f"{told} {kept[name]:.2f}" for name, told in names.items())
    drawn = ", ".join(f"{told} in {100 * invented[name].value:.0f} %" for name, told in names.items())
    worst = max(set(invented) - {"degraded"}, key=lambda name: invented[name].value)
    most = "" if worst in names else _most_often(worst, invented)
    return (
        f"Of the contrast of a lung lesion, the share that is left: {left}. A false opacity in the lungs "
        f"of a patient without any finding: {drawn} of the films.{most}"
    )


def _most_often(name, invented):
    told = TOLD.get(name, f"the filter {name.replace('_', ' ')}")
    return f" A filter does it most often: {told}, in {100 * invented[name].value:.0f} %."


def _gains(name, value):
    estimates(name, value)
    holding("degraded")(name, value)


@door(gains=_gains, shipped=estimate, seeds=whole())
def helped(gains, shipped, seeds):
    """Whether the repair helped the classifier that was tuned to the films it reads, and the one as shipped.

    gains: {other: Estimate} of unet minus the other, tuned; shipped: Estimate of unet minus degraded.
    """
    numbers = ", ".join(f"{gain:+.3f} from that on {name} ones" for name, gain in gains.items())
    verdict = "The repair helped." if gains["degraded"].low > 0 else "**No help has been shown.**"
    if seeds < metrics.LEAST_SEEDS:
        verdict = f"**{metrics.first_look(seeds)}.**"
    installed = "is harmed" if shipped.high < 0 else "is not shown to be helped"
    installed = "is helped" if shipped.low > 0 else installed
    return (
        "When the classifier is tuned to the films it reads, its mean AUROC on films that the U-Net repaired "
        f"differs by {numbers}. {verdict} The classifier as shipped, a single one that learnt from clean "
        f"films alone, {installed}: repaired minus degraded {shipped:+.3f}."
    )


@door(against=each(each(estimate, *MEASURES)), gan=each(each(estimate, *MEASURES)))
def led(against, gan):
    """The same without names and intervals: where the U-Net, and where the GAN, repairs better by PSNR.

    against, gan: {modality: `difference`} of "unet" and of "pix2pix" to the best conventional method.
    """
    leads, better = _better(against), "better than the best conventional method"
    if not leads:
        return f"No U-Net repairs {better}; {_gan_led(gan)}."
    values = sorted(lead.value for lead in leads.values())
    where = f"for {_and(leads)}, by {values[0]:.1f} to {values[-1]:.1f} dB"
    return f"A U-Net repairs {better} {where}; {_gan_led(gan)}."


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
    return f"with a discriminator, as a GAN, it {does}{f' and loses for {_and(worse)}' if worse else ''}"


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


@door(invented=estimates)
def invented_in_short(invented):
    """What the discriminator costs, in one sentence; another one if a filter invents more often.

    invented: {"unet" and "pix2pix": share of films as Estimate}.
    """
    holding("unet", "pix2pix")("invented", invented)
    unet, gan = (invented[name] for name in ("unet", "pix2pix"))
    does = "invents" if gan.low > unet.high else "draws"
    worst = max(set(invented) - {"degraded"}, key=lambda name: invented[name].value)
    most = "" if worst in ("unet", "pix2pix") else _most_often(worst, invented)
    return (
        f"Pix2Pix, which has a discriminator, {does} a shadow that is not there in {100 * gan.value:.0f} % "
        f"of healthy films, the U-Net in {100 * unet.value:.0f} %.{most}"
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
