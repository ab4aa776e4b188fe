"""
Draws the sample shop's product pictures: one small SVG for a look in a colour, as a data URI.

Knows shapes and paint. Knows nothing of products, prices or brands. Every drawing stands on its own pale tile, as a
photograph would, so it reads the same on a light page and on a dark one, and it refers to nothing outside itself.

A drawing is a template: `{light}`, `{deep}` and `{trim}` are the colour's paints, `#b` a gradient of the first two.
Fretted instruments are drawn upright, the neck's middle at x = 0 and the body's end near y = 80, and then laid
diagonally, because that is how a long thing fills a square.
"""

from typing import Final
from urllib.parse import quote

from msgspec import Struct


class Paint(Struct, frozen=True):
    """A colour as light falls on it, in its shade, and what is screwed on it or printed over it."""

    light: str
    deep: str
    trim: str


CREAM, INK, TORTOISE = "#fdf7e6", "#222", "#621"

PAINTS: Final = {
    "black": Paint("#3d3c40", "#19191b", CREAM),
    "blue": Paint("#4a86bd", "#1f4a7c", CREAM),
    "brown": Paint("#96592f", "#5a3018", "#e9cfa4"),
    "butterscotch": Paint("#e9b663", "#c98a33", INK),
    "cherry": Paint("#a32a2e", "#5f1218", INK),
    "cream": Paint("#f3e4c1", "#d8c08f", TORTOISE),
    "gold": Paint("#d9b45c", "#a5792a", CREAM),
    "green": Paint("#5c9c6b", "#28613e", CREAM),
    "grey": Paint("#9a9ea3", "#62666c", CREAM),
    "natural": Paint("#edc98c", "#cd9b57", INK),
    "orange": Paint("#ee8f3c", "#c2601a", CREAM),
    "pink": Paint("#eea2b4", "#cf6f8b", CREAM),
    "purple": Paint("#8468b0", "#4c3580", CREAM),
    "red": Paint("#d6453f", "#961f22", CREAM),
    "silver": Paint("#d3d6d9", "#9fa4aa", INK),
    "sunburst": Paint("#eda845", "#43190d", CREAM),
    "tweed": Paint("#dcb878", "#b58a49", "#6d3a22"),
    "turquoise": Paint("#8fd0c3", "#4c9f94", CREAM),
    "white": Paint("#fffefa", "#e2d9c0", TORTOISE),
    "yellow": Paint("#f5cd4c", "#d29f1f", INK),
}


def picture(look: str, *, colour: str) -> str:
    """The drawing as a URI for `src`. Quotes are single, and `<`, `#` and `%` escaped: it fits in double quotes."""
    return "data:image/svg+xml;utf8," + quote(
        drawing(look, colour=colour), safe=" !$&'()*+,/:;=>?@"
    )


def drawing(look: str, *, colour: str) -> str:
    """The drawing as SVG text."""
    paint = PAINTS[colour]
    tile, shapes = DRAWINGS[look]
    return (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='-4 -4 168 168' fill='none' stroke-linecap='round'>"
        f"<radialGradient id='b' r='.62'><stop offset='.3' stop-color='{paint.light}'/>"
        f"<stop offset='1' stop-color='{paint.deep}'/></radialGradient>"
        f"<path fill='{tile}' d='M-4-4h168v168H-4'/>"
        + shapes.format(light=paint.light, deep=paint.deep, trim=paint.trim)
        + "</svg>"
    )


# --- words of the drawings ------------------------------------------------------------------------------------------

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


# --- necks ----------------------------------------------------------------------------------------------------------


def neck(head: str, pegs: str, board: str, *, end: float = 15, wood: str = MAPLE) -> str:
    """Head, pegs, a fingerboard to y = `end`, its frets in one dashed stroke and its dots in another."""
    return (
        pegs
        + fill(head, wood)
        + fill(f"M-3.4-75h6.8L4.3 {end:g}h-8.6z", board)
        + line(f"M0-70V{end:g}", "#cba", 7, dashes=".6 5.4")
        + dots(f"M0-55V{end - 8:g}", "#eed", size=1.6, apart=12)
    )


SIX_IN_LINE = "M-3.6-74C-4-79-8-80-7.5-86L-6-102C-5-108 4-109 5-104C5.5-100 3-98 3.5-93L3.8-74z"
POINTED = "M-3.6-74L-8.5-82L-4-106L1-109L4-90L3.8-74z"
THREE_A_SIDE = "M-4-74L-7.5-80L-6.5-101Q-3-98 0-101Q3-98 6.5-101L7.5-80L4-74z"
PEGS_IN_LINE = dots("M-9.4-83L-7.6-104", STEEL, size=3.2, apart=4)
PEGS_A_SIDE = dots("M-9-83V-99M9-83V-99", STEEL, size=3.4, apart=7)
STRINGS = "M-2-76V{0}M2-76V{0}M0-76V{0}"

BOLT_ON = neck(SIX_IN_LINE, PEGS_IN_LINE, ROSEWOOD)
ALL_MAPLE = neck(SIX_IN_LINE, PEGS_IN_LINE, "#da5")
SHRED = neck(POINTED, PEGS_IN_LINE, "#322", wood=DARK)
SET_NECK = neck(THREE_A_SIDE, PEGS_A_SIDE, ROSEWOOD, wood=DARK)
FLAT_TOP = neck(THREE_A_SIDE, PEGS_A_SIDE, ROSEWOOD, wood=ROSEWOOD)
NYLON = neck(
    "M-4.5-74L-7-79V-101Q0-105 7-101V-79L4.5-74z", PEGS_A_SIDE, "#322", end=14, wood=ROSEWOOD
) + line("M-3-82V-97M3-82V-97", "#eed", 2)


def strung(shapes: str, to: int) -> str:
    return shapes + line(STRINGS.format(to), "#eed", 0.4)


# --- electric guitars -----------------------------------------------------------------------------------------------

SINGLE_COILS = fill("M-8 17h16v4H-8zM-8 29h16v4H-8z", CREAM) + fill("M-8 42L8 39V43L-8 46", CREAM)
HUMBUCKERS = fill("M-8 17H8v8H-8zM-8 39H8v8H-8", STEEL)
BLACK_HUMBUCKERS = fill("M-8 18H8v8H-8zM-8 40H8v8H-8z", "#111") + line(
    "M-6 20H6M-6 42H6", STEEL, 1, dashes="1 1.6"
)
TAILPIECE = line("M-8 53H8M-9 60H9", STEEL, 3)
FOUR_KNOBS = dots("M18 48L25.5 54.5M14 57L21.5 63.5", "#db7", size=4.6, apart=9.8)

TELE = strung(
    body(
        "M-4.5 5C-7-4-15-8-22-5C-30-1-29 11-27 18C-25 25-25 29-28 35C-31 41-33 47-32 56C-30 71-16 77 0 77"
        "C17 77 31 71 32 56C33 46 31 40 26 35C22 30 21 26 23 20C26 12 26 2 19 0C12-1 8 6 4.5 13Z"
    )
    + fill(
        "M-4.5 5C-12-2-22 1-22 9C-22 17-19 22-20 29C-20 35-15 37-9 37H12C18 37 18 30 16 24C14 18 17 12 17 5"
        "C12 4 9 10 4.5 15Z",
        "{trim}",
    )
    + fill("M-9 40H9V61H-9zM-7 20H7v4H-7z", STEEL)
    + fill("M-7 46L7 42V46L-7 50", DARK)
    + line("M17 42L20 63", STEEL, 6)
    + dots("M18 49L19.6 60", "#777", size=4, apart=9)
    + ALL_MAPLE,
    55,
)
STRAT = strung(
    body(
        "M-5 9C-8 0-12-12-20-14C-27-15-28-6-26 2C-25 12-21 18-22 27C-23 38-31 42-31 55C-31 70-18 78 0 78"
        "C20 78 33 69 32 52C31 42 22 37 22 26C22 18 26 12 26 4C26-3 22-8 17-6C11-4 10 4 5 9Z"
    )
    + fill(
        "M-5 8C-8-1-14-9-19-6C-22 2-17 13-17 24C-18 34-21 42-13 44L4 51C11 63 20 69 26 60C29 48 20 40 18 29"
        "C17 19 21 10 19 2C13-1 9 4 5 10Z",
        "{trim}",
    )
    + fill("M-8 17h16v4H-8zM-8 29h16v4H-8z", "{deep}")
    + fill("M-8 42L8 38V42L-8 46", "{deep}")
    + fill("M-9 51H8v8H-9z", STEEL)
    + dots("M14 47L22 63", "{deep}", size=4.4, apart=8.6)
    + BOLT_ON,
    54,
)
SUPER = strung(
    body(
        "M-5 8C-8 1-15-8-23-14C-27-14-27-9-26-3C-24 8-20 16-21 26C-22 36-31 42-31 56C-30 70-16 77 0 77"
        "C17 77 31 70 31 54C31 42 22 36 21 26C20 17 25 8 25-5C23-8 20-6 16-2C11 3 9 10 5 12Z"
    )
    + BLACK_HUMBUCKERS
    + line("M-6 33H6", "#111", 3.6)
    + fill("M-9 52H9v9H-9", DARK)
    + dots("M16 52L24 62", DARK, size=5, apart=12.6)
    + SHRED,
    56,
)
SINGLE_CUT = strung(
    body(
        "M-5 4C-10-6-20-10-27-3C-32 3-28 14-25 20C-23 25-25 29-29 35C-34 42-35 56-29 66C-22 76-10 79 0 79"
        "C10 79 22 76 29 66C35 56 34 42 29 35C25 29 23 24 25 17C27 11 27 2 21-3C19-4 18-2 17 2C15 9 10 12 5 12Z",
        edge=CREAM,
        width=1.6,
    )
    + fill("M9 21L15 24L12 45L9 46Z", CREAM)
    + HUMBUCKERS
    + TAILPIECE
    + FOUR_KNOBS
    + SET_NECK,
    59,
)
DOUBLE_CUT = strung(
    body(
        "M-5 11C-9 8-12 2-17-8C-19-12-23-12-24-8C-25 0-26 6-24 14C-22 22-24 27-28 34C-34 46-33 60-26 68"
        "C-18 76-8 77 0 77C8 77 18 76 26 68C33 60 34 46 28 34C24 27 22 22 24 14C26 6 25 0 24-8"
        "C23-12 19-12 17-8C12 2 9 8 5 11Z"
    )
    + fill(
        "M-12 14C-7 18 7 18 12 14C17 22 17 30 21 38C22 44 14 46 10 50H-9C-12 40-18 26-12 14Z", DARK
    )
    + HUMBUCKERS
    + TAILPIECE
    + FOUR_KNOBS
    + SET_NECK,
    59,
)
OFFSET = strung(
    body(
        "M-5 7C-8-6-14-14-22-13C-29-11-29-2-27 6C-25 14-21 20-24 30C-27 40-35 46-33 58C-31 72-14 80 4 79"
        "C20 78 34 68 33 54C32 42 22 38 21 28C20 20 25 14 26 6C27-2 23-8 17-6C11-4 9 4 5 9Z"
    )
    + fill(
        "M-5 7C-8-4-15-11-20-7C-24 4-16 16-19 28C-21 36-25 40-21 44C-14 47-4 44 1 51C7 62 19 70 25 60"
        "C28 50 18 40 17 28C16 18 21 8 19 1C13-1 9 4 5 10Z",
        "{trim}",
    )
    + fill("M-9 16H9v7H-9zM-9 37H9v7H-9z", DARK)
    + fill("M-8 50H8V54H-8M-4 58H4V74H-4", STEEL)
    + dots("M15 50L22 60", DARK, size=4.6, apart=10)
    + BOLT_ON,
    60,
)
SEMI_HOLLOW = strung(
    body(
        "M-4 3C-8-9-18-16-27-11C-34-6-32 6-29 14C-27 20-28 26-32 34C-39 46-38 62-29 71C-20 80-8 81 0 81"
        "C8 81 20 80 29 71C38 62 39 46 32 34C28 26 27 20 29 14C32 6 34-6 27-11C18-16 8-9 4 3Z",
        edge=CREAM,
        width=1.6,
    )
    + line("M-20 33C-27 38-17 46-22 53M20 33C27 38 17 46 22 53", DARK, 2.4)
    + HUMBUCKERS
    + TAILPIECE
    + dots("M23 58L30 64M17 65L24 71", "#db7", size=4.4, apart=9)
    + SET_NECK,
    59,
)

# --- acoustic guitars and basses ------------------------------------------------------------------------------------


def flat_top(path: str, fittings: str, neck_: str) -> str:
    """A hollow body with binding, a sound hole in its rosette, and a bridge."""
    return strung(
        body(path, edge="#642", width=1.8)
        + fittings
        + "<circle cy='29' r='11' fill='#211' stroke='#853' stroke-width='3'/>"
        + fill("M-15 58Q0 54 15 58L13 64Q0 61-13 64Z", ROSEWOOD)
        + neck_,
        60,
    )


PLATE = fill("M10 22C20 24 22 44 20 50C14 52 8 46 7 38Z", DARK)
DREADNOUGHT = flat_top(
    "M0 0C-10 0-22-3-29 4C-34 11-31 21-29 28C-28 35-32 42-35 50C-39 68-28 84 0 84C28 84 39 68 35 50"
    "C32 42 28 35 29 28C31 21 34 11 29 4C22-3 10 0 0 0Z",
    PLATE,
    FLAT_TOP,
)
CUTAWAY = flat_top(
    "M0 0C-8-1-18-3-25 3C-31 10-28 21-24 28C-22 34-27 40-32 48C-38 66-28 83 0 83C28 83 38 66 32 48"
    "C27 40 21 35 23 27C26 20 28 12 26 8C22 4 20 14 13 17C9 18 5 18 4 14Z",
    PLATE,
    FLAT_TOP,
)
CLASSICAL = flat_top(
    "M0 2C-8 1-18-2-24 5C-29 12-26 21-23 28C-21 35-25 41-30 49C-35 66-26 81 0 81C26 81 35 66 30 49"
    "C25 41 21 35 23 28C26 21 29 12 24 5C18-2 8 1 0 2Z",
    "<circle cy='29' r='15' stroke='#8f4a2b' stroke-width='2' stroke-dasharray='1.4 1'/>",
    NYLON,
)


def bass(fittings: str, *, pegs: int) -> str:
    """A body of offset waist under a longer neck. Four pegs or five sit in line on the head."""
    head = "M-3.6-90C-4-95-8-96-8-101L-6.5-122C-5-128 5-128 6-122C6-118 3.5-116 4-110L3.8-90z"
    return (
        body(
            "M-5 8C-8-2-13-17-22-19C-29-20-29-8-27 2C-25 12-20 20-22 30C-24 40-31 44-31 57C-30 72-16 79 2 79"
            "C20 79 33 70 32 54C31 42 21 38 21 28C21 20 25 14 26 6C27-1 22-6 17-4C11-2 10 4 5 10Z"
        )
        + fittings
        + dots("M-10.4-100L-8-123", STEEL, size=4.6, apart=23 / (pegs - 1))
        + fill(head, MAPLE)
        + fill("M-3.4-91h6.8L4.3 12h-8.6z", ROSEWOOD)
        + line("M0-85V12", "#cba", 7, dashes=".6 6.6")
        + dots("M0-67V4", "#eed", size=1.8, apart=14.4)
        + line("M-2.4-92V63M2.4-92V63M-.8-92V63M.8-92V63", "#eed", 0.5)
    )


BASS_GUARD = fill(
    "M-5 8C-8-4-15-15-20-11C-24 2-15 15-17 28C-19 36-18 42-12 42H12C18 48 22 62 27 56C28 48 18 40 17 29"
    "C16 20 21 9 19 2C13-1 9 4 5 10Z",
    "{trim}",
)
BASS = bass(
    BASS_GUARD
    + fill("M-9 25H1V31H-9M-1 33H9V39H-1", DARK)
    + fill("M-8 57H8v8H-8z", STEEL)
    + dots("M17 46L22 56", STEEL, size=4.4, apart=11),
    pegs=4,
)
ACTIVE_BASS = bass(
    fill("M-9 25H9V32H-9M-9 43H9V50H-9", DARK)
    + fill("M-8 58H8v8H-8z", DARK)
    + dots("M19 46L19 64", DARK, size=4.4, apart=9),
    pegs=5,
)

# --- amplifiers -----------------------------------------------------------------------------------------------------

SHADOW = shadow(60, y=137)
HANDLE = line("M60 37C62 26 98 26 100 37", DARK, 5)
COMBO = (
    SHADOW
    + HANDLE
    + "<rect x='22' y='36' width='116' height='100' rx='7' fill='url(#b)'/>"
    + fill("M30 44H130V61H30z", "#d9d5cb")
    + dots("M42 52.5H118", DARK, size=6.4, apart=12.6)
    + fill("M30 66H130V128H30z", "#8f8674")
    + line("M30 97H130", "#b9af99", 62, dashes="1.6 1.4")
    + fill("M36 72H62V78H36z", STEEL)
    + "<circle cx='122' cy='70' r='2.4' fill='#f54' stroke='#fff' stroke-width='.8'/>"
)
HEAD = (
    SHADOW
    + line("M66 31C67 23 93 23 94 31", DARK, 4)
    + "<rect x='27' y='30' width='106' height='34' rx='5' fill='url(#b)'/>"
    + fill("M34 47H126V58H34z", "#d8b568")
    + dots("M42 52.5H118", DARK, size=5, apart=9.5)
    + line("M36 39H62", CREAM, 3.4)
    + "<rect x='24' y='68' width='112' height='68' rx='5' fill='url(#b)'/>"
    + fill("M31 75H129V129H31z", "#26252a")
    + dots("M55 102H105", "#3b3a41", size=44, apart=49)
    + dots("M55 102H105", "#2c2b31", size=15, apart=49)
    + line("M31 102H129", "#000", 54, dashes=".7 1.9")
)
CUBE = (
    SHADOW
    + HANDLE
    + "<rect x='28' y='36' width='104' height='100' rx='8' fill='url(#b)'/>"
    + fill("M36 43H124V55H36z", STEEL)
    + dots("M44 49H116", DARK, size=5.6, apart=12)
    + fill("M36 60H124V129H36z", "#2b2a2e")
    + "<circle cx='80' cy='95' r='31' fill='#45434a' stroke='#17161a' stroke-width='4'/>"
    + "<circle cx='80' cy='95' r='11' fill='#2a292e'/>"
    + line("M36 94.5H124", "#111", 69, dashes=".7 2.2")
    + dots("M40 64H120M40 125H120", STEEL, size=2.4, apart=80)
)

# --- effects --------------------------------------------------------------------------------------------------------

FLOOR = shadow(40, y=139)
JACKS = fill("M44 62h10v12H44zM106 62h10v12h-10z", "#888")
LAMP = "<circle cx='80' cy='39' r='2.8' fill='#f54'/>"
COMPACT = (
    FLOOR
    + JACKS
    + "<rect x='50' y='26' width='60' height='112' rx='5' fill='url(#b)'/>"
    + dots("M62 46H98", DARK, size=12, apart=18)
    + line("M62 46V41M80 46V41M98 46V41", "#fff", 1.4)
    + "<circle cx='80' cy='33' r='2.4' fill='#f54'/>"
    + line("M58 64H102", "{trim}", 5)
    + line("M58 72H84", "{trim}", 2)
    + "<rect x='54' y='80' width='52' height='53' rx='4' fill='{deep}' stroke='{light}' stroke-width='1.4'/>"
    + "<rect x='60' y='86' width='40' height='41' rx='3' fill='#222'/>"
    + line("M60 106.5H100", "#333", 33, dashes="2 3")
)
STOMP = (
    FLOOR
    + JACKS
    + "<rect x='50' y='26' width='60' height='112' rx='8' fill='url(#b)' stroke='{deep}'/>"
    + dots("M65 52H95", INK, size=17, apart=30)
    + line("M65 52L61 45M95 52L99 45", "#fff", 1.8)
    + LAMP
    + line("M60 80H100", "{trim}", 8)
    + line("M66 90H94", "{trim}", 2.4)
    + "<circle cx='80' cy='116' r='10.5' fill='#888'/><circle cx='80' cy='116' r='7.5' fill='#eee'/>"
)
MINI = (
    shadow(30, y=139)
    + fill("M52 70h8v11h-8zM100 70h8v11h-8z", "#888")
    + "<rect x='58' y='28' width='44' height='110' rx='6' fill='url(#b)' stroke='{deep}'/>"
    + "<circle cx='80' cy='52' r='14' fill='#222'/><circle cx='80' cy='52' r='10' fill='#3c3b40'/>"
    + line("M80 50V41", "#fff", 2.2)
    + "<circle cx='80' cy='75' r='2.6' fill='#f54'/>"
    + line("M65 87H95", "{trim}", 6)
    + "<circle cx='80' cy='117' r='10' fill='#888'/><circle cx='80' cy='117' r='7' fill='#eee'/>"
)
TREADLE = (
    FLOOR
    + fill("M44 36h8v14h-8zM108 36h8v14h-8z", "#888")
    + "<path fill='url(#b)' stroke='{deep}' d='M54 24H106L113 138H47Z'/>"
    + fill("M59 32H101L106 128H54Z", "#1d1c1f")
    + line("M80 34V126", "#37363b", 42, dashes="3 3.4")
    + fill("M58 72H102V86H58z", "{deep}")
    + line("M66 79H94", "{trim}", 4)
)
FLOORBOARD = (
    shadow(66, y=125)
    + "<path fill='url(#b)' stroke='{deep}' d='M20 46H140L146 124H14Z'/>"
    + "<rect x='54' y='54' width='52' height='28' rx='3' fill='#14202b'/>"
    + line("M60 72L68 64L76 72L84 62L92 74L100 66", "#7fe0d0", 2.4)
    + dots("M32 58V76M128 58V76", STEEL, size=9, apart=18)
    + dots("M36 107H126", "#777", size=18, apart=29.3)
    + dots("M36 107H126", "#eceded", size=12, apart=29.3)
    + dots("M36 93H126", "#f54", size=3.4, apart=29.3)
)
SUPPLY = (
    shadow(58, y=124)
    + line("M44 62C40 30 70 40 66 22M80 62C78 40 96 44 92 22M116 62C118 40 124 44 120 22", INK, 3)
    + "<rect x='24' y='60' width='112' height='64' rx='6' fill='url(#b)'/>"
    + dots("M44 76H116", "#0d0d0e", size=13, apart=18)
    + dots("M44 76H116", STEEL, size=5, apart=18)
    + dots("M44 90H116", "#6fd08c", size=3.2, apart=18)
    + line("M36 108H90", "{trim}", 5)
)
PEDALBOARD = (
    shadow(66, y=132)
    + "<path fill='url(#b)' d='M18 40H142L150 130H10Z'/>"
    + line("M19 62H141M16 84H144M14 108H146", "#0f0f10", 5)
    + fill("M28 48h21v36H28z", "#d9823b")
    + fill("M56 48h21v36H56z", "#5f9d6e")
    + fill("M84 48h21v36H84z", "#4a86bd")
    + fill("M112 48h21v36H112zM88 92h50v32H88z", "#d3d6d9")
    + fill("M23 92h24v32H23zM55 92h24v32H55z", "#a94345")
    + dots("M38.5 76H122.5M35 116H67M96 116H130", DARK, size=7, apart=28)
    + dots(
        "M33.5 55V56M43.5 55V56M61.5 55V56M71.5 55V56M89.5 55V56M99.5 55V56M117.5 55V56M127.5 55V56",
        CREAM,
        size=5,
        apart=9,
    )
)

# --- strings, straps, picks, cables ---------------------------------------------------------------------------------


def packet(metal: str, *, gauge: float) -> str:
    """A square packet with one string coiled before it."""
    return (
        "<rect x='28' y='24' width='92' height='92' rx='3' fill='url(#b)' transform='rotate(-5 74 70)'/>"
        "<g transform='rotate(-5 74 70)'>"
        + fill("M28 42H120V68H28z", "{trim}")
        + line("M38 51H92", "{deep}", 6)
        + line("M38 60H72", "{deep}", 2.4)
        + "</g>"
        + f"<g stroke='{metal}' stroke-width='{gauge:g}'>"
        "<circle cx='102' cy='100' r='35'/><circle cx='101' cy='101' r='31'/></g>"
        + line("M134 86C142 74 132 62 120 70", metal, gauge)
        + "<circle cx='118' cy='71' r='3.4' fill='#c9a24d' stroke='#8a6a28'/>"
    )


BAND = "M30 132C6 96 52 84 76 92C112 104 150 88 128 50C120 38 112 34 106 28"
STRAP = (
    line(BAND, "{deep}", 21)
    + line(BAND, "{light}", 17.4)
    + line(BAND, "{trim}", 11.6)
    + line(BAND, "{light}", 10.4)
    + line("M108 31L97 18", "#33221a", 13)
    + line("M29 129L35 142", "#33221a", 13)
    + dots("M96 17H97M35 143H36", ROSE, size=4, apart=9)
    + line("M84 83L80 105M92 86L88 107", STEEL, 2.6)
)
LEATHER_STRAP = (
    line(BAND, "{deep}", 22)
    + line(BAND, "{light}", 19)
    + line(BAND, "{trim}", 14.6, dashes="2.6 2")
    + line(BAND, "{light}", 13)
    + line("M108 31L97 18", "{deep}", 14)
    + line("M29 129L35 142", "{deep}", 14)
    + dots("M96 17H97M35 143H36", ROSE, size=4, apart=9)
    + dots("M120 42L130 56", ROSE, size=2.6, apart=5.6)
)
LOCKS = (
    "<circle cx='54' cy='92' r='27' fill='{deep}'/><circle cx='54' cy='89' r='27' fill='{light}'/>"
    "<circle cx='54' cy='89' r='15' fill='{deep}'/><circle cx='54' cy='87' r='8' fill='{light}'/>"
    "<circle cx='108' cy='72' r='27' fill='{deep}'/><circle cx='108' cy='69' r='27' fill='{light}'/>"
    "<circle cx='108' cy='69' r='15' fill='{deep}'/><circle cx='108' cy='67' r='8' fill='{light}'/>"
)
PLECTRUM = "M0 40C-8 40-34 2-34-16C-34-30-18-34 0-34C18-34 34-30 34-16C34 2 8 40 0 40Z"
PICK = (
    "<g stroke='{deep}' transform='translate(12 13) scale(.85)'>"
    f"<path fill='{{deep}}' transform='translate(50 92) rotate(-24)' d='{PLECTRUM}'/>"
    f"<path fill='{{light}}' transform='translate(112 88) rotate(22)' d='{PLECTRUM}'/>"
    f"<path fill='url(#b)' stroke-width='1.4' transform='translate(81 72)' d='{PLECTRUM}'/></g>"
    + line("M69 64H93", "{trim}", 5)
    + line("M74 73H88", "{trim}", 2.4)
)


def plug(transform: str) -> str:
    """A jack plug, its tip upwards."""
    return (
        f"<g transform='{transform}'>"
        + fill("M-5 0H5V24H-5zM-3.6 24h7.2l-1 9h-5.2z", "#3a393d")
        + fill("M-5.6 0h11.2v4H-5.6zM-2.4 0H2.4V-14H-2.4zM-2.2-15.4L0-21L2.2-15.4z", STEEL)
        + "</g>"
    )


COIL = "M38 68a42 40 0 1 1 84 0a42 40 0 1 1-84 0M46 70a34 33 0 1 1 68 0a34 33 0 1 1-68 0M54 66a27 27 0 1 1 54 0"
TAILS = "M44 90C50 112 52 108 52 122M116 88C110 112 108 108 108 122"
CABLE = (
    "<g transform='translate(4 -3) scale(.95)'>"
    + line(COIL + TAILS, "{deep}", 7.6)
    + line(COIL + TAILS, "{light}", 4.6)
    + fill("M72 22h15v24h-15z", INK)
    + plug("translate(52 142) rotate(180)")
    + plug("translate(108 142) rotate(180)")
    + "</g>"
)
ELBOW = fill("M-8-9H9Q12-9 12-6V6Q12 9 9 9H-8z", "#3a393d") + fill(
    "M-5.6-9V-14H0V-9zM-4.6-14h3.6V-29h-3.6zM-4.6-30L-2.8-35L-1-30z", STEEL
)
PATCH = (
    "<g transform='translate(-33 -41) scale(1.4)'>"
    + line("M50 92C70 128 92 44 116 84", "{deep}", 8)
    + line("M50 92C70 128 92 44 116 84", "{light}", 5)
    + f"<g transform='translate(44 84) rotate(-8)'>{ELBOW}</g>"
    + f"<g transform='translate(118 92) rotate(172)'>{ELBOW}</g></g>"
)

# --- cases, tuners, stands and the rest -----------------------------------------------------------------------------

OUTLINE = (
    "M-8-106Q0-110 8-106L10-26C22-26 31-16 30-2C29 8 27 14 30 24C36 34 38 46 36 58C33 76 18 82 0 82"
    "C-18 82-33 76-36 58C-38 46-36 34-30 24C-27 14-29 8-30-2C-31-16-22-26-10-26Z"
)
HARD_CASE = lay(
    body(OUTLINE, edge="{deep}", width=3)
    + line("M-4-98L4-98L6-21C20-22 26-12 25 0C23 12 25 20 26 28C40 60 18 76 0 76", "{light}", 1.4)
    + dots("M9.4-80V-40M31 6V7M36.4 48V49", "#db7", size=5.4, apart=24)
    + line("M33 10C44 14 44 32 35 36", DARK, 4.6)
    + line("M-16 40H16", "{trim}", 7),
    x=75,
    y=83,
    scale=0.92,
)
GIG_BAG = lay(
    line("M34 4C50 10 50 34 37 38", "{deep}", 4.6)
    + body(OUTLINE, edge="{deep}", width=2)
    + line(
        "M-6-101L-7-22C-20-24-27-14-26 0C-24 10-25 16-28 26C-40 64-18 77 0 77",
        "{trim}",
        1.4,
        dashes="2.2 1.2",
    )
    + "<path fill='{deep}' stroke='{light}' d='M-22 30H22C32 44 32 60 26 66C12 74-12 74-26 66C-32 60-32 44-22 30Z'/>"
    + line("M-19 35H19", "{trim}", 1.6, dashes="2.2 1.2")
    + "<rect x='-5' y='-72' width='10' height='34' rx='3' fill='{deep}' stroke='{light}'/>"
    + line("M-8 52H8", "{trim}", 5),
    x=75,
    y=83,
    scale=0.92,
)
CLIP_TUNER = (
    fill("M66 96H94V112L104 140H88L80 122L72 140H56L66 112Z", "#3a393d")
    + "<circle cx='80' cy='98' r='8' fill='#888'/>"
    + "<rect x='36' y='26' width='88' height='66' rx='14' fill='url(#b)' stroke='{deep}' stroke-width='2'/>"
    + "<rect x='44' y='34' width='72' height='50' rx='8' fill='#12202a'/>"
    + line("M53 64A30 30 0 0 1 107 64", "#f0b94a", 4, dashes="2 4.2")
    + line("M80 72V46", "#7fe08f", 3)
    + dots("M80 75V76", "#7fe08f", size=7, apart=9)
)
PEDAL_TUNER = (
    FLOOR
    + JACKS
    + "<rect x='50' y='26' width='60' height='112' rx='7' fill='url(#b)' stroke='{deep}'/>"
    + "<rect x='56' y='33' width='48' height='42' rx='4' fill='#12161b'/>"
    + line("M64 43H96", "#5fd0f0", 3, dashes="3 3.4")
    + line("M75 68V53L85 68V53", "#f54", 3.4)
    + line("M66 86H94", "{trim}", 5)
    + "<circle cx='80' cy='115' r='10.5' fill='#888'/><circle cx='80' cy='115' r='7.5' fill='#eee'/>"
)
STAND = (
    shadow(52, y=141)
    + line("M80 44L44 140M80 44L116 140M80 44L86 128", "{deep}", 6)
    + line("M80 92V24", "{light}", 5)
    + line("M64 14V24Q80 34 96 24V14", "{deep}", 7)
    + line("M48 112Q80 122 112 112", "{deep}", 5)
    + line("M50 112V102M110 112V102", "#c9553b", 7)
    + "<circle cx='80' cy='60' r='6' fill='#c9553b'/>"
)
HANGER = (
    "<rect x='56' y='22' width='48' height='58' rx='8' fill='url(#b)' stroke='{deep}' stroke-width='2'/>"
    + dots("M80 33V69", STEEL, size=5, apart=36)
    + line("M80 51V98", "#77797e", 8)
    + line("M46 136V116Q46 100 62 100H98Q114 100 114 116V136", DARK, 11)
    + line("M46 136V128M114 136V128", "#57565b", 12)
)
CAPO = (
    line("M52 46L128 62", "#55545a", 19)
    + line("M52 49L128 65", "#2f2e33", 12)
    + line("M50 46C30 52 34 70 44 84L70 132", "{deep}", 15)
    + line("M50 45C30 51 34 69 44 83L70 130", "{light}", 10)
    + line("M44 76C64 84 78 96 96 124", "{deep}", 14)
    + line("M44 75C64 83 78 95 96 122", "{light}", 9)
    + "<circle cx='45' cy='74' r='6' fill='#c9ccd0' stroke='#77797e' stroke-width='2'/>"
)
BOTTLE = (
    shadow(34, y=140)
    + fill("M70 20H90V40H70z", DARK)
    + "<path fill='url(#b)' stroke='{deep}' d='M72 40H88C90 52 106 54 106 68V132Q106 139 99 139H61Q54 139 54 132V68"
    "C54 54 70 52 72 40Z'/>"
    + fill("M54 80H106V122H54z", "{trim}")
    + line("M62 92H98", "{deep}", 6)
    + line("M62 104H90M62 112H82", "{deep}", 2.4)
    + line("M61 72V132", "#fff", 2.4)
)
CLOTH = (
    "<path fill='{deep}' d='M28 52L92 26L136 84L74 132Z'/>"
    "<path fill='url(#b)' d='M22 62Q56 46 88 34Q108 60 130 92Q96 108 66 128Q48 92 22 62Z'/>"
    + line(
        "M29 64Q58 50 85 41Q103 64 121 89Q94 102 69 119Q51 88 29 64Z", "{trim}", 1.6, dashes="3 2"
    )
    + line("M60 84L96 68M68 96L92 86", "{trim}", 4)
)
SLIDE = (
    "<g transform='translate(80 82) rotate(35)'>"
    + fill("M-21-50V46A21 9 0 0 0 21 46V-50Z", "{deep}")
    + fill("M-19-50V46A19 8 0 0 0 19 46V-50Z", "{light}")
    + "<ellipse cy='-50' rx='21' ry='9' fill='{deep}'/><ellipse cy='-50' rx='15' ry='6' fill='#2a2827' opacity='.75'/>"
    + line("M-11-32V44", "#fff", 4)
    + "</g>"
)
WINDER = (
    line("M52 64H110", "{deep}", 15)
    + line("M52 63H110", "{light}", 9)
    + line("M52 66V124", "{deep}", 24)
    + line("M51 66V122", "{light}", 16)
    + fill("M92 28H128V72H92z", "{deep}")
    + fill("M92 28H122V70H92z", "{light}")
    + fill("M100 22H120V46H100z", "#111")
)

DRAWINGS: Final = {
    "tele": (SKY, lay(TELE)),
    "strat": (SKY, lay(STRAT)),
    "super": (SKY, lay(SUPER)),
    "single-cut": (SKY, lay(SINGLE_CUT)),
    "double-cut": (SKY, lay(DOUBLE_CUT)),
    "offset": (SKY, lay(OFFSET)),
    "semi-hollow": (SKY, lay(SEMI_HOLLOW)),
    "dreadnought": (SKY, lay(DREADNOUGHT, x=72, y=84, scale=0.96)),
    "cutaway": (SKY, lay(CUTAWAY, x=72, y=84, scale=0.96)),
    "classical": (SKY, lay(CLASSICAL, x=73, y=83, scale=0.96)),
    "bass": (SKY, lay(BASS, x=70, y=90, scale=0.94)),
    "active-bass": (SKY, lay(ACTIVE_BASS, x=70, y=90, scale=0.94)),
    "combo": (MIST, COMBO),
    "head": (MIST, HEAD),
    "cube": (MIST, CUBE),
    "compact": (SAGE, COMPACT),
    "stomp": (SAGE, STOMP),
    "mini": (SAGE, MINI),
    "treadle": (SAGE, TREADLE),
    "floorboard": (SAGE, FLOORBOARD),
    "supply": (SAGE, SUPPLY),
    "pedalboard": (SAGE, PEDALBOARD),
    "strings": (ROSE, packet("#a7abb1", gauge=1.3)),
    "bronze-strings": (ROSE, packet("#b9793a", gauge=1.5)),
    "nylon-strings": (ROSE, packet("#d8cdb4", gauge=1.7)),
    "bass-strings": (ROSE, packet("#8e9298", gauge=3)),
    "strap": (ROSE, STRAP),
    "leather-strap": (ROSE, LEATHER_STRAP),
    "locks": (ROSE, LOCKS),
    "pick": (ROSE, PICK),
    "cable": (LILAC, CABLE),
    "patch": (LILAC, PATCH),
    "hard-case": (LILAC, HARD_CASE),
    "gig-bag": (LILAC, GIG_BAG),
    "clip-tuner": (MIST, CLIP_TUNER),
    "pedal-tuner": (MIST, PEDAL_TUNER),
    "stand": (LILAC, STAND),
    "hanger": (LILAC, HANGER),
    "capo": (MIST, CAPO),
    "bottle": (SAGE, BOTTLE),
    "cloth": (SAGE, CLOTH),
    "slide": (SAGE, SLIDE),
    "winder": (SAGE, WINDER),
}
