"""The self-checks of the exercises: each says what is right, or what is wrong and how to look.

A check never raises for a wrong answer, so that *Run all* goes through with unsolved exercises; it prints
and returns True or False, and the solution cells assert that it is True.
"""

import functools

from ..checks import told


class _Stop(Exception):
    """Ends a check from within the reader's function; the message is the problem."""


def check(find_problem):
    """Turn a function that returns what is wrong with its first argument, or None, into a self-check.

    That argument is the reader's answer, a value or a function; whatever it raises is explained.
    """

    @functools.wraps(find_problem)
    def run(answer, *given, **options):
        came = ["is", answer]
        if isinstance(answer, type) and (hasattr(answer, "forward") or "__call__" in vars(answer)):
            name = answer.__name__
            print(f"Not yet: you gave the class {name}, and this wants one of its kind, as {name}().")
            return False

        def ask(*arguments):
            try:
                came[:] = "gave", answer(*arguments)
            except (Exception, SystemExit) as error:
                raise _Stop(f"your code stopped with {type(error).__name__}: {error}") from error
            return _answered(came[1])

        try:
            problem = find_problem(ask if callable(answer) else _answered(answer), *given, **options)
        except _Stop as stop:
            problem = stop
        except Exception as error:  # an answer of the wrong kind, which the check could not compare
            how, value = came
            wanted = find_problem.__doc__.split("\n")[0].rstrip(".") if find_problem.__doc__ else "another"
            problem = f"your answer {how} {_told(value)}, and this exercise asks for {wanted} ({error})"
            if any(part is None for part in given):
                problem = "the check was given None: run the chapter's cells above first"
            if "not callable" in str(error) and not callable(answer):
                problem = "this exercise wants a function, not a value"
        print("Right." if problem is None else f"Not yet: {problem}.")
        return problem is None

    return run


def _told(value):
    """A value in a few words, with its shape where it has one."""
    shape = getattr(value, "shape", None)
    return told(value) if shape is None else f"a {type(value).__name__} of shape {tuple(shape)}"


def _answered(answer):
    if answer is None or answer is ...:
        raise _Stop("replace the dots, then run this cell again")
    return answer
