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

from endcap.sample.gear import (
    BOTTLE,
    CABLE,
    CAPO,
    CLIP_TUNER,
    CLOTH,
    COMBO,
    COMPACT,
    CUBE,
    FLOORBOARD,
    GIG_BAG,
    HANGER,
    HARD_CASE,
    HEAD,
    LEATHER_STRAP,
    LOCKS,
    MINI,
    PATCH,
    PEDAL_TUNER,
    PEDALBOARD,
    PICK,
    SLIDE,
    STAND,
    STOMP,
    STRAP,
    SUPPLY,
    TREADLE,
    WINDER,
    packet,
)
from endcap.sample.instruments import (
    ACTIVE_BASS,
    BASS,
    CLASSICAL,
    CUTAWAY,
    DOUBLE_CUT,
    DREADNOUGHT,
    OFFSET,
    SEMI_HOLLOW,
    SINGLE_CUT,
    STRAT,
    SUPER,
    TELE,
)
from endcap.sample.strokes import (
    CREAM,
    INK,
    LILAC,
    MIST,
    ROSE,
    SAGE,
    SKY,
    TORTOISE,
    lay,
)


class Paint(Struct, frozen=True):
    """A colour as light falls on it, in its shade, and what is screwed on it or printed over it."""

    light: str
    deep: str
    trim: str


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
