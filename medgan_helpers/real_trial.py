"""What the chapters do once more on the real films that the package carries, and the sentences that follow.

The shipped networks learnt from simulated films; here they meet patients. What takes longer than a chapter
stands in tables below book/results that scripts in studies/ wrote; a table that is missing, or a row of it,
is said to be missing.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from . import artifacts, cam, chexpert, dcgan, images, metrics, simulator, stargan_trial, training
from .checks import bounds, data_set, door, each, every, having, number, one_of, shaped, whole
from .checks import images as films_of
from .checks import table as table_of

NOT_RUN = "This has not been run yet: `{command}` writes the table."
RESTORED = table_of("method", "against", "metric", "value", "low", "high")
READER = having("logits", "findings", kind="a classifier, as DenseNet")
REAL = having("frame", "store", kind="a data set, as session.real_films gives it")
PARTED = having("splits", "store", "labels", kind="a data set, as session.real_films gives it")
STORE = having("frame", "__getitem__", kind="a store of films, as session.films().store")
LABELLED = (  # what NIH labels, under CheXpert's names; without No Finding and the collective Lung Opacity
    "Lung Lesion", "Pleural Other", "Cardiomegaly", "Edema", "Consolidation", "Pneumonia", "Atelectasis",
    "Pneumothorax", "Pleural Effusion",
)  # fmt: skip


@door(store=STORE, count=whole())
def signed(store, count=None):
    """Films of a store as networks want them: (n, 1, size, size) in [-1, 1]."""
    return images.signed_batch(store[:count])


@door(real=PARTED)
def held_out(real):
    """The films of the validation and test patients, from which nothing that is shipped has learnt: a data
    set whose only part is "test"."""
    frame = pd.concat([real.splits[part] for part in ("valid", "test")])
    return replace(real, frame=frame, store=real.store.subset(frame), splits={"test": frame})


# ---------------------------------------------------------------- chapter 3
def drawer():
    """The shipped DCGAN that learnt from real films; None where it has not been trained."""
    there = (artifacts.ASSETS / "dcgan_real").is_dir()
    return training.shipped(dcgan.DCGAN, "dcgan_real")[0] if there else None


@door(memory=each(number(0), "fake", "held_out", "copies"))
def copies(memory):
    """A sentence on `metrics.memorisation` of a generator of real films: did it store patients?"""
    share = memory["copies"]
    ratio = memory["fake"] / memory["held_out"]
    near = f"{share:.0%} of its films are nearer to a training film than all but 5 % of other patients' films"
    nearer = f"the median distance is {ratio:.2f} times that of other patients"
    if share > 0.1:
        return f"**A warning: {near}**; {nearer}. Such films must not leave the hospital."
    return f"{near}; {nearer}. In this space, thumbnails, no copying shows; a shifted copy would not show."


# ---------------------------------------------------------------- chapter 4
@door(table=RESTORED)
def restorer_scores(table):
    """Columns (measure, value | low | high), a row a method, of the table of studies/real_restoration.py."""
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
    look = f"A first look, {'one seed' if facts.seeds == 1 else 'two seeds'}. " if facts.seeds < 3 else ""
    return "\n".join([f"{look}{_enough(beats, behind)} ({made}.)", "", *lines])


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


READ = table_of("method", "against", "finding", "value", "low", "high", "seeds", "films")
REPAIRED = ("bilateral", "unet_simulated", "unet_real", "unet_tuned")  # the filter best by PSNR, and U-Nets


@door(table=READ)
def reading_scores(table):
    """Columns value, low, high, a row a method: mean AUROC of a classifier on what each method left."""
    alone = table[table["against"].isna() & (table["finding"] == "all nine")].set_index("method")
    lacking = [name for name in ("clean", "degraded", *REPAIRED) if name not in alone.index]
    if lacking:
        raise ValueError(f"table has no row of {', '.join(lacking)}: run studies/real_restoration.py again")
    return alone.loc[["clean", "degraded", *REPAIRED], ["value", "low", "high"]]


def _helpers(table):
    """{method: its gain over the degraded film, a row of the table}, and the methods that help."""
    means = table[table["finding"] == "all nine"].set_index(["method", "against"])
    gains = {name: means.loc[(name, "degraded"), ["value", "low", "high"]] for name in REPAIRED}
    return gains, [name for name, gain in gains.items() if gain["low"] > 0]


def reading_in_short(table):
    """Does a repaired real film help a classifier? One plain sentence; none without a table."""
    if table is None:
        return ""
    READ("table", table)
    helping = ", ".join(_helpers(table)[1])
    by = (
        f"is helped by films that {helping} repaired"
        if helping
        else "is not shown to be helped by any repair"
    )
    return f"On real films, a classifier {by}."


def reading_verdict(table):
    """The same with numbers, in Markdown; also where there is no table."""
    if table is None:
        return NOT_RUN.format(command="python studies/real_restoration.py")
    scores, (gains, helping) = reading_scores(table), _helpers(table)
    shown = f"It is helped by {', '.join(helping)}." if helping else "**No repair is shown to help it.**"
    clean, bad = (_told(scores.loc[name]) for name in ("clean", "degraded"))
    lines = [
        f"- *{name}* minus degraded: {gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"
        for name, gain in gains.items()
    ]
    facts = table.iloc[0]
    said = (
        f"The classifier of real films, which learnt from clean ones, reads the {facts.films} clean test "
        f"films with a mean AUROC of {clean}, the degraded ones with {bad}. {shown} "
        f"(U-Nets of {facts.seeds} seeds; nine findings.)"
    )
    return "\n".join([said, "", *lines])


def _told(row):
    return f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"


# ---------------------------------------------------------------- chapter 5
@door(real=PARTED, finding=one_of(*LABELLED), count=whole())
def case(real, finding, count):
    """A `stargan_trial.Case` of real films from which no shipped network has learnt: at most `count` with the
    finding, as many with none of LABELLED, of validation and test patients. Nobody has a twin.
    """
    return stargan_trial.strangers(held_out(real), finding, list(LABELLED), count)


@door(real=REAL, finding=one_of(*LABELLED), count=whole())
def everybody_with(real, finding, count):
    """At most `count` films (n, 1, size, size) in [-1, 1] with a finding, of all parts: KID needs many."""
    return signed(real.store.subset(real.frame[real.labels()[finding] == 1]), count)


@door(case=stargan_trial.CASE, made=each(films_of), classifier=READER, true=films_of)
def evidence(case, made, classifier, finding, true):
    """What can be known without a twin, {network: {name: (value, low, high)}}: how well a classifier tells
    made and true films from healthy ones; KID x 1,000 of made and of untouched healthy films to `true` ones,
    in two spaces. made: {network: case.healthy with the finding drawn}.
    """
    one_of(*classifier.findings)("finding", finding)
    column = classifier.findings.index(finding)
    spaces = {"kid": "thumbnails", "kid_photographs": "imagenet"}

    def distances(films):
        return {name: [1000 * v for v in metrics.kid(true, films, space)] for name, space in spaces.items()}

    untouched, rows = distances(case.healthy), {}
    for network, films in made.items():
        rows[network] = stargan_trial.recognised(classifier, column, case, films)
        for name, value in distances(films).items():
            rows[network] |= {f"{name}_made": value, f"{name}_untouched": untouched[name]}
    return rows


@door(counts=each(whole(0)))
def few(counts):
    """A sentence on {finding: training films}, as the card of a StarGAN of real films counts them."""
    seen = " and ".join(f"{count} with {finding}" for finding, count in counts.items())
    return f"The network that went on with real films has seen few of them: {seen}."


@door(rows=each(bounds, "classified", "classified_true", "kid_made", "kid_untouched"))
def translated(finding, rows):
    """A sentence on one finding drawn into real films, from `evidence`."""
    made, true = rows["classified"], rows["classified_true"]
    believes = f"made films from healthy ones with AUROC {made[0]:.2f} ({made[1]:.2f} to {made[2]:.2f})"
    reads = f"{true[0]:.2f} ({true[1]:.2f} to {true[2]:.2f})"
    doubt = (
        "**it cannot read these films, so its word counts for nothing**"
        if not true[1] > 0.5
        else "it believes more in what was drawn than in what patients have"
        if made[1] > true[2]
        else "it believes less in what was drawn than in what patients have"
        if made[2] < true[1]
        else "the intervals do not tell these two apart"
    )
    where = stargan_trial.nearer(rows["kid_made"], rows["kid_untouched"])
    return (
        f"**{finding}**: the classifier of real films tells {believes}, and *true* films of patients with "
        f"{reads}: {doubt}. A made film is {where}."
    )


# ---------------------------------------------------------------- chapter 6
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
        f"{_told(large)} in {large['minutes']:.1f} minutes, the narrow one ({small['parameters']:,}) "
        f"{_told(small)} in {small['minutes']:.1f}. {words}."
    )


# ---------------------------------------------------------------- chapter 7
@door(network=READER, real=data_set)
def skill(network, real):
    """{finding: AUROC, an Estimate} of a classifier on all real films, for what NIH labels and it reads."""
    truth, logits = real.labels(), network.logits(signed(real.store)).numpy()
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
            rows[name] = cam.localisation(cam.activation_map(network, signed(store), name), masks)
    return rows


@door(size=whole(24, 512), patients=whole(1, 10_000))
def usual_lungs(size, patients=24, seed=0):
    """(size, size) bool: where at least half of the simulated patients have lung. Nobody's own outline."""
    *_, table = simulator.sample(patients, size, seed, twins=False, masks=False)
    lungs = simulator.organ_map(table, size)[:, simulator.ORGANS.index("lungs")] > 0.1
    return lungs.mean(0) >= 0.5


@door(network=READER, real=REAL, finding=one_of(*chexpert.FINDINGS), lungs=shaped("size", "size"))
def inside(network, real, finding, lungs):
    """Share of what stands out in the maps of the films with a finding that lies in `lungs`: an Estimate."""
    store = real.store.subset(real.frame[real.labels()[finding] == 1])
    if tuple(lungs.shape) != store[:1].shape[1:]:
        raise ValueError(f"lungs is {tuple(lungs.shape)}: the films are {store[:1].shape[1:]} pixels")
    maps = cam.activation_map(network, signed(store), finding)
    masks = torch.from_numpy(np.broadcast_to(lungs, (len(store), *lungs.shape)).copy())
    shares = cam.energy_inside(maps, masks)[0].numpy()
    return metrics.mean_interval(shares, store.frame.patient.to_numpy())


@door(shares=each(bounds), area=number(0, 1))
def looked(shares, area):
    """A sentence on {finding: share of a map inside the lungs}, with interval, beside the lungs' own area."""
    inside = [name for name, share in shares.items() if share[1] > area]
    others = [name for name in shares if name not in inside]
    if not inside:
        return "**What stands out in its maps is not shown to lie in the lungs, for no finding it reads.**"
    rest = f"; not shown for {', '.join(others)}" if others else ""
    return f"What stands out in its maps lies in the lungs beyond chance for {', '.join(inside)}{rest}."
