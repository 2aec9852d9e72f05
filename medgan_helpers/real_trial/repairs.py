"""Chapter 4 on real films: how well they are repaired, and whether a classifier reads them better for it."""

import pandas as pd

from .. import metrics
from ..checks import door
from ..checks import table as table_of
from .films import NOT_RUN, estimate_of

RESTORED = table_of("method", "against", "metric", "value", "low", "high")


@door(table=RESTORED)
def restorer_scores(table):
    """Columns (measure, value | low | high), per method, of the table of studies/real_restoration.py."""
    alone = table[table["against"].isna()]
    if set(alone["metric"]) != {"psnr", "ssim"}:
        raise ValueError("table: expected rows of psnr and of ssim without `against`, of each method alone")
    names = {"psnr": "PSNR (dB)", "ssim": "SSIM"}
    columns = {
        names[key]: part.set_index("method")[["value", "low", "high"]]
        for key, part in alone.groupby("metric")
    }
    return pd.concat(columns, axis=1).sort_values(("PSNR (dB)", "value"), ascending=False)


def restorer_verdict(table):
    """Is simulation enough to train a restorer of real films? Markdown, also where there is no table."""
    if table is None:
        return NOT_RUN.format(command="python studies/real_restoration.py")
    RESTORED("table", table)
    duels = table[table["against"].notna() & (table["metric"] == "psnr")]
    pairs = {(row.method, row.against): row for row in duels.itertuples()}
    lines = [
        f"- *{row.method}* minus *{row.against}*: {row.value:+.2f} dB ({row.low:+.2f} to {row.high:+.2f})"
        for row in pairs.values()
    ]
    rivals = {other for name, other in pairs if name == "unet_simulated"}
    if "unet_real" not in rivals or len(rivals) < 2:
        raise ValueError("table has no row of unet_simulated against unet_real, or none against a filter")
    beats = next(r for (name, other), r in pairs.items() if name == "unet_simulated" and other != "unet_real")
    behind = pairs["unet_simulated", "unet_real"]
    facts = table.iloc[0]
    made = f"{facts.films} real films of {facts.patients} patients, {facts.steps} steps, seeds: {facts.seeds}"
    look = "" if facts.seeds >= metrics.LEAST_SEEDS else f"{metrics.first_look(facts.seeds)}. "
    how = "intervals over patients, of each film's mean over the seeds"
    return "\n".join([f"{look}{_enough(beats, behind)} ({made}; {how}.)", "", *lines])


def _enough(beats, behind):
    """The verdict on the network of simulated films: against the filter best by PSNR, and real films."""
    loss = f"{-behind.value:.2f} dB ({-behind.high:.2f} to {-behind.low:.2f})"
    if not beats.low > 0:
        return (
            "**Simulation is not enough here**: the network that was trained on simulated films is not shown "
            f"to beat *{beats.against}* on real ones."
        )
    if behind.high < 0:
        return (
            f"**Simulation is enough to beat the filter best by PSNR, *{beats.against}*, and costs {loss}** "
            "beside training on as many real films."
        )
    return (
        f"**Simulation is enough here**: it beats *{beats.against}*, and a loss beside training on as many "
        "real films is not shown."
    )


READ = table_of("method", "against", "finding", "value", "low", "high", "p", "p_holm", "seeds", "films")
MEAN = "all nine"  # findings
POWER = 2.8  # standard errors of a difference that is shown four times in five (1.96 + 0.84)
REPAIRED = ("bilateral", "unet_simulated", "unet_real", "unet_tuned")  # the filter best by PSNR, and U-Nets


@door(table=READ)
def reading_scores(table):
    """Columns value, low, high, one row per method: mean AUROC of a classifier on what each method left."""
    alone = table[table["against"].isna() & (table["finding"] == MEAN)].set_index("method")
    lacking = [name for name in ("clean", "degraded", *REPAIRED) if name not in alone.index]
    if lacking:
        raise ValueError(f"table has no row of {', '.join(lacking)}: run studies/real_restoration.py again")
    return alone.loc[["clean", "degraded", *REPAIRED], ["value", "low", "high"]]


def _gains(table, other="degraded"):
    """{method: its gain over another, a row of the table} of the repairs that the chapter shows."""
    means = table[table["finding"] == MEAN].set_index(["method", "against"])
    return {name: means.loc[(name, other)] for name in REPAIRED if name != other}


def _read_at_all(table):
    """The findings that the classifier reads on clean films: those whose interval does not reach 0.5."""
    alone = table[(table["method"] == "clean") & table["against"].isna() & (table["finding"] != MEAN)]
    return alone["finding"][alone["low"] > 0.5].tolist(), len(alone)


def over_those_read(table):
    """The mean gain of each repair over the findings that are read on clean films; the table has no interval
    for it. None where all are read, or none is."""
    names, count = _read_at_all(table)
    if len(names) in (0, count):
        return ""
    rows = table[(table["against"] == "degraded") & table["finding"].isin(names)]
    means = rows.groupby("method")["value"].mean()
    gains = ", ".join(f"*{name}* {means[name]:+.3f}" for name in REPAIRED)
    return (
        f"On clean films it reads {len(names)} of these {count} findings (the interval does not reach 0.5): "
        f"{', '.join(names)}. Over them alone the mean gain from degraded films is {gains}; the table keeps "
        "no scores of single patients, so that this mean has no interval."
    )


def reading_in_short(table):
    """Does a repaired real film help a classifier? One plain sentence; none without a table."""
    if table is None:
        return ""
    READ("table", table)
    helping = ", ".join(name for name, gain in _gains(table).items() if gain["low"] > 0)
    by = f"helped by films that {helping} repaired" if helping else "not shown to be helped by any repair"
    names, count = _read_at_all(table)
    some = f", of which it reads {len(names)}" if 0 < len(names) < count else ""
    return f"On real films, the one classifier that was asked (nine findings{some}) is on average {by}."


def reading_verdict(table):
    """The same with numbers, in Markdown; also where there is no table."""
    if table is None:
        return NOT_RUN.format(command="python studies/real_restoration.py")
    scores, gains = reading_scores(table), _gains(table)
    helping = [name for name, gain in gains.items() if gain["low"] > 0]
    shown = f"On average it is helped by {', '.join(helping)}." if helping else (
        "**On average over the nine findings no repair is shown to help it.**"
    )  # fmt: skip
    clean, bad = (estimate_of(scores.loc[name]) for name in ("clean", "degraded"))
    facts, spread = table.iloc[0], max(gain["high"] - gain["low"] for gain in gains.values())
    said = (
        f"The classifier of real films, a single one that learnt from clean ones, reads the {facts.films} "
        f"clean test films with a mean AUROC of {clean:.2f}, degraded ones with {bad:.2f}. {shown} So few "
        f"films show a gain of {POWER * spread / 3.92:.2f} four times in five, smaller ones less often. "
        f"(U-Nets of {facts.seeds} seeds.)"
    )
    lines = [f"- *{name}* minus degraded: {estimate_of(gain):+.3f}" for name, gain in gains.items()]
    back = _gains(table, other="clean")
    lines += [f"- *{name}* minus clean: {estimate_of(back[name]):+.3f}" for name in REPAIRED]
    only = over_those_read(table)
    return "\n".join([said, "", *lines, "", *([only, ""] if only else []), by_finding(table)])


def by_finding(table):
    """Which findings are read better or worse after which repair, after Holm's correction; what a mere blur
    does for them; and what all repairs change alike before the correction alone."""
    family = table[table["p_holm"].notna()]
    shown = family[family["p_holm"] < 0.05]
    parts, blurs = [], []
    for word, rows in (("better", shown[shown["value"] > 0]), ("worse", shown[shown["value"] < 0])):
        for finding, some in rows.groupby("finding", sort=False):
            who = "each of the repairs" if len(some) == len(REPAIRED) else ", ".join(some["method"])
            parts.append(f"{finding} is read {word} after {who} ({some['value'].mean():+.2f} on average)")
            blurs += [finding] if word == "better" else []
    told = "; ".join(parts) if parts else "no difference is shown"
    said = f"Finding by finding, after Holm over {len(family)}: {told}."
    return " ".join([said, *_blurred(table, blurs), *_uncorrected(family)])


def _blurred(table, findings):
    """What a Gaussian blur, which knows nothing of chests, does for the findings that repairs help."""
    rows = table[(table["method"] == "gaussian") & (table["against"] == "degraded")].set_index("finding")
    for finding in findings:
        if finding in rows.index:
            gain = estimate_of(rows.loc[finding])
            merit = ": this is no merit of repair networks" if gain.low > 0 else ""
            yield f"A Gaussian blur changes the reading of {finding} by {gain:+.2f}{merit}."


def _uncorrected(family):
    """Findings that all repairs change one way, each with p < .05 before the correction and none after it."""
    open_ = family[(family["p"] < 0.05) & (family["p_holm"] >= 0.05)]
    for finding, some in open_.groupby("finding", sort=False):
        values = some["value"]
        if len(some) == len(REPAIRED) and values.min() * values.max() > 0:
            ends = f"{values.max():+.2f} to {values.min():+.2f}"
            word = "better" if values.min() > 0 else "worse"
            yield (
                f"{finding} is read {word} after each of them by {ends} (p {some['p'].min():.3f} to "
                f"{some['p'].max():.3f}, uncorrected); after Holm that is not shown."
            )
