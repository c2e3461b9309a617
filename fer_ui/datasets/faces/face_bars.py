"""Votes and predicted probabilities of one face as two columns of bars, in plain HTML."""

from __future__ import annotations

from collections.abc import Mapping

from fer_core.labels import Expression
from fer_ui.escaping import escape_html
from fer_ui.formatting import format_percent
from fer_ui.theme import expression_color, expression_outline

_OTHER_VOTES = ("unknown", "not_a_face")
_GRAY = "#8C9198"


def bars_html(votes: Mapping[str, int] | None, probabilities: Mapping[Expression, float]) -> str:
    """Build a table: a row for each expression, and for other votes if there are any.

    Args:
        votes: numbers by expression, `unknown` and `not_a_face`; None without votes.
        probabilities: of the prediction; empty without one.
    """
    total = sum(votes.values()) if votes else 0
    names = [str(expression) for expression in Expression]
    names += [name for name in _OTHER_VOTES if votes and votes.get(name)]
    heads = "<th></th>"
    heads += f'<th scope="col">Votes ({total})</th>' if votes is not None else ""
    heads += '<th scope="col">Prediction</th>' if probabilities else ""
    rows = "".join(_row(name, votes, total, probabilities) for name in names)
    return f'<table class="ferscope-face-bars"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _row(name: str, votes: Mapping[str, int] | None, total: int, probabilities: Mapping[Expression, float]) -> str:
    title = escape_html(name.replace("_", " ").capitalize())
    cells = f'<th scope="row">{title}</th>'
    if votes is not None:
        number = votes.get(name, 0)
        cells += _cell(name, number / total if total else 0.0, str(number))
    if probabilities:
        value = probabilities.get(Expression(name)) if name not in _OTHER_VOTES else None
        cells += _cell(name, value or 0.0, "" if value is None else format_percent(value))
    return f"<tr>{cells}</tr>"


def _cell(name: str, share_01: float, text: str) -> str:
    known = name not in _OTHER_VOTES
    color = expression_color(Expression(name)) if known else _GRAY
    outline = expression_outline(Expression(name)) if known else _GRAY
    width = f"{100 * min(max(share_01, 0.0), 1.0):.1f}%"
    border = f"1px solid {outline}" if share_01 > 0 else "0"
    bar = f'<span style="width:{width};background:{color};border:{border}"></span>'
    return f"<td><div><i>{bar}</i><b>{escape_html(text)}</b></div></td>"
