"""Four witnesses and a ruler: what they measure of drawn films, and the sentences that follow."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from .. import artifacts, chexpert, classifier, diffaugment, images, metrics, simulator, training
from ..checks import (
    bounds,
    data_set,
    door,
    each,
    estimates,
    having,
    holding,
    like,
    listed,
    numbers,
    one_of,
    whole,
)
from ..checks import images as films_of
from ..checks import names as names_of

PROFILE = having("classifier_steps", "preset", kind="a profile, as session.start gives it")
CASE = having("healthy", "ill_patients", kind="a Case, as stargan_trial.case makes it")
CLASSIFIER = having("logits", kind="a classifier, as DenseNet")
MEASURES = having("keys", kind="{measure: (value, low, high)}")
FINDING = one_of(*chexpert.FINDINGS)
MOST = 10**5  # films at once
SPACES = {"kid": "thumbnails", "kid_photographs": "imagenet"}  # name of a measure: where it is taken
GRAIN = 3 / 127.5  # three grey levels
ONE_SIDE = 0.8  # of the change


@dataclass(frozen=True)
class Case:
    """Films without a finding and films with it, (N, 1, H, W) in [-1, 1]; twins: of the same patients."""

    healthy: torch.Tensor
    ill: torch.Tensor
    healthy_patients: np.ndarray
    ill_patients: np.ndarray
    twins: bool

    def half(self):
        """(first half of the ill, second half of the ill, second half of the healthy): other patients."""
        middle = len(self.ill) // 2
        return self.ill[:middle], self.ill[middle:], self.healthy[middle:]


@door(finding=one_of(*chexpert.FINDINGS), count=whole(1, MOST), views=names_of("PA", "AP", "Lateral"))
def twins(finding, count, size=64, seed=1000, views=("PA", "AP")):
    """A Case of simulated patients, each with one finding and without any."""
    rng = np.random.default_rng([seed, chexpert.FINDINGS.index(finding)])
    rows = pd.DataFrame({finding: [1.0] * count, "sex": rng.choice(["Male", "Female"], count)})
    rows = rows.assign(view=rng.choice(list(views), count), age=rng.integers(25, 90, count).astype(float))
    ill, healthy, *_ = simulator.sample(None, size, seed, labels=rows, masks=False)
    ill, healthy = (images.signed_batch(films) for films in (ill, healthy))
    return Case(healthy, ill, np.arange(count), np.arange(count), True)


@door(
    films=data_set, finding=one_of(*chexpert.FINDINGS), findings=names_of(*chexpert.FINDINGS), count=whole()
)
def strangers(films, finding, findings, count):
    """A Case of a data set's test films: other patients with the finding than without any of `findings`."""
    frame = films.splits["test"]
    truth = films.labels(frame, uncertain="ignore")[list(findings)]
    chosen = [frame[rows].head(count) for rows in ((truth == 0).all(axis=1), truth[finding] == 1)]
    healthy, ill = (images.signed_batch(films.store.subset(part)[:]) for part in chosen)
    return Case(healthy, ill, *(part.patient.to_numpy() for part in chosen), False)


@door(films=having("simulated", "splits", kind="a data set, as session.films gives it"))
def case(films, finding, findings, count, size, seed):
    """Twins where the data are simulated, strangers elsewhere."""
    if films.simulated:
        return twins(finding, count, size, seed)
    return strangers(films, finding, findings, count)


@door(findings=names_of(*chexpert.FINDINGS), count=whole(0, MOST))
def wish(name, findings, count):
    """Label rows (count, F) that ask for one finding, or for none (name None)."""
    if name is not None:
        one_of(*findings)("name", name)
    return torch.tensor([[float(finding == name) for finding in findings]] * count)


# ---------------------------------------------------------------- the judge
@door(films=data_set, findings=names_of(*chexpert.FINDINGS), profile=PROFILE)
def judge(films, findings, profile, seed):
    """(classifier, {finding: AUROC on test films}): who says whether a finding shows, and can it read?

    For simulated films it is the classifier shipped with the package: not the critic's architecture, nor
    its patients. Your own films it has not learnt to read: one is trained, on the training patients.
    """
    parts = {part: films.store.subset(films.splits[part]) for part in ("train", "test")}
    train, test = (films.labels(part.frame, uncertain="ignore")[list(findings)] for part in parts.values())
    network = classifier.shipped()
    if not films.simulated:
        steps = profile.classifier_steps
        network = classifier.DenseNet(findings, profile.preset, steps, emphasis=findings, seed=seed)
        batches = parts["train"].batches(profile.batch_size, seed, device=network.device, labels=train)
        training.fit(network, batches, steps, artifacts.folder("artifacts") / f"05-judge-{steps}")
    logits = network.logits(images.signed_batch(parts["test"][:])).numpy()
    patients = parts["test"].frame.patient
    return network, {
        name: metrics.auroc(test[name].to_numpy(), logits[:, network.findings.index(name)], patients)
        for name in findings
    }


@door(skill=estimates)
def may_judge(skill):
    """A sentence on {finding: AUROC as Estimate}: of what the judge can read, and whether it may judge."""
    known = ", ".join(f"{name} {found:.2f}" for name, found in skill.items())
    blind = [name for name, found in skill.items() if not found.low > 0.5]
    said = f"AUROC of the judge on true films of test patients: {known}."
    if blind:
        said += f" **Of {', '.join(blind)} it knows no more than a coin: there it is not asked.**"
    return said


# ---------------------------------------------------------------- the witnesses
@door(films=films_of)
def hazy(films):
    """A blur of one pixel and grain of three grey levels: what a finding survives and a pattern does not."""
    grain = torch.randn(films.shape, generator=torch.Generator().manual_seed(0))
    return (diffaugment.blur(films, 1.0) + GRAIN * grain).clamp(-1, 1)


@door(network=CLASSIFIER, column=whole(0), case=CASE, made=films_of)
def recognised(network, column, case, made):
    """{name: AUROC with interval}: `made` and the true films against the healthy, as they are and in haze.

    network: anything with logits(films) -> (N, F); made: case.healthy with the finding drawn.
    """
    sets = {"classified": (made, case.healthy_patients), "classified_true": (case.ill, case.ill_patients)}
    like(case.healthy[:1])("made", made[:1])
    rows = {}
    for name, (films, patients) in sets.items():
        everybody = np.concatenate([case.healthy_patients, patients])
        labels = np.repeat([0.0, 1.0], [len(case.healthy), len(films)])
        for haze, see in (("", lambda x: x), ("_blurred", hazy)):
            scores = network.logits(see(torch.cat([case.healthy, films])))[:, column].numpy()
            rows[name.replace("classified", f"classified{haze}")] = metrics.auroc(labels, scores, everybody)
    return rows


@door(case=CASE, made=films_of)
def distances(case, made):
    """{name: KID x 1,000 with interval} to true films of other patients: of made films, of healthy ones as
    they are (`untouched`), of other true ones (`floor`)."""
    true, others, healthy = case.half()
    sets = {"made": made[-len(healthy) :], "untouched": healthy, "floor": others}
    return {f"{name}_{what}": value for (name, what), value in kids(true, sets).items()}


@door(true=films_of, sets=each(films_of))
def kids(true, sets):
    """{(name of SPACES, set): KID x 1,000 with interval} of {set: films} to `true` films."""
    kid = metrics.realism_table(true, sets)[["KID x 1000", "low", "high"]]
    return {(name, what): kid.loc[(SPACES[name], what)].tolist() for name in SPACES for what in sets}


def _of_twins(name, value):
    CASE(name, value)
    if not value.twins:
        raise ValueError(f"{name} is of strangers: a change shows only beside a film of the same patient")


@door(case=_of_twins, without=films_of)
def removal(case, without):
    """{"removed": mean distance to the healthy twin after removal, as a share of that before}, with interval:
    below 1, the film came nearer to its twin."""
    like(case.healthy)("without", without)
    before, after = ((films - case.healthy).abs().mean((1, 2, 3)).numpy() for films in (case.ill, without))
    draws = np.random.default_rng(0).integers(0, len(before), (1000, len(before)))
    ratios = after[draws].mean(1) / before[draws].mean(1)
    return {"removed": [after.mean() / before.mean(), *np.quantile(ratios, [0.025, 0.975])]}


@door(case=_of_twins, made=films_of)
def variety(case, made):
    """Share of changes on one side (ONE_SIDE of the change), mean change and its spread, made and true."""
    like(case.healthy)("made", made)
    rows = {}
    for name, films in (("made", made), ("true", case.ill)):
        change = (films - case.healthy).abs()[:, 0]
        left = change[:, :, : change.shape[2] // 2].sum((1, 2)) / change.sum((1, 2)).clamp(min=1e-6)
        rows[f"one_side_{name}"] = mean_of(((left > ONE_SIDE) | (left < 1 - ONE_SIDE)).float())
        rows[f"size_{name}"] = mean_of(change.mean((1, 2)))
        rows[f"size_spread_{name}"] = [change.mean((1, 2)).std().item()] * 3
    return rows


def _listed_numbers(name, value):
    listed(name, value)
    numbers()(name, value)


@door(values=_listed_numbers)
def mean_of(values):
    """Mean and 95 % interval from drawing films with replacement."""
    values = np.asarray(values, float)
    if len(values) == 0:
        raise ValueError("values is empty: expected at least one number")
    draws = np.random.default_rng(0).integers(0, len(values), (1000, len(values)))
    return [values.mean(), *np.quantile(values[draws].mean(1), [0.025, 0.975])]


@door(some=_listed_numbers, others=_listed_numbers)
def overlap(some, others):
    """1 minus the Kolmogorov-Smirnov distance of two sets of numbers: 1 for the same distribution."""
    some, others = (np.sort(np.asarray(v, float)[~np.isnan(np.asarray(v, float))]) for v in (some, others))
    if not (len(some) and len(others)):
        raise ValueError(f"{len(some)} numbers beside {len(others)}: expected at least one of each")
    at = np.concatenate([some, others])
    below = [np.searchsorted(values, at, side="right") / len(values) for values in (some, others)]
    return 1 - np.abs(below[0] - below[1]).max()


# ---------------------------------------------------------------- the verdict
@door(made=bounds, plain=bounds)
def nearer(made, plain):
    """Words on two distances to true films, each (value, low, high): of made films, of untouched ones."""
    if made[2] < plain[1]:
        words = "nearer to true films than the healthy films it began with"
    elif made[1] > plain[2]:
        words = "further from true films than the healthy films it began with"
    else:
        words = "no nearer to true films, as far as the intervals tell, than the healthy films it began with"
    return f"{words} (KID {made[0]:.0f} against {plain[0]:.0f})"


@door(rows=each(bounds, "kid_made", "kid_untouched", "classified", "classified_blurred", "removed"))
def verdict(rows):
    """One paragraph on one finding of one network, from its measures {name: (value, low, high)}."""
    made, plain, haze = rows["kid_made"], rows["kid_untouched"], rows["classified_blurred"][0]
    distance = nearer(made, plain)
    twin = (
        "nearer to its twin"
        if rows["removed"][2] < 1
        else "further from its twin"
        if rows["removed"][1] > 1
        else "neither nearer to its twin nor further off"
    )
    return (
        f"recognised with AUROC {rows['classified'][0]:.2f}, in haze {haze:.2f}; a made film is {distance}; "
        f"taking the finding away brings a film {twin}."
    )


WITNESSES = (
    "classified", "classified_blurred", "kid_made", "kid_untouched", "removed", "kid_photographs_made",
    "kid_photographs_untouched", "kid_photographs_floor",
)  # fmt: skip
RULER = {
    "Cardiomegaly": {"ratio": "heart over chest"},
    "Pleural Effusion": {"aerated": "aerated lung, share of the film", "recess": "costophrenic angle, depth"},
}


RULED = [name for names in RULER.values() for name in names]


@door(measures=each(MEASURES), name=one_of(*RULED))
def ruler(measures, name):
    """Rows of what a radiologist measures, for `figures.intervals`: healthy, made and true films.

    measures: {finding: {measure: (value, low, high)}}, of a shipped network's card; name: of `RULER`'s
    measures, such as "ratio".
    """
    (finding,) = [finding for finding, names in RULER.items() if name in names]
    holding(finding)("measures", measures)
    rows = {what: measures[finding][f"{name}_{what}"] for what in ("healthy", "made", "true")}
    return pd.DataFrame(rows, index=["value", "low", "high"]).T


@door(measures=each(MEASURES), names=listed)
def findings_table(measures, names):
    """One row per finding, one column a measure: values as the study found them."""
    for finding, found in measures.items():
        each(bounds, *names)(finding, found)
    return pd.DataFrame({
        finding: {name: found[name][0] for name in names} for finding, found in measures.items()
    }).T  # fmt: skip


@door(found=MEASURES, finding=FINDING)
def seen_by_ruler(found, finding=""):
    """Do made films move as true ones do, away from healthy ones, intervals apart, in each measure of RULER
    in which true films do? True where none can tell true films from healthy ones."""

    def moved(name, what):
        healthy, films = found[f"{name}_healthy"], found[f"{name}_{what}"]
        return int(films[1] > healthy[2]) - int(films[2] < healthy[1])

    ruled = [f"{name}_{what}" for name in RULER.get(finding, ()) for what in ("healthy", "made", "true")]
    holding(*ruled)("found", found)
    ways = [(moved(name, "made"), moved(name, "true")) for name in RULER.get(finding, ())]
    return all(made == true for made, true in ways if true)


@door(measures=each(MEASURES))
def readings(measures):
    """Sentences on the ruler: what healthy films read, and how far made and true films are from that."""
    lines = []
    holding(*RULER)("measures", measures)
    for finding, names in RULER.items():
        for name, words in names.items():
            healthy, made, true = (measures[finding][f"{name}_{w}"] for w in ("healthy", "made", "true"))
            apart = true[1] > healthy[2] or true[2] < healthy[1]
            cannot = "" if apart else "; it does not tell *true* films from healthy ones, so it is not asked"
            lines.append(
                f"- {words}, {finding}: healthy films {healthy[0]:.3f}; from there made ones differ by "
                f"{made[0] - healthy[0]:+.3f}, true ones by {true[0] - healthy[0]:+.3f}{cannot}"
            )
    head = "Healthy films do not read as a radiologist would expect; only differences count:"
    return "\n".join([head, "", *lines])


@door(evidence=each(MEASURES))
def bribed(evidence):
    """A sentence on {finding: measures}: does haze take what a classifier saw (intervals apart)?"""
    told, lost = [], []
    for finding, found in evidence.items():
        if "classified_blurred" in found:
            each(bounds, "classified", "classified_blurred")(finding, found)
            clear, haze = found["classified"], found["classified_blurred"]
            told.append(f"{finding} ({clear[0]:.2f}, in haze {haze[0]:.2f})")
            lost += told[-1:] * (haze[2] < clear[1])
    if not told:
        return "The judge cannot read these findings, so nothing is shown here."
    if not lost:
        little = "Haze takes little AUROC away, no adversarial example is shown (not tested as pairs)"
        return f"{little}: {', '.join(told)}."
    return f"**Haze takes the AUROC away from {', '.join(lost)}**: there it was an *adversarial example*."


@door(found=each(bounds, *WITNESSES), finding=FINDING)
def confirmed(found, finding=""):
    """{witness: whether it confirms a finding}: recognised above .9, in haze above .85, nearer to true films
    than untouched ones (intervals apart) and to the twin when taken away. In features of photographs, where
    untouched films do not stand clear of other true ones, the made films must not do so either. The ruler is
    asked about the findings of RULER."""
    made, plain, floor = (found[f"kid_photographs_{what}"] for what in ("made", "untouched", "floor"))
    near = made[2] < plain[1] if plain[1] > floor[2] else made[1] <= floor[2]
    return {
        "the classifier": found["classified"][0] >= 0.9,
        "haze": found["classified_blurred"][0] >= 0.85,
        "distance in thumbnails": found["kid_made"][2] < found["kid_untouched"][1],
        "distance in photographs' features": near,
        "the twin": found["removed"][2] < 1,
        "the ruler": seen_by_ruler(found, finding),
    }


def doubts(found, finding=""):
    """[witnesses] that do not confirm a finding (see `confirmed`)."""
    return [witness for witness, said in confirmed(found, finding).items() if not said]


@door(measures=each(each(bounds, *WITNESSES)))
def convinced(measures):
    """Which witness confirms which finding: a row for each finding; the ruler is not asked of all."""
    said = {
        finding: {witness: "yes" if yes else "no" for witness, yes in confirmed(found, finding).items()}
        | ({} if finding in RULER else {"the ruler": "not asked"})
        for finding, found in measures.items()
    }
    return pd.DataFrame(said).T


@door(measures=each(each(bounds, *WITNESSES)))
def judgement(measures):
    """A sentence: which findings all witnesses confirm, and who doubts the others."""
    refused = {finding: doubts(found, finding) for finding, found in measures.items()}
    good = [finding for finding, witnesses in refused.items() if not witnesses]
    rest = [f"**{finding}** ({', '.join(witnesses)})" for finding, witnesses in refused.items() if witnesses]
    said = f"All witnesses confirm **{', '.join(good)}**." if good else "No finding convinces all witnesses."
    return said + (f" Not confirmed, in brackets by whom: {', '.join(rest)}." if rest else "")


@door(measures=each(each(bounds, "nothing", "size_made", "size_true")))
def unasked(measures):
    """A sentence: what a network changes where nothing is asked for, beside what a finding changes."""
    changes = []
    for finding, found in measures.items():
        idle, made, true = (found[what][0] for what in ("nothing", "size_made", "size_true"))
        little = "" if made > 2 * idle else " (**not twice as much**)"
        changes.append(f"{finding} {idle:.3f} unasked, {made:.3f} asked{little}, {true:.3f} true")
    return (
        "Mean change of a pixel, of [-1, 1], where nothing was asked for, where the finding was, and by the "
        f"true finding: {'; '.join(changes)}."
    )
