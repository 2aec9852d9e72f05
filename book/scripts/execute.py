"""Run one notebook with papermill: execute.py SOURCE TARGET NAME=VALUE...

TARGET appears only when every cell has run. Until then the notebook is TARGET with .running before its
suffix; when a cell fails it is kept as .failed, its traceback goes to the screen and the exit status is 1.
A VALUE has the type of the notebook's own: True or False, a number, a text. A notebook that lies at TARGET is
replaced only if it was made so.
"""

import ast
import os
import sys
from pathlib import Path

import clock
import command
import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError
from papermill.exceptions import PapermillExecutionError

KERNEL_SECONDS = 600  # a machine with other work takes minutes where an idle one takes seconds
KINDS = {bool: "True or False", int: "a whole number, as 3", float: "a number, as 0.5"}
KERNELS, NOT_STARTED = 3, "Kernel died before replying"  # how often to try, and what a failure says
CELL_SECONDS = 6 * 3600  # the longest training of the full profile; what hangs longer is a fault


def typed(source, given):
    """The parameters {name: text} as values of the types that they have in the notebook.

    Papermill only warns of a parameter that the notebook does not have; here it is an error, and so is a text
    that is no value of its type.
    """
    known = papermill.inspect_notebook(str(source))
    unknown = sorted(set(given) - set(known))
    if unknown:
        sys.exit(f"{source} has no parameter {', '.join(unknown)}; its parameters are {', '.join(known)}")
    return {name: value_like(name, text, known[name]["default"]) for name, text in given.items()}


def value_like(name, text, default):
    """The value that `text` writes, of the type of `default`, which is Python source."""
    try:
        usual = ast.literal_eval(default)
    except (ValueError, SyntaxError):  # an expression: it may be anything
        return text
    if isinstance(usual, str | None):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = None
    if type(value) is int and isinstance(usual, float):
        return float(value)
    if type(value) is not type(usual):
        sys.exit(f"{name} is {text}: expected {KINDS.get(type(usual), 'a ' + type(usual).__name__)}")
    return value


def check_target(source, target):
    """Refuse to write over the source, and over a notebook that papermill has not written."""
    if target.resolve() == source.resolve():
        sys.exit(f"{target} is the source itself: give another target")
    if target.exists() and "papermill" not in command.notebook(target).metadata:
        sys.exit(f"{target} was not made by this script, and would be lost: give another target")


def once_more_without_a_kernel(work, *arguments, **options):
    """Call `work`; again if its kernel did not start: two that start at once may choose the same port."""
    for _ in range(KERNELS - 1):
        try:
            return work(*arguments, **options)
        except RuntimeError as error:
            if NOT_STARTED not in str(error):
                raise
            print("The kernel did not start; once more.", file=sys.stderr)
    return work(*arguments, **options)


def execute(source, target, parameters):
    """Run `source` into `target`, in the notebook's own folder and with the kernel of this Python."""
    running = target.with_suffix(".running.ipynb")
    failed = target.with_suffix(".failed.ipynb")
    failed.unlink(missing_ok=True)
    clocked = target.with_suffix(".seconds")
    try:
        once_more_without_a_kernel(
            papermill.execute_notebook,
            str(source), str(running), parameters, kernel_name="python3", cwd=str(source.parent),
            execution_timeout=CELL_SECONDS, start_timeout=KERNEL_SECONDS,
            stdout_file=sys.stdout, stderr_file=sys.stderr,
            extra_arguments=[
                "--IPKernelApp.log_level=ERROR",  # else each kernel warns of local TCP
                clock.argument(clocked.resolve()),
            ],
        )  # fmt: skip
    except BaseException:
        if running.exists():
            os.replace(running, failed)
        raise
    finally:
        seconds = clock.seen(clocked)
        clocked.unlink(missing_ok=True)
    notebook = command.notebook(running)
    notebook.metadata["seconds"] = seconds
    nbformat.write(notebook, running)
    os.replace(running, target)


def main(*arguments):
    if len(arguments) < 2 or not all("=" in assignment for assignment in arguments[2:]):
        sys.exit(f"{__doc__.splitlines()[0]}; got {' '.join(arguments) or 'nothing'}")
    source, target, *assignments = arguments
    if not Path(source).is_file():
        sys.exit(f"no notebook at {source}")
    parameters = dict(assignment.split("=", 1) for assignment in assignments)
    if parameters.get("DATA_ROOT"):
        parameters["DATA_ROOT"] = str(Path(parameters["DATA_ROOT"]).expanduser().resolve())
    source, target = Path(source), Path(target)
    parameters = typed(source, parameters)
    check_target(source, target)
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_MININTERVAL", "10")  # a log file needs few states of a progress bar
    try:
        execute(source, target, parameters)
    except (PapermillExecutionError, CellTimeoutError) as error:
        sys.exit(f"{error}\n{source} failed; it is kept as {target.with_suffix('.failed.ipynb')}")


if __name__ == "__main__":
    command.run(main, __doc__)
