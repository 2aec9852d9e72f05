"""The five questions at the end of each chapter's page: from book/quizzes/<chapter>.yml to HTML.

Numbers that the course measured are filled in from its results (quiz_numbers.py).
A question works by mouse and keyboard (radio buttons); _assets/course.js says at once what a choice teaches.
Without JavaScript, and on paper, the answers stand in a fold below.
"""

import hashlib
from html import escape
from pathlib import Path

import command
import quiz_numbers

QUIZZES = Path(__file__).parents[1] / "quizzes"
LETTERS = "ABCDE"


def read(chapter):
    """The questions of a chapter ("03-dcgan") or []. Raises ValueError for one that cannot be answered."""
    path = QUIZZES / f"{chapter}.yml"
    if not path.is_file():
        return []
    questions = command.read_yaml(path)
    if not isinstance(questions, list) or not questions:
        raise ValueError(f"{path.name} holds no list of questions: expected ask and answers of each")
    for number, question in enumerate(questions, 1):
        if fault := fault_of(question):
            raise ValueError(f"{path.name}, question {number}: {fault}")
    return [quiz_numbers.filled(question) for question in questions]


def fault_of(question):
    """What is wrong with a question, in words, or None."""
    if not isinstance(question, dict) or set(question) - {"numbers"} != {"ask", "answers"}:
        return f"it is {list(question)}, expected ask and answers" if question else "it is empty"
    answers = question["answers"]
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        return "its answers are no list of text and says"
    texts = [("ask", question["ask"]), *(("text", answer.get("text")) for answer in answers)]
    if odd := [(name, value) for name, value in texts if not isinstance(value, str)]:
        return f"{odd[0][0]} is {odd[0][1]!r}, expected words: put them in quotes"
    right = [answer for answer in answers if answer.get("right") is True]
    silent = [answer["text"] for answer in answers if not str(answer.get("says") or "").strip()]
    if len(right) != 1 or silent:
        return f"{len(right)} right answers (expected 1); without feedback: {silent}"
    return None


def shuffled(answers):
    """The answers in an order that says nothing about which is right, the same in every build."""
    return sorted(answers, key=lambda answer: hashlib.sha256(answer["text"].encode()).digest())


def question_html(chapter, number, question):
    """One question as a form field: a radio button per answer, its feedback in a data attribute."""
    name, lines = f"quiz-{chapter}-{number}", []
    for letter, answer in zip(LETTERS, shuffled(question["answers"]), strict=False):
        right = "true" if answer.get("right") else "false"
        lines.append(
            f'<label><input type="radio" name="{name}" value="{letter}" data-right="{right}" '
            f'data-says="{escape(answer["says"])}"> {escape(answer["text"])}</label>'
        )
    ask = f"<legend>{number}. {escape(question['ask'])}</legend>"
    feedback = '<p class="quiz-feedback" aria-live="polite"></p>'
    return f'<fieldset class="quiz-question">{ask}{"".join(lines)}{feedback}</fieldset>'


def answers_html(questions):
    """All answers, for readers without JavaScript and for paper."""
    items = []
    for question in questions:
        right = next(answer for answer in question["answers"] if answer.get("right"))
        items.append(f"<li>{escape(right['text'])}. {escape(right['says'])}</li>")
    return f'<details class="quiz-answers"><summary>Answers</summary><ol>{"".join(items)}</ol></details>'


def markdown(chapter):
    """The quiz of a chapter as Markdown with HTML in it, or "" where there is none."""
    questions = read(chapter)
    if not questions:
        return ""
    fields = "\n".join(question_html(chapter, n, question) for n, question in enumerate(questions, 1))
    return (
        "## Check yourself\n\n"
        "Five questions; choose an answer and read what it teaches. Nothing is stored.\n\n"
        f'<form class="quiz">\n{fields}\n</form>\n{answers_html(questions)}\n'
    )
