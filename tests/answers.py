"""The table of a chapter's exercises: what its checks must accept, and what they must say of mistakes."""

import pytest


class Brightness:
    """A judge for whom a finding is a film brighter than mid-grey."""

    findings = ("Fracture",)

    def logits(self, films):
        return 100 * films.mean((1, 2, 3), keepdim=True)[:, :, 0, 0]


def table(cases):
    """A test of every right answer, once, and of every wrong one.

    cases: (check, right answer, wrong answer, words that explain the wrong one). An answer is a function or a
    value, or a tuple of it and what else the check takes.
    """
    right = {(case[0], id(case[1])): (case[0], case[1], "Right") for case in cases}
    wrong = [(check, answer, words) for check, _, answer, words in cases]
    tried = [*right.values(), *wrong]

    @pytest.mark.parametrize(
        ("check", "answer", "words"), tried, ids=[f"{check.__name__}: {words}" for check, _, words in tried]
    )
    def test(check, answer, words, capsys):
        accepted = check(*(answer if isinstance(answer, tuple) else (answer,)))
        assert accepted is (words == "Right")
        assert words in capsys.readouterr().out

    return test
