"""
The drawings of what has strings: guitars and basses, each a template of SVG text (see `pictures`).

Upright, the neck's middle at x = 0 and the body's end near y = 80.
"""

from endcap.sample.strokes import (
    CREAM,
    DARK,
    MAPLE,
    ROSEWOOD,
    STEEL,
    body,
    dots,
    fill,
    line,
)

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
