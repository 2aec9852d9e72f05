"""The Content-Security-Policy that a built site can be served with: policy.py build/class/html

Scripts of our own lie in files: `outsource` moves what a notebook's form brings along into one. What the
theme writes into each page is allowed by its hash. Nothing is evaluated, nothing is loaded from outside.
"""

import base64
import hashlib
import re
from pathlib import Path

import command

INLINE = re.compile(r"<script(?P<attributes>(?:\s[^>]*)?)>(?P<code>.*?)</script>", re.DOTALL)
DATA = re.compile(r'\btype="(?!text/javascript|module)')  # a script element that holds data is never run
RULES = {
    "default-src": "'self'",
    "script-src": "'self'",
    "worker-src": "'self' blob:",  # the live figures' networks run in a Worker, also from a disc
    "style-src": "'self' 'unsafe-inline'",  # the theme's and the tables' own
    "img-src": "'self' data: blob:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
}


def inline_scripts(html):
    """The code of every script that stands in a page and would be run."""
    found = [match for match in INLINE.finditer(html) if match["code"].strip()]
    return [match["code"] for match in found if not re.search(r"\bsrc=|" + DATA.pattern, match["attributes"])]


def outsource(html, folder, static):
    """`html` with its scripts moved into files of `folder`, which pages reach as `static`."""

    def move(match):
        if not match["code"].strip() or match["attributes"]:
            return match[0]
        code = match["code"].encode()
        name = f"{hashlib.sha256(code).hexdigest()[:16]}.js"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(code)
        return f'<script defer src="{static}/{name}"></script>'

    return INLINE.sub(move, html)


def policy(pages):
    """The policy under which these pages (texts of HTML) work."""
    codes = sorted({code for page in pages for code in inline_scripts(page)})
    hashes = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in codes]
    scripts = " ".join([RULES["script-src"], *(f"'sha256-{code}'" for code in hashes)])
    return "; ".join(f"{name} {value}" for name, value in (RULES | {"script-src": scripts}).items())


def main(site):
    if not (pages := list(Path(site).rglob("*.html"))):
        raise FileNotFoundError(f"no pages in {site}: expected a built book, as build/class/html")
    print(policy(page.read_text() for page in pages))


if __name__ == "__main__":
    command.run(main, __doc__)
