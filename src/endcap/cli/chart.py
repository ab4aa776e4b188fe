"""
An evaluation as a picture: SVG by hand, so that it needs no library and any browser shows it.

A panel a task, a row a model; bars with a whisker of one standard error each way, and popularity as a line to beat.
"""

from collections.abc import Callable, Iterator, Sequence
from html import escape

from msgspec import Struct

from endcap.recommend.evaluate import Evaluation, Score
from endcap.recommend.metrics import Figure
from endcap.recommend.questions import TASKS, Task

TITLES = {
    "basket": "Basket: one to eight items in the cart, one other hidden",
    "page": "Item page: one item shown, the rest of the order hidden",
    "user": "User: the next order of somebody who ordered before",
}

_WIDTH = 960
_MARGIN = 32
_LABELS = 220  # pixels for the names of models
_GAP = 84  # between the two columns of bars: room for the figures
_BAR = (_WIDTH - 2 * _MARGIN - _LABELS - 2 * _GAP) / 2
_ROW = 26
_THICK = 14
_HEAD = 96
_PANEL_HEAD = 62
_PANEL_FOOT = 26
_STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2933; }
.figure { stroke: #ffffff; stroke-width: 3; paint-order: stroke; }
.title { font-size: 20px; font-weight: 600; }
.panel { font-size: 15px; font-weight: 600; }
.quiet { fill: #5f6c7b; }
.earns { fill: #2f7d5d; } .loses { fill: #b4532a; } .unclear, .too_few { fill: #8c9aa8; } .baseline { fill: #3d5a80; }
.whisker { stroke: #1f2933; stroke-width: 1.4; }
.beat { stroke: #3d5a80; stroke-width: 1; stroke-dasharray: 3 3; }
.floor { stroke: #cbd2d9; stroke-width: 1; }
"""
_LEGEND = (
    ("baseline", "popularity"),
    ("earns", "earns its place"),
    ("unclear", "cannot be told apart"),
    ("loses", "behind popularity"),
)


class _Column(Struct, frozen=True):
    """One measure: its name, where its bars begin, and what a full bar stands for."""

    name: str
    x: float
    most: float
    of: Callable[[Score], Figure]

    def at(self, value: float) -> float:
        return self.x + _BAR * max(0.0, min(1.0, value / self.most))


def drawn(evaluation: Evaluation) -> str:
    """The picture as the text of an SVG file."""
    tasks = [task for task in TASKS if any(each.task == task for each in evaluation.scores)]
    parts: list[str] = []
    y = float(_HEAD)
    for task in tasks:
        scores = sorted(
            (each for each in evaluation.scores if each.task == task), key=lambda each: -each.ndcg.value
        )  # fmt: skip
        parts.extend(_panel(task, scores, y))
        y += _PANEL_HEAD + _ROW * len(scores) + _PANEL_FOOT
    if not tasks:
        parts.append(_text(_MARGIN, y + 20, "There was no question to ask.", "quiet"))
        y += 50
    parts.extend(_head(evaluation))
    height = round(y + 8)
    box = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" aria-label="How good the models are">',
            f"<style>{_STYLE}</style>",
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _head(evaluation: Evaluation) -> Iterator[str]:
    yield _text(_MARGIN, 42, "Do the models earn their place?", "title")
    yield _text(
        _MARGIN,
        66,
        f"Learned from {evaluation.lines:,} items of orders before {evaluation.split[:10]}, asked about "
        f"{evaluation.orders:,} orders since. Whiskers: one standard error.",
        "quiet",
    )
    x = float(_MARGIN)
    for style, meaning in _LEGEND:
        yield f'<rect class="{style}" x="{x:.0f}" y="{_HEAD - 14}" width="11" height="11" rx="2"/>'
        yield _text(x + 17, _HEAD - 4, meaning, "quiet")
        x += 40 + 7 * len(meaning)


def _panel(task: Task, scores: Sequence[Score], y: float) -> Iterator[str]:
    bottom = y + _PANEL_HEAD + _ROW * len(scores)
    yield _text(_MARGIN, y + 30, TITLES[task], "panel")
    yield _text(
        _WIDTH - _MARGIN, y + 30, f"{scores[0].questions:,} questions", "quiet", anchor="end"
    )
    left = float(_MARGIN + _LABELS)
    for column in (
        _column("Hit rate @10", left, scores, lambda score: score.hit_rate),
        _column("NDCG @10", left + _BAR + _GAP, scores, lambda score: score.ndcg),
    ):
        yield _text(column.x, y + 54, column.name, "quiet")
        yield f'<line class="floor" x1="{column.x:.1f}" x2="{column.x:.1f}" y1="{y + 60:.1f}" y2="{bottom:.1f}"/>'
        for at, score in enumerate(scores):
            yield from _bar(column, score, y + _PANEL_HEAD + _ROW * at)
        for score in scores:
            if score.verdict == "baseline":
                x = column.at(column.of(score).value)
                yield f'<line class="beat" x1="{x:.1f}" x2="{x:.1f}" y1="{y + 60:.1f}" y2="{bottom:.1f}"/>'
    for at, score in enumerate(scores):
        middle = y + _PANEL_HEAD + _ROW * at + 5 + _THICK / 2
        yield _text(
            _MARGIN + _LABELS - 12,
            middle + 4.5,
            _short(score.model),
            anchor="end",
            full=score.model,
        )


def _column(name: str, x: float, scores: Sequence[Score], of: Callable[[Score], Figure]) -> _Column:
    """Bars of a task share a scale, which the longest fills with its whisker."""
    most = max(of(score).value + of(score).error for score in scores)
    return _Column(name, x, most or 1.0, of)


def _bar(column: _Column, score: Score, y: float) -> Iterator[str]:
    figure = column.of(score)
    end, middle = column.at(figure.value), y + 5 + _THICK / 2
    low, high = column.at(figure.value - figure.error), column.at(figure.value + figure.error)
    yield (
        f'<rect class="{score.verdict}" x="{column.x:.1f}" y="{y + 5:.1f}" '
        f'width="{max(1.0, end - column.x):.1f}" height="{_THICK}" rx="2"/>'
    )
    yield f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{middle:.1f}" y2="{middle:.1f}"/>'
    for x in (low, high):
        yield f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{middle - 4:.1f}" y2="{middle + 4:.1f}"/>'
    yield _text(max(end, high) + 8, middle + 4.5, f"{figure.value:.3f}", "figure")


_NAME_CHARACTERS_MAX = 28


def _short(name: str) -> str:
    """What of a name fits beside its bar; the whole of it shows when pointed at."""
    return name if len(name) <= _NAME_CHARACTERS_MAX else name[: _NAME_CHARACTERS_MAX - 1] + "…"


def _text(
    x: float, y: float, text: str, style: str = "", *, anchor: str = "start", full: str = ""
) -> str:
    title = f"<title>{escape(full)}</title>" if full and full != text else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">'
        f"{title}{escape(text)}</text>"
    )
