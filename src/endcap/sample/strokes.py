"""
The words of the drawings: strokes, fills, rows of dots, a shadow, and how a long thing is laid across a square.

All give SVG text. `#b` is the gradient that every picture has.
"""

CREAM, INK, TORTOISE = "#fdf7e6", "#222", "#621"
SKY, MIST, SAGE, ROSE, LILAC = "#d8e0e3", "#e6ebee", "#e8ece2", "#f2e8e4", "#ebe8ef"
STEEL, DARK, ROSEWOOD, MAPLE = "#ccc", "#222", "#532", "#da6"


def fill(path: str, colour: str) -> str:
    return f"<path fill='{colour}' d='{path}'/>"


def line(path: str, colour: str, width: float, *, dashes: str = "") -> str:
    """A stroke: with round ends, unless it is dashed."""
    dash = f" stroke-linecap='butt' stroke-dasharray='{dashes}'" if dashes else ""
    return f"<path stroke='{colour}' stroke-width='{width:g}'{dash} d='{path}'/>"


def dots(path: str, colour: str, *, size: float, apart: float) -> str:
    """A row of round dots in one element, dashes of no length: pegs, knobs, inlays.

    They stand a hair closer than told, lest rounding lose the last one.
    """
    dashes = f"0 {apart * 0.995:.3g}"
    return (
        f"<path stroke='{colour}' stroke-width='{size:g}' stroke-dasharray='{dashes}' d='{path}'/>"
    )


def lay(shapes: str, *, x: float = 74, y: float = 86, scale: float = 1) -> str:
    """Lays an upright instrument diagonally, its origin at (x, y)."""
    size = "" if scale == 1 else f" scale({scale:g})"
    return f"<g transform='translate({x:g} {y:g}) rotate(45){size}'>{shapes}</g>"


def shadow(reach: int, *, y: int) -> str:
    """What a thing that stands casts on the ground."""
    return f"<ellipse cx='80' cy='{y}' rx='{reach}' ry='5' fill='#000' opacity='.13'/>"


def body(path: str, *, edge: str = "", width: float = 1) -> str:
    stroke = f" stroke='{edge}' stroke-width='{width:g}'" if edge else ""
    return f"<path fill='url(#b)'{stroke} d='{path}'/>"
