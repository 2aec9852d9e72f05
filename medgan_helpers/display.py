"""What a notebook shows beside figures: sentences with numbers, diagrams, the real source of what runs."""

import ast
import inspect
import re
from pathlib import Path

from IPython.display import Markdown
from IPython.display import display as show_output

from .artifacts import ASSETS
from .checks import door, every, file, having, switch, text, told


@door(finding=switch)
def say(text, finding=False, short=""):
    """Show `text` as Markdown: sentences whose numbers come from the run above them.

    finding: what the chapter finds; its page opens with it (book/scripts/opening.py).
    short: the same for new readers, without what the chapter asks them to predict: its page opens
    with it, and the front page quotes it (book/scripts/front_page.py).
    """
    for name, words in {"text": text, "short": short}.items():
        if not isinstance(words, str):
            raise TypeError(f"{name} is {told(words)}: expected words")
    show_output(Markdown(text), metadata={"finding": True, "short": short} if finding else {})


DOOR = re.compile(r"^ *@door\(.*?\)\n(?= *(?:@|def|class))", re.MULTILINE | re.DOTALL)


@door(fold=text)
def show_source(*objects, fold=""):
    """Show the real source of functions or classes, highlighted; what is read is what runs, apart from the
    doors, which refuse wrong arguments and teach nothing.

    fold: the words under which it waits in a fold: for machinery that is not the lesson.
    """
    sources = []
    for thing in objects:
        if not callable(thing) and not inspect.ismodule(thing):
            raise TypeError(f"{told(thing)} has no source: expected a function or a class, not its name")
        try:
            source = inspect.getsource(thing)
        except (TypeError, OSError) as error:
            raise TypeError(f"{thing!r} has no source in Python: expected one of the course's own") from error
        sources.append(f"```python\n{DOOR.sub('', source).rstrip()}\n```")
    if fold:
        sources = ["\n\n".join([f"<details><summary>{fold}</summary>", *sources, "</details>"])]
    for shown in sources:
        say(shown)


@door(module=having("__file__", kind="a module"), names=every(text))
def show_settings(module, names):
    """Show the lines of a module's source that give these names their values, with the comments in them.

    Raises ValueError for a name that no line of the module gives a value.
    """
    source = inspect.getsource(module)
    found = {
        node.targets[0].id: "\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno])
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    if missing := [name for name in names if name not in found]:
        raise ValueError(f"{module.__name__} sets no {', '.join(missing)}: it sets {', '.join(found)}")
    say("```python\n" + "\n".join(found[name] for name in names) + "\n```")


def diagram(name):
    """Show a diagram of the course (assets/diagrams, drawn by book/scripts/diagrams.py) in the theme's ink.

    Raises ValueError for a name that no diagram has.
    """
    files = {path.stem: path for path in (ASSETS / "diagrams").glob("*.svg")}
    if not isinstance(name, str) or name not in files:
        raise ValueError(f"there is no diagram {told(name)}: choose among {', '.join(sorted(files))}")
    show_output({"text/html": diagram_html(files[name]), "text/plain": f"Diagram: {name}"}, raw=True)


@door(path=file)
def diagram_html(path):
    """The HTML that shows a diagram's file; on a phone it scrolls."""
    return f'<div class="diagram" style="overflow-x: auto">{Path(path).read_text()}</div>'
