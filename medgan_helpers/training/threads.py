"""How many threads train fastest here and now: tried at the start, and again when steps become slower.

Threads wait for each other in every operation. Where another program has taken one of two cores, two threads
are half as fast as one. Where OMP_NUM_THREADS is set, as `make book` does, its number stays: the last digits
of most networks depend on the number of threads, since sums over a batch are then taken in another order.
"""

import os
import time
from contextlib import contextmanager

import torch

TRIAL = 4  # steps that are timed with each number
AGAIN = 60.0  # seconds until the next trial: what is slower then costs a few steps a minute
SLOWER = 1.4  # or as soon as steps take so many times as long as in the last one


def choices(device):
    """Numbers of threads to choose from: those that torch has now, half of them, one; or only the first."""
    most = torch.get_num_threads()
    if device.type != "cpu" or "OMP_NUM_THREADS" in os.environ:
        return [most]
    return sorted({most, max(1, most // 2), 1}, reverse=True)


class Threads:
    """Times the steps of a training and sets torch's number of threads; used by `fit`.

    with Threads(choices(device)) as threads:
        with threads.timed(): model.step(batch)
    """

    def __init__(self, numbers, clock=time.perf_counter):
        self.numbers, self.clock = numbers, clock

    def __enter__(self):
        self.before = torch.get_num_threads()
        self.try_all()
        return self

    def __exit__(self, *_):
        torch.set_num_threads(self.before)

    def try_all(self):
        """Begin a trial with the first number."""
        self.found, self.waiting, self.steps = {}, list(self.numbers[1:]), []
        torch.set_num_threads(self.numbers[0])

    @contextmanager
    def timed(self):
        """One step."""
        begun = self.clock()
        yield
        self.steps.append(self.clock() - begun)
        if len(self.numbers) > 1 and len(self.steps) == TRIAL:
            self.decide(sum(self.steps))

    def decide(self, seconds):
        """Go on with the trial, keep the fastest number at its end, or begin the next one."""
        self.steps = []
        if len(self.found) == len(self.numbers):
            best = min(self.found.values())
            if self.clock() > self.until or seconds > SLOWER * best:
                self.try_all()
            return
        self.found[torch.get_num_threads()] = seconds
        if self.waiting:
            torch.set_num_threads(self.waiting.pop(0))
            return
        torch.set_num_threads(min(self.found, key=self.found.get))
        self.until = self.clock() + AGAIN
