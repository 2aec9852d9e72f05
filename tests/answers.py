"""The table of a chapter's exercises: what its checks must accept, and what they must say of mistakes."""

import pytest


def table(cases):
    """A test of every (check, right answer, wrong answer, words that explain the wrong one).

    An answer is a function or a value, or a tuple of it and what else the check takes.
    """

    @pytest.mark.parametrize(
        ("check", "right", "wrong", "why"), cases, ids=[f"{case[0].__name__}: {case[3]}" for case in cases]
    )
    def test(check, right, wrong, why, capsys):
        assert check(*_all(right)) is True
        assert "Right" in capsys.readouterr().out
        assert check(*_all(wrong)) is False
        assert why in capsys.readouterr().out

    return test


def _all(answer):
    return answer if isinstance(answer, tuple) else (answer,)
