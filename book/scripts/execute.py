"""Run one notebook with papermill: execute.py SOURCE TARGET NAME=VALUE...

TARGET appears only when every cell has run. Until then the notebook is TARGET with .running before its
suffix; when a cell fails it is kept as .failed, its traceback goes to the screen and the exit status is 1.
"""

import os
import sys
from pathlib import Path

import command
import papermill
from nbclient.exceptions import CellTimeoutError
from papermill.exceptions import PapermillExecutionError

KERNEL_SECONDS = 600  # a machine with other work takes minutes where an idle one takes seconds
CELL_SECONDS = 6 * 3600  # the longest training of the full profile; what hangs longer is a fault


def check_parameters(source, given):
    """Papermill only warns of a parameter that the notebook does not have; here it is an error."""
    known = papermill.inspect_notebook(str(source))
    unknown = sorted(set(given) - set(known))
    if unknown:
        sys.exit(f"{source} has no parameter {', '.join(unknown)}; its parameters are {', '.join(known)}")


def execute(source, target, parameters):
    """Run `source` into `target`, in the notebook's own folder and with the kernel of this Python."""
    running = target.with_suffix(".running.ipynb")
    failed = target.with_suffix(".failed.ipynb")
    failed.unlink(missing_ok=True)
    try:
        papermill.execute_notebook(
            str(source), str(running), parameters, kernel_name="python3", cwd=str(source.parent),
            execution_timeout=CELL_SECONDS, start_timeout=KERNEL_SECONDS,
            stdout_file=sys.stdout, stderr_file=sys.stderr,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # else each kernel warns of local TCP
        )  # fmt: skip
    except BaseException:
        if running.exists():
            os.replace(running, failed)
        raise
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
    check_parameters(source, parameters)
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_MININTERVAL", "10")  # a log file needs few states of a progress bar
    try:
        execute(source, target, parameters)
    except (PapermillExecutionError, CellTimeoutError) as error:
        sys.exit(f"{error}\n{source} failed; it is kept as {target.with_suffix('.failed.ipynb')}")


if __name__ == "__main__":
    command.run(main, __doc__)
