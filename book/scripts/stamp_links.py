"""Write the repository's address, which stands in _config.yml alone, into everything that must repeat it.

Badges and install lines cannot look it up: `make links` stamps them, and a test asserts that stamping
changes nothing. The lists of chapters, in README.md and _toc.yml, are written from the notebooks there are.
"""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def address():
    """The repository's address, as https://github.com/owner/name, and its branch."""
    repository = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    return repository["url"], repository["branch"]


def colab_link(notebook):
    """The address that opens `notebook`, a name such as "03-dcgan.ipynb", on Colab."""
    url, branch = address()
    name = url.removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{name}/blob/{branch}/notebooks/{notebook}"


def notebooks():
    """The chapters, in reading order."""
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


def chapter_rows():
    """One line of the README's table a notebook: its title, the question in bold below it, its badge."""
    for path in notebooks():
        first = json.loads(path.read_text())["cells"][0]["source"]
        text = first if isinstance(first, str) else "".join(first)
        title = re.match("# (.+)", text)[1]
        question = re.search(r"^\*\*(.+[?.])\*\*$", text, re.MULTILINE)
        badge = f"[![Open in Colab](book/_assets/colab-badge.svg)]({colab_link(path.name)})"
        yield f"| [{title}](notebooks/{path.name}) | {question[1] if question else ''} | {badge} |"


def stamped(path):
    """The text of the file as it should be."""
    url, _ = address()
    owner, name = url.split("/")[-2:]
    link = r"https://colab\.research\.google\.com/github/[^/]+/[^/]+/blob/[^/]+/notebooks/([\w.-]+\.ipynb)"
    text = path.read_text()
    own = path.name if path.suffix == ".ipynb" else None  # a notebook's badge opens the notebook itself
    text = re.sub(link, lambda match: colab_link(own or match[1]), text)
    text = re.sub(r"git\+https://github\.com/[\w.-]+/[\w.-]+", f"git+{url}", text)
    clone = r"git clone https://github\.com/[\w.-]+/[\w.-]+ && cd [\w.-]+"
    text = re.sub(clone, f"git clone {url} && cd {name}", text)
    text = re.sub(r'(repository-code: ")[^"]*', rf"\g<1>{url}", text)
    if path.name == "README.md":
        rows = "".join(f"{row}\n" for row in chapter_rows())
        text = re.sub(r"(\| Chapter \|.+\n\|.+\n)(?:\|.+\n)*", lambda match: match[1] + rows, text)
    if path.name == "_toc.yml":
        pages = "".join(f"      - file: notebooks/{path.stem}\n" for path in notebooks())
        text = re.sub(r"(Chapters\n +chapters:\n)(?: +- file: notebooks/.+\n)*", rf"\g<1>{pages}", text)
    return re.sub(r"https://[\w-]+\.github\.io/[\w.-]+", f"https://{owner}.github.io/{name}", text)


def targets():
    """The files that carry the address."""
    prose = [*ROOT.glob("*.md"), ROOT / "CITATION.cff", *ROOT.glob("book/*.md"), ROOT / "book" / "_toc.yml"]
    return [*prose, *notebooks()]


def main():
    for path in targets():
        text = stamped(path)
        if text != path.read_text():
            path.write_text(text)
            print(f"stamped {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
