"""Tables of pages that grow with book/results/: what was seen on real films, and what the full profile costs.

A table that is not there yet is named as one that has not been run.
"""

from contextlib import suppress
from pathlib import Path

import pandas as pd
import yaml

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
MACHINES = HERE.parents[1] / "studies" / "machines.csv"


def seen(claim, results=RESULTS, scores=None):
    """What was seen on real films, one line per row; or that it has not been run."""
    if "said" in claim:
        return recorded(claim, scores)
    path = results / claim["csv"]
    if not path.is_file():
        return f"This has not been run: there is no `book/results/{claim['csv']}` yet."
    rows = pd.read_csv(path).query(claim["where"]).to_dict("records")
    if not rows:
        return f"`book/results/{claim['csv']}` has no such rows yet: this has not been run."
    names = claim.get("names", {})
    told = [{key: names.get(value, value) for key, value in row.items()} for row in rows]
    lines = [f"- {claim['row'].format_map(row)}" for row in told]
    note = [f"\n{claim['note'].format_map(told[0])}"] if "note" in claim else []
    return "\n".join(lines + note)


def recorded(claim, scores):
    """The sentences of a claim with the scores that the chapters recorded in this build, one a line.

    claim: "said", sentences in which {name} is a score and {n of name} its films, and FINDING each of
    "findings". A sentence whose scores are not all there is left out.
    """
    table = pd.read_csv(scores) if scores and scores.is_file() else pd.DataFrame({"name": []})
    by_name = table.set_index("name")
    known = {name: shown(by_name, name) for name in by_name.index}
    known |= {f"n of {row.name}": f"{row.n:,.0f}" for row in table.itertuples(index=False)}
    lines = []
    for finding in claim.get("findings", [""]):
        for sentence in claim["said"]:
            with suppress(KeyError):
                lines.append("- " + sentence.replace("FINDING", finding).format_map(known))
    return "\n".join(dict.fromkeys(lines)) or "This has not been run: this build recorded no such score."


def claims_markdown(results=RESULTS, scores=None):
    """A section for each claim. scores: the scores.csv of the build."""
    parts = []
    for claim in yaml.safe_load((HERE / "claims.yml").read_text()):
        parts += [
            f"## {claim['claim']}",
            f"**What the simulation makes easier.** {claim['easier']}",
            f"**What was seen on the shipped real films.**\n\n{seen(claim, results, scores)}",
            f"**What nobody knows.** {claim['unknown']}",
        ]
    return "\n\n".join(parts)


def found_markdown(scores=None):
    """What other groups found, and our scores beside it: a table. scores: the scores.csv of the build."""
    table = pd.read_csv(scores).set_index("name") if scores and scores.is_file() else pd.DataFrame()
    lines = ["| Work | What it reports | Ours |", "| --- | --- | --- |"]
    for row in yaml.safe_load((HERE / "found.yml").read_text()):
        address = row.get("address") or f"https://doi.org/{row['doi']}"
        ours = [f"{words}: {shown(table, name)}" for name, words in row["ours"].items()]
        lines.append(f"| [{row['work']}]({address}) | {row['found']} | {'; '.join(ours) or 'not tried'} |")
    return "\n".join(lines)


def shown(table, name):
    """A score with its interval, or that it has not been run."""
    if name not in table.index:
        return "not run"
    value, low, high = table.loc[name, ["value", "low", "high"]].astype(float)
    return f"{value:.3g}" + (f" ({low:.3g} to {high:.3g})" if pd.notna(low) else "")


def time(minutes):
    """Minutes in words that fit their size."""
    for unit, length in (("days", 1440), ("hours", 60)):
        if minutes >= 2 * length:
            return f"{minutes / length:,.0f} {unit}"
    return f"{minutes:.0f} minutes"


def cost_markdown(results=RESULTS):
    """Time and money (in the prices' units) a machine and a size; then what was assumed of the machines."""
    if not (results / "cost.csv").is_file():
        return "This has not been computed: run `python studies/cost.py`."
    table = pd.read_csv(results / "cost.csv")
    sizes = sorted(table["size"].unique())
    lines = [
        "| Machines | " + " | ".join(f"{size} px (time, price units)" for size in sizes) + " |",
        "| --- |" + " --: |" * len(sizes),
    ]
    for machine, rows in table.groupby("machine", sort=False):
        cells = [f"{time(row.minutes)}, {row.money:,.0f}" for row in rows.sort_values("size").itertuples()]
        lines.append(f"| {machine} | {' | '.join(cells)} |")
    lines.append(
        "\n| Machines | A machine an hour (price units) | What is assumed | As of |\n"
        "| --- | --: | --- | --- |"
    )
    for row in pd.read_csv(MACHINES).itertuples():
        lines.append(f"| {row.machine} | {row.hourly_price:.2f} | {row.source} | {row.date} |")
    return "\n".join(lines)


def write(folder, scores):
    """Write the tables that pages include. scores: the scores.csv of the build."""
    (folder / "_claims.md").write_text(claims_markdown(scores=scores) + "\n")
    (folder / "_found.md").write_text(found_markdown(scores) + "\n")
    (folder / "_cost.md").write_text(cost_markdown() + "\n")
