"""
The drawings of what goes with an instrument, from amplifiers to picks, each a template of SVG text (see `pictures`).
"""

from endcap.sample.strokes import (
    CREAM,
    DARK,
    INK,
    ROSE,
    STEEL,
    body,
    dots,
    fill,
    lay,
    line,
    shadow,
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
