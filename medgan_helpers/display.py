"""What a notebook shows beside figures: sentences with numbers, and the real source of what runs."""

import inspect

from IPython.display import Markdown
from IPython.display import display as show_output


def say(text):
    """Show `text` as Markdown: sentences whose numbers come from the run above them."""
    show_output(Markdown(text))


def show_source(*objects):
    """Show the real source of functions or classes, highlighted; what is read is what runs."""
    for thing in objects:
        say(f"```python\n{inspect.getsource(thing).rstrip()}\n```")
