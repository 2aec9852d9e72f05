"""Write title and address of the repository, which _config.yml alone holds, into all that repeats them.

Badges and install lines cannot look them up: `make links` stamps them, and a test asserts that stamping
changes nothing. The lists of chapters, in README.md and _toc.yml, are written from the notebooks there are.
What an earlier, wrong address has left is stamped like any other.
"""

import json
import re
from pathlib import Path

import command
import yaml

ROOT = Path(__file__).resolve().parents[2]


GITHUB = "https://github.com/"
ABOUT = ": generative adversarial networks for medical images"  # behind the title in CITATION.cff


def configuration():
    return yaml.safe_load((ROOT / "_config.yml").read_text())


def normal(url):
    """`url` without a slash or .git at its end. Raises ValueError unless it is https://github.com/owner/name."""
    plain = str(url).strip().rstrip("/").removesuffix(".git")
    if not re.fullmatch(re.escape(GITHUB) + r"[\w-]+/[\w.-]+", plain):
        raise ValueError(
            f"repository.url in _config.yml is {url}: expected {GITHUB}owner/name. Colab's badges and Pages "
            "need a repository on GitHub; the notebooks and the built site work without them, from any place"
        )
    return plain


def address():
    """The repository's address, as https://github.com/owner/name, and its branch."""
    repository = configuration()["repository"]
    return normal(repository["url"]), str(repository["branch"]).strip()


def colab_link(notebook):
    """The address that opens `notebook`, a name such as "03-dcgan.ipynb", on Colab."""
    url, branch = address()
    name = url.removeprefix(GITHUB)
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


def stamped_address(path, text):
    """`text` with the repository's address and branch wherever some address stands.

    The patterns take all that may stand in the place of an address, so that a wrong one is repaired. `main`
    is the branch that git takes by itself, so only another one is named.
    """
    url, branch = address()
    owner, name = url.split("/")[-2:]
    option, suffix = (f"-b {branch} ", f"@{branch}") if branch != "main" else ("", "")
    link = r"https://colab\.research\.google\.com/github/[^\s)\"]*?/notebooks/([\w.-]+\.ipynb)"
    own = path.name if path.suffix == ".ipynb" else None  # a notebook's badge opens the notebook itself
    text = re.sub(link, lambda match: colab_link(own or match[1]), text)
    text = re.sub(r"git\+(?:https?|ssh)://[^\s\"\\]+", f"git+{url}{suffix}", text)
    text = re.sub(r"git clone (?:-b \S+ )?\S+ && cd\b.*", f"git clone {option}{url} && cd {name}", text)
    text = re.sub(r'(repository-code: ")[^"]*', rf"\g<1>{url}", text)
    return re.sub(r"https://[\w-]*\.github\.io/[\w.-]*", f"https://{owner}.github.io/{name}", text)


def stamped_title(path, text):
    """`text` with the course's title as its heading, or in front of what CITATION.cff says it is about."""
    title = str(configuration()["title"])
    if path in (ROOT / "README.md", ROOT / "book" / "intro.md"):
        return re.sub("^# .*", lambda _: f"# {title}", text)
    if path.name == "CITATION.cff":
        quoted = title.replace('"', "'")
        return re.sub(
            rf'^title: ".*{ABOUT}"', lambda _: f'title: "{quoted}{ABOUT}"', text, flags=re.MULTILINE
        )
    return text


def stamped(path):
    """The text of the file as it should be."""
    text = path.read_text()
    if path.name == "_config.yml":
        return re.sub(r"^(  url: ).*", lambda match: match[1] + address()[0], text, flags=re.MULTILINE)
    text = stamped_title(path, stamped_address(path, text))
    if path.name == "README.md":
        rows = "".join(f"{row}\n" for row in chapter_rows())
        text = re.sub(r"(\| Chapter \|.+\n\|.+\n)(?:\|.+\n)*", lambda match: match[1] + rows, text)
    if path.name == "_toc.yml":
        pages = "".join(f"      - file: notebooks/{path.stem}\n" for path in notebooks())
        text = re.sub(r"(Chapters\n +chapters:\n)(?: +- file: notebooks/.+\n)*", rf"\g<1>{pages}", text)
    return text


def targets():
    """The files that carry the address."""
    named = [ROOT / "_config.yml", ROOT / "CITATION.cff", ROOT / "book" / "_toc.yml"]
    return [*named, *ROOT.glob("*.md"), *ROOT.glob("book/*.md"), *notebooks()]


def main():
    for path in targets():
        text = stamped(path)
        if text != path.read_text():
            path.write_text(text)
            print(f"stamped {path.relative_to(ROOT)}")


if __name__ == "__main__":
    command.run(main, __doc__)
