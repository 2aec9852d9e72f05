"""Tables of a notebook on slides: as large as fits, in parts if that would be too small to read."""

import re
from copy import copy
from math import ceil

from bs4 import BeautifulSoup

LARGEST, SMALLEST = 0.85, 0.5  # size of the letters, of those of a slide's text
ACROSS, DOWN = 58, 16.5  # letters side by side, and heights of a letter, that a slide holds at size 1
LINE, GAP, APART = 1.35, 0.4, 2.5  # heights of a line, of the space between rows; letters between columns
WRAPS = (60, 40, 30, 24, 18, 14, 10)  # letters after which a cell may go on in the next line
MOST = 36  # rows; what comes after them is counted
SHORT = 7  # rows of a table that leaves room for words
BREAK = re.compile(r"\s+|(?<=_)")  # where a line may end
NUMBER = re.compile(r"([-+−±]?[\d.,]+ ?%?( \(.*\))?|nan|)$", re.IGNORECASE)


def parts(html):
    """A table of a notebook as HTML of one or more slides."""
    table = BeautifulSoup(html, "html.parser").find("table")
    head = [row.find_all(["td", "th"]) for row in table.select("thead tr")]
    body = [row for row in table.select("tr") if not row.find_parent("thead")]
    rows = repeated([row.find_all(["td", "th"]) for row in body])
    left = len(rows) - MOST
    rows = rows[:MOST]
    count = next((n for n in range(1, len(rows)) if size(head, rows[: ceil(len(rows) / n)]) >= SMALLEST), 1)
    step = ceil(len(rows) / count) or 1
    chunks = [rows[i : i + step] for i in range(0, len(rows), step)] or [[]]
    letters = max(SMALLEST, min(size(head, chunk) for chunk in chunks))
    found = [drawn(head, chunk, letters, rows) for chunk in chunks]
    if left > 0:
        found[-1] += f'<p class="aside">{left} more rows stand in the chapter.</p>'
    return found


def is_short(part):
    return part.count("<tr>") <= SHORT


def repeated(rows):
    """Rows in which a cell that spans several is repeated in each, so that a table can go on elsewhere."""
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            for below in rows[number + 1 : number + int(cell.attrs.pop("rowspan", 1))]:
                below.insert(place, copy(cell))
    return rows


def says(cell):
    return cell.get_text(" ", strip=True)


def size(head, rows):
    """The largest letters at which rows fit on a slide, of all ways to wrap their cells."""
    every = [*head, *rows]
    columns = max(map(len, every), default=1)
    single = [[says(cell) for cell in row] for row in every if len(row) == columns]
    longest = [max((len(row[i]) for row in single), default=1) for i in range(columns)]
    word = [max((len(w) for row in single for w in BREAK.split(row[i])), default=1) for i in range(columns)]

    def fits(wrap):
        widths = [max(min(long, wrap), widest) for long, widest in zip(longest, word, strict=True)]
        lines = [
            max((ceil(len(text) / width) for text, width in zip(row, widths, strict=True)), default=1)
            for row in single
        ]
        high = LINE * (sum(lines) + len(every) - len(single)) + GAP * len(every)
        return min(LARGEST, ACROSS / (sum(widths) + APART * columns), DOWN / high)

    return max(map(fits, WRAPS))


def drawn(head, rows, letters, all_rows):
    """HTML of a part of a table; columns of numbers (in all its rows) are set to the right."""
    columns = max(map(len, [*head, *rows]), default=0)
    data = [
        [says(row[i]) for row in all_rows if i < len(row) and row[i].name == "td"] for i in range(columns)
    ]
    right = {i for i, column in enumerate(data) if column and all(map(NUMBER.match, column))}

    def line(row):
        whole = len(row) == columns
        return "<tr>" + "".join(one(cell, whole and i in right) for i, cell in enumerate(row)) + "</tr>"

    def one(cell, to_right):
        wide = f' colspan="{cell["colspan"]}"' if cell.get("colspan") else ""
        side = ' class="number"' if to_right and (cell.name == "td" or says(cell)) else ""
        name = cell.name if says(cell) else "td"  # an empty corner is no header
        text = cell.decode_contents().replace("_", "_<wbr>") if name == "th" else cell.decode_contents()
        return f"<{name}{wide}{side}>{text}</{name}>"

    top = f"<thead>{''.join(map(line, head))}</thead>" if head else ""
    body = "".join(map(line, rows))
    return f'<table class="result" style="font-size: {letters:.2f}em">{top}<tbody>{body}</tbody></table>'
