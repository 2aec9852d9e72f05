"""Every plot of the course, by what is drawn: films, maps over films, restorations, labels, curves, failures.

Each function draws one figure, colour-blind-safe, and shows it with words for readers who cannot see it.
Films hang on a dark light box (`lightbox`), everything else on white (`basics`).
"""

from .basics import COLOURS, LINES, canvas, show
from .failures import spectra, spectrum, vital_signs
from .film import circle, film_rows, films, grey, neighbours, twins
from .labels import bars, heat_map, label_values, overview, value_counts
from .lines import curves, draw_intervals, intervals, toy_game
from .maps import against_chance, arms, overlays
from .restorations import before_and_after, gallery, method_scores, trade_off

__all__ = [
    "COLOURS",
    "LINES",
    "against_chance",
    "arms",
    "bars",
    "before_and_after",
    "canvas",
    "circle",
    "curves",
    "draw_intervals",
    "film_rows",
    "films",
    "gallery",
    "grey",
    "heat_map",
    "intervals",
    "label_values",
    "method_scores",
    "neighbours",
    "overlays",
    "overview",
    "show",
    "spectra",
    "spectrum",
    "toy_game",
    "trade_off",
    "twins",
    "value_counts",
    "vital_signs",
]
