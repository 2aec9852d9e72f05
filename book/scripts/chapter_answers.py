"""Note what the chapters of the front page answered in the class profile.

    python book/scripts/chapter_answers.py build/class/executed/*.ipynb

Writes book/results/answers.csv, a line for each short finding. The three sentences of the README are tested
against it. Run it again after a `make book` whose chapters say something else.
"""

from pathlib import Path

import command
import front_page
import opening

from medgan_helpers import artifacts

TABLE = Path(__file__).parents[1] / "results" / "answers.csv"


def rows(path):
    """The rows of an executed notebook: chapter, day of the run, and each short finding.

    Raises ValueError for one that was run in another profile, whose numbers answer nothing.
    """
    notebook = command.notebook(path)
    ran = notebook.metadata.get("papermill", {})
    if ran.get("parameters", {}).get("PROFILE") != "class":
        raise ValueError(f"{path} was not run in the class profile: make book does that")
    when = {"chapter": Path(path).stem, "run": ran["end_time"][:10]}
    return [when | {"says": says} for says in opening.findings_in_short(notebook)]


def main(*executed):
    found = [row for path in executed if Path(path).name[:2] in front_page.ANSWERING for row in rows(path)]
    if {row["chapter"][:2] for row in found} != set(front_page.ANSWERING):
        raise ValueError(f"expected chapters {', '.join(front_page.ANSWERING)} as they were executed")
    artifacts.write_csv(TABLE, found)


if __name__ == "__main__":
    command.run(main, __doc__)
