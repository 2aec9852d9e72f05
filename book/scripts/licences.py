"""The licences of every package that this environment has of requirements.txt: licences.py prints a table."""

from importlib import metadata
from pathlib import Path

import command
from packaging.requirements import Requirement

LOCK = Path(__file__).resolve().parents[2] / "requirements.txt"
CLASSIFIER = "License :: "


def licence(package):
    """What a package says about itself: its expression, its classifiers, or the first line of its words."""
    facts = package.metadata
    if expression := facts.get("License-Expression"):
        return expression
    lines = [line for line in facts.get_all("Classifier", []) if line.startswith(CLASSIFIER)]
    named = {line.split(" :: ")[-1] for line in lines} - {"OSI Approved"}
    words = (facts.get("License") or "").strip().replace("UNKNOWN", "") or own_words(package)
    return ", ".join(sorted(named)) or words.splitlines()[0].strip()[:60]


def own_words(package):
    """The licence file that comes with a package, which may say nothing else; "unknown" without one."""
    files = [file for file in package.files or [] if "licen" in file.name.lower()]
    texts = [file.locate().read_text(errors="replace").strip() for file in files if file.locate().is_file()]
    empty = all(".dist-info" in str(file) for file in package.files or [])
    return next(filter(None, texts), "none: it holds no file, only names others" if empty else "unknown")


def table():
    """(name, version, licence) of each locked package that is installed here."""
    rows = []
    for line in LOCK.read_text().splitlines():
        if line.strip() and not line.startswith(("#", " ")):
            try:
                package = metadata.distribution(Requirement(line).name)
            except metadata.PackageNotFoundError:  # of another system
                continue
            rows.append((package.metadata["Name"], package.version, licence(package)))
    return rows


def main():
    for row in table():
        print("{:32s} {:18s} {}".format(*row))


if __name__ == "__main__":
    command.run(main, __doc__)
