"""Work in a process of its own, which may be killed: forked, so that nothing is imported again."""

import contextlib
import os
import signal
import sys
import tempfile
import threading
import time
import traceback

from tqdm import tqdm

BROKEN = 3  # the exit status of work that raised


class Process:
    """`work()` in a forked child, the leader of a group of its own; what it returns is its exit status."""

    def __init__(self, work):
        self.output = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the object)
        self.status = None
        sys.stdout.flush()
        self.number = os.fork()
        if self.number == 0:
            self._work(work)
        with contextlib.suppress(OSError):  # whoever is first: a kill must not come before the group
            os.setpgid(self.number, self.number)

    def _work(self, work):
        code = BROKEN
        try:
            os.setpgid(0, 0)
            tqdm.set_lock(threading.RLock())  # its own is shared by all forks: a killed one would keep it
            os.dup2(self.output.fileno(), 1)
            os.dup2(self.output.fileno(), 2)
            sys.stdout = sys.stderr = self.output  # else a test's own capture keeps the words
            code = work() or 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def ended(self):
        """Whether it has ended by itself, or been killed."""
        if self.status is None:
            number, status = os.waitpid(self.number, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if number else None
        return self.status is not None

    def wait(self, seconds=600):
        """Its exit status, or None if it still runs after `seconds`."""
        end = time.monotonic() + seconds
        while not self.ended() and time.monotonic() < end:
            time.sleep(0.005)
        return self.status

    def kill(self, group=True):
        """SIGKILL, to its children too or to it alone; True if it was still at work."""
        if self.ended():
            return False
        (os.killpg if group else os.kill)(self.number, signal.SIGKILL)
        self.wait()
        return self.status == -signal.SIGKILL

    def orphans_end(self, seconds=120):
        """Wait until the children that were not killed with it have ended too."""
        end = time.monotonic() + seconds
        with contextlib.suppress(ProcessLookupError):
            while time.monotonic() < end:
                os.killpg(self.number, 0)
                time.sleep(0.05)

    def words(self):
        """The end of what it printed."""
        self.output.seek(0)
        return self.output.read()[-2000:]


def finish(work, seconds=600):
    """Run `work` in a child to its end: "" or what it said when it failed."""
    process = Process(work)
    if process.wait(seconds) == 0:
        return ""
    process.kill()
    return process.words().strip() or f"ended with {process.status}"
