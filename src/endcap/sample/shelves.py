"""
The price list of the sample shop, shelf by shelf.

Written as people write one, and read by `products`. The brands exist; prices, stock, dates and praise are ours.

A row is `brand | model | price | colours | facts`, with the description on the next line:

* the price may be `849 < 949`: reduced from 949;
* every colour is a product of its own; `!` behind it says sold out, `?` says to order;
* facts are `name=value`. `look` picks another picture than the shelf's, `introduced` a date; all others become fields.

Identities count up from the shelf's first number, so a row is appended and never inserted, and a shelf keeps room to
grow. Shelves of a family, and the rows of a shelf, stand roughly in the order in which they sell.
"""

from typing import Final

from msgspec import Struct


class Shelf(Struct, frozen=True):
    """Products of one category. A family is what a shopper wants one of; it may fill several shelves."""

    family: str
    first: int
    categories: tuple[str, ...]
    look: str
    rows: str
    margin: float | None = None


ELECTRIC = ("Guitars", "Electric guitars")
ACOUSTIC = ("Guitars", "Acoustic guitars")
BASSES = ("Guitars", "Bass guitars")

SHELVES: Final = (
    Shelf("electric", 123, (*ELECTRIC, "T-style"), "tele", """
Fender | Telecaster | 849 | butterscotch | series=Standard
    Ash body, bolted maple neck, two single coils and a plain switch. Bright, dry, impossible to hide behind.
Squier | Affinity Telecaster | 269 | black, white | series=Affinity
    A light first T-style with a slim neck, set up in our workshop before it is sent.
Fender | Player II Telecaster | 799 < 849 | sunburst, black, red? | series=Player
    Alder body and a rolled fingerboard edge that feels played in from the first evening.
Squier | Classic Vibe 50s Telecaster | 449 | butterscotch, white | series=Classic Vibe
    The old look with tall frets and pickups that bite: much guitar for the money.
Fender | American Professional II Telecaster | 1799 | sunburst, blue | series=American Professional
    Three brass saddles cut for intonation and a neck heel that lets you reach the top frets.
Harley Benton | TE-52 | 179 | natural
    A rustic T-style for the second tuning, the rehearsal room or the first band.
Fender | Vintera II 60s Telecaster | 1149 | green | introduced=2026-09-14, series=Vintera
    Thin lacquer, round frets and softly wound pickups, for everybody who plays slower than he could.
"""),
    Shelf("electric", 140, (*ELECTRIC, "S-style"), "strat", """
Fender | Player II Stratocaster | 799 | sunburst, black, white, red | series=Player
    Three single coils, five sounds, one tremolo: the electric guitar that most people picture.
Squier | Affinity Stratocaster | 259 | sunburst, blue, black! | series=Affinity
    Comfortable, light and in tune. Where many of our customers began.
Yamaha | Pacifica 112 | 339 | natural, red, black
    A humbucker at the bridge and two single coils: one guitar for the whole school band.
Fender | American Professional II Stratocaster | 1849 | sunburst, turquoise | series=American Professional
    A stage guitar without excuses, with a push switch that adds the neck pickup to any sound.
Squier | Classic Vibe 60s Stratocaster | 449 < 499 | sunburst, turquoise | series=Classic Vibe
    Glassy, slightly hollow tones in the finish of a summer long ago.
PRS | SE Silver Sky | 949 | white, pink?
    A rounder take on three single coils, with a narrow nut and a bone-dry middle position.
Fender | Vintera II 50s Stratocaster | 1149 | red | series=Vintera
    A deep soft-V neck and a single layer of white plastic: fewer parts, more wood.
"""),
    Shelf("electric", 165, (*ELECTRIC, "Modern"), "super", """
Ibanez | RG421 | 399 | black, blue
    Two humbuckers, a fixed bridge and a neck as flat as a table. Made for fast hands.
Ibanez | AZES40 | 299 | turquoise, black
    A gentle start into modern guitars: short scale, smooth frets, no surprises.
Jackson | Dinky JS22 | 229 | black, red | introduced=2025-09-01
    Pointed headstock, hot pickups and a tremolo that forgives beginners.
Ibanez | RG550 | 1099 | yellow, purple
    Locking tremolo and a five-piece neck. Loud colours are part of the contract.
Schecter | Omen Extreme-6 | 529 < 599 | cherry?
    Mahogany below, figured maple above, and enough output for any low tuning.
Charvel | Pro-Mod DK24 | 1199 | green | introduced=2026-10-05
    Roasted maple, stainless steel frets and a heel that is hardly there.
Ibanez | RG7421 | 479 | black | strings=7
    A seventh string for everything below the rest of the band.
"""),
    Shelf("electric", 185, (*ELECTRIC, "Single-cut"), "single-cut", """
Epiphone | Les Paul Standard 60s | 649 | sunburst, cherry | series=Les Paul
    Slim neck, long sustain and a maple cap: the heavy sound at a light price.
Gibson | Les Paul Standard 50s | 2699 | sunburst, gold | series=Les Paul
    A thick neck, a carved top, and notes that are still there when you come back.
Epiphone | Les Paul Special | 259 | black, sunburst | series=Les Paul
    Flat top, two humbuckers, four knobs. Nothing between you and the amplifier.
Harley Benton | SC-450 | 189 | sunburst, black!
    A set of humbuckers and a glued-in look for less than a good pedal.
Gibson | Les Paul Studio | 1599 | cherry, black | series=Les Paul
    All of the voice and none of the binding, with weight taken out of the body.
ESP LTD | EC-256 | 499 | black, gold
    Thin at the edge and fast at the neck: the modern one among the single-cuts.
PRS | SE McCarty 594 | 949 | blue
    A vintage scale length and pickups that split into clean single coils.
Gretsch | G5220 Electromatic | 599 | silver | introduced=2026-08-24
    Chambered body and wide pickups that growl long before they shout.
"""),
    Shelf("electric", 205, (*ELECTRIC, "Double-cut"), "double-cut", """
Epiphone | SG Standard | 479 | cherry, white | series=SG
    Light, thin and willing: every fret can be reached without a twist of the arm.
Gibson | SG Standard | 1699 | cherry, black | series=SG
    Two horns, two humbuckers, one idea: louder.
Gibson | SG Tribute | 1199 < 1349 | brown | series=SG
    Satin walnut finish and a rounded maple neck that stays dry under hot lights.
Epiphone | SG Special | 229 | black | series=SG
    A first SG that weighs almost nothing.
"""),
    Shelf("electric", 215, (*ELECTRIC, "Offset"), "offset", """
Squier | Classic Vibe 60s Jazzmaster | 479 | white, sunburst | series=Classic Vibe
    Wide pickups, a floating bridge, and all those small switches that nobody else has.
Fender | Player II Jazzmaster | 899 | turquoise, sunburst? | series=Player
    Warm and wiry at once. At home wherever the chorus pedal never goes off.
Fender | Player II Mustang | 749 | red | series=Player
    Short scale, quick response, and a shape that suits small hands and small cars.
"""),
    Shelf("electric", 222, (*ELECTRIC, "Semi-hollow"), "semi-hollow", """
Ibanez | Artcore AS73 | 449 | brown, cherry
    A block of maple in the middle, air at both sides: sweet clean, tidy when driven.
Epiphone | ES-335 | 629 | cherry, sunburst | series=ES
    Plays jazz before midnight and blues after, without a change of guitar.
Gibson | ES-335 | 3299 | cherry, sunburst! | series=ES
    Thin maple layers, hot hide glue, and a note that blooms instead of breaking.
Gretsch | G2622 Streamliner | 549 < 579 | orange
    A centre block keeps it quiet on a loud stage; the looks do not.
"""),
    Shelf("acoustic", 240, (*ACOUSTIC, "Dreadnought"), "dreadnought", """
Yamaha | FG800 | 249 | natural, black, sunburst
    Solid spruce top and honest bracing. The guitar by which we measure others at its price.
Fender | CD-60S | 229 | natural, black
    Rolled edges and a low action, ready for the campfire the day it arrives.
Epiphone | J-45 | 799 | sunburst, natural
    Round shoulders and a dry, woody strum that leaves room for a voice.
Sigma | DM-1 | 279 | natural
    Light build, loud answer: a big dreadnought sound from a small workshop budget.
Taylor | Academy 10 | 899 | natural? | introduced=2025-10-06
    A bevel where the forearm rests and a neck that plays like an electric.
Martin | D-10E | 1149 | natural | electronics=yes
    All solid wood, a pickup under the saddle, and a soft bag to carry it in.
Gibson | J-45 Standard | 2999 | sunburst
    Thumpy lows, quick decay and eighty years of songs in the shape.
Martin | D-28 | 3499 | natural
    Spruce on rosewood: cannon in the bass, bells in the treble.
"""),
    Shelf("acoustic", 260, (*ACOUSTIC, "Concert"), "cutaway", """
Taylor | GS Mini | 699 | natural, brown
    Three quarters of the size and nearly all of the sound. Fits the overhead locker.
Yamaha | APX600 | 329 | black, sunburst | electronics=yes
    Thin body and a built-in pickup, for players who come from the electric.
Ibanez | AEG50 | 299 | black | electronics=yes
    A slim cutaway with a tuner in its side and no fear of the top frets.
Martin | LX1 Little Martin | 449 | natural
    The travel companion that still gets played once you are home.
Taylor | 114ce | 1099 < 1199 | natural | electronics=yes
    Even across all strings, so that every finger is heard.
Martin | 000-15M | 1749 | brown
    Mahogany all over: warm, close and quick, like somebody singing in the next chair.
Yamaha | FS800 | 259 | natural
    The smaller sister of our best-selling dreadnought, for smaller arms.
"""),
    Shelf("classical", 275, (*ACOUSTIC, "Classical"), "classical", """
Yamaha | C40 | 139 | natural, black
    The school guitar. Nylon strings, a wide neck, and nothing that can break.
Cordoba | C5 | 399 | natural
    Cedar top and mahogany back: mellow at once, and it opens further with the years.
Ortega | R121 | 189 | natural, red | size=3/4, introduced=2026-06-01
    A smaller body and a full tone for players from about nine years on.
Cordoba | C1M | 199 | natural!
    Fan-braced like the big ones, thin and light like none of them.
"""),
    Shelf("bass", 290, (*BASSES, "Four-string basses"), "bass", """
Squier | Affinity Precision Bass PJ | 279 | black, sunburst | strings=4, series=Affinity
    Split coil for the body, single coil for the growl, and a neck for normal hands.
Fender | Player II Precision Bass | 899 | sunburst, black | strings=4, series=Player
    The note that records were built upon. Plug in, turn up the tone or do not.
Fender | Player II Jazz Bass | 949 | sunburst, white | strings=4, series=Player
    Two pickups to blend and a narrow nut: quick, clear and a little nasal when you want it.
Squier | Classic Vibe 60s Jazz Bass | 499 | turquoise | strings=4, series=Classic Vibe
    Slender neck, alnico pickups, and a colour that calls for a matching van.
Sterling by Music Man | StingRay Ray4 | 349 | silver, black? | strings=4, look=active-bass
    One big humbucker and a two-band preamp: slap with your thumb and stand back.
Ibanez | SR300E | 389 | blue, grey | strings=4, look=active-bass
    A thin body and three bands of tone for players who change bands often.
Fender | Vintera II 60s Precision Bass | 1199 | red | strings=4, series=Vintera, introduced=2026-09-28
    A wide neck, flat strings from the works, and a thump that needs no pedal.
"""),
    Shelf("bass", 305, (*BASSES, "Five-string basses"), "active-bass", """
Ibanez | SR305E | 429 | black | strings=5
    A low B that stays firm on a neck that stays slim.
Yamaha | TRBX505 | 699 < 799 | brown | strings=5
    Mahogany, five-piece neck and a switch that turns the battery off when it matters.
Warwick | RockBass Corvette | 799 | natural, black | strings=5
    Dark, growling and compact. You hear the wood before you see it.
"""),
    Shelf("amp", 315, ("Amplifiers", "Guitar combos"), "combo", """
Boss | Katana-50 Gen 3 | 289 | black | watts=50, introduced=2025-06-16
    Five voices, effects inside and half a watt for late evenings. The one that we sell most.
Fender | Mustang LT25 | 169 | black | watts=25
    Thirty presets, a clear display, and headphones welcome.
Positive Grid | Spark 2 | 299 | black, cream | watts=50, introduced=2025-11-10
    A practice amp that listens to you and plays the drums.
Fender | Frontman 10G | 89 | black | watts=10
    Ten watts, two channels, one cable. Enough for the first year.
Fender | Blues Junior IV | 799 | black, tweed | watts=15
    Fifteen valve watts and a spring reverb. Small enough to carry up the stairs twice.
Vox | AC15C1 | 749 | black | watts=15
    Chime when soft, crunch when leaned on: the sound of jangling choruses.
Marshall | Origin 20C | 549 < 599 | black | watts=20
    One channel, valve warmth, and a switch that tames it for the living room.
Yamaha | THR10II | 309 | cream | watts=20
    Looks like a radio, sits on a shelf, sounds like a stack.
Orange | Crush 20 | 149 | orange | watts=12
    Two channels with real bite, in a colour that nobody trips over.
Fender | 65 Deluxe Reverb | 1549 | black | watts=22
    Clean as a window, with vibrato and reverb that studios still rent by the day.
Vox | Pathfinder 10 | 99 | brown | watts=10
    A diamond grille and a bright voice for the desk.
Marshall | DSL40CR | 749 | black | watts=40
    From glass to gravel on two channels, and loud enough for any drummer.
"""),
    Shelf("amp", 330, ("Amplifiers", "Heads and stacks"), "head", """
Orange | Micro Terror | 159 | white | watts=20
    A valve in front, twenty watts behind, and it fits the gig bag's pocket.
Marshall | DSL20HR | 599 | black | watts=20
    A small head with a big family: goes with any cabinet of sixteen ohms.
EVH | 5150 Iconic 15 | 499 | cream, black? | watts=15
    Gain for several lifetimes and a gate that keeps it civil.
Orange | Rockerverb 50 | 1999 | orange | watts=50
    Thick, three-dimensional drive and a valve reverb behind it.
"""),
    Shelf("bass-amp", 337, ("Amplifiers", "Bass amplifiers"), "cube", """
Fender | Rumble 40 | 269 | black | watts=40, introduced=2026-03-02
    Light as a suitcase, with a contour switch that finds the mix by itself.
Ampeg | Rocket RB-108 | 189 | black | watts=30
    An eight-inch speaker with the manners of a bigger one.
Fender | Rumble 100 | 399 | black | watts=100
    Enough for a rehearsal with drums, and a line output for the hall.
Orange | Crush Bass 50 | 289 | orange | watts=50
    A built-in tuner, a gritty channel and that orange cloth.
"""),
    Shelf("acoustic-amp", 343, ("Amplifiers", "Acoustic amplifiers"), "combo", """
Fender | Acoustic 40 | 239 | brown | watts=40
    Two channels, voice and guitar, with a touch of hall on both.
Marshall | AS50D | 379 | brown | watts=50
    Chorus, reverb and a notch filter that stops feedback before you hear it.
Boss | Acoustic Singer Live LT | 399 | black! | watts=60
    Adds a second voice in tune with yours. Your duo partner may object.
"""),
    Shelf("pedal", 350, ("Effects", "Overdrive and distortion"), "compact", """
Boss | DS-1 Distortion | 65 | orange
    Hard edge, three knobs, millions of garages.
Ibanez | TS9 Tube Screamer | 149 | green | look=stomp
    A push in the middle that lets a solo step out of the band.
Boss | BD-2 Blues Driver | 115 | blue
    Follows your hand from whisper to bark.
Boss | SD-1 Super Overdrive | 69 | yellow
    Soft clipping with a slight lean to one side. The cheapest good idea on the board.
Electro-Harmonix | Big Muff Pi | 109 | silver | look=stomp
    A wall of sustain, scooped in the middle and heavy at both ends.
ProCo | RAT 2 | 109 < 119 | black | look=stomp
    Overdrive on the left, fuzz on the right, trouble in between.
Ibanez | Tube Screamer Mini | 79 | green | look=mini
    The green one, cut down to the size of a matchbox.
Dunlop | Fuzz Face Mini | 159 | blue, red | look=mini
    Two transistors and a battery: cleans up when you roll back the volume.
JHS | Morning Glory | 219 | gold | look=stomp, introduced=2026-10-12
    Transparent drive that adds hair without changing the face.
"""),
    Shelf("pedal", 365, ("Effects", "Delay and reverb"), "compact", """
Boss | DD-8 Digital Delay | 179 | white
    Eleven kinds of echo and a looper for the bus ride.
MXR | Carbon Copy | 169 | green | look=stomp
    Dark analogue repeats that stay politely behind the note.
TC Electronic | Hall of Fame 2 | 139 | red | look=stomp
    From tiled bathroom to cathedral, with a switch that feels how hard you press.
Boss | RV-6 Reverb | 149 | grey
    Eight rooms, no menu.
Electro-Harmonix | Holy Grail Nano | 139 | white | look=mini
    Spring, hall and one strange third thing. One knob.
Donner | Yellow Fall | 42 | yellow | look=mini
    A first delay that takes no space and little money.
Strymon | BigSky | 479 < 519 | blue | look=floorboard
    Twelve reverbs of studio grade, for those who play slowly on purpose.
TC Electronic | Flashback 2 | 149 | blue | look=stomp
    Warm echoes, and a crystal one that climbs an octave as it fades.
"""),
    Shelf("pedal", 378, ("Effects", "Modulation"), "stomp", """
MXR | Phase 90 | 99 | orange
    One knob, slow to fast: the sound turns its head.
Boss | CH-1 Super Chorus | 119 | turquoise | look=compact, introduced=2026-05-18
    Wide, clean shimmer for arpeggios and cold evenings.
Electro-Harmonix | Small Clone | 99 | silver
    The watery chorus of a whole decade, with a single switch for depth.
Boss | TR-2 Tremolo | 119 | green | look=compact
    Level up and down, softly or in squares.
TC Electronic | Corona Mini Chorus | 89 | turquoise? | look=mini
    Thickens clean chords and then gets out of the way.
"""),
    Shelf("pedal", 386, ("Effects", "Wah and dynamics"), "stomp", """
Dunlop | Cry Baby | 99 | black | look=treadle
    Rock your foot and it speaks.
MXR | Dyna Comp | 99 | red
    Squeezes loud and soft together: country's secret ingredient.
Boss | CS-3 Compression Sustainer | 115 | blue | look=compact
    Evens out fast lines and holds long ones.
Ernie Ball | VP Jr Volume | 109 | black | look=treadle
    A volume pedal on a cord, smooth from silence to everything.
Xotic | EP Booster | 129 | white! | look=mini
    A clean push with a little sugar on top. Many never turn it off.
Vox | V847 Wah | 105 | black | look=treadle
    The throaty old voice, in a housing that survives tours.
"""),
    Shelf("pedal", 395, ("Effects", "Loopers and multi-effects"), "floorboard", """
Boss | RC-1 Loop Station | 109 | red | look=compact
    Play, press, play along with yourself.
Zoom | G1X Four | 119 | black
    A pedal, sixty effects, a looper and a drummer in one small box.
Line 6 | HX Stomp | 599 | grey
    A whole rig with amplifiers in three footswitches.
TC Electronic | Ditto Looper | 99 | silver | look=mini
    One button, one knob, five minutes of memory.
Boss | GT-1 | 219 < 239 | grey
    Battery-powered, as light as a book, with the big ones' engine.
"""),
    Shelf("pedal-bass", 403, ("Effects", "Bass effects"), "stomp", """
Boss | ODB-3 Bass Overdrive | 119 | yellow | look=compact
    Grit on top, and the clean low end stays underneath.
MXR | M87 Bass Compressor | 219 | black
    Small lamps show what it does; your ears notice when it stops.
Electro-Harmonix | Bass Big Muff | 109 | green
    Fuzz with a dry switch, so that the floor keeps shaking.
"""),
    Shelf("power", 409, ("Effects", "Power and boards"), "supply", """
Harley Benton | PowerPlant Junior | 55 | black
    Eight outputs for a small board, with a lamp for each.
Boss | PSA-230S Adaptor | 29 | black
    Nine quiet volts for one pedal.
Voodoo Lab | Pedal Power 2 Plus | 199 | red
    Isolated outputs: no hum, whatever you mix.
Pedaltrain | Nano Plus | 69 | black | look=pedalboard
    Four or five pedals in a row, and it still fits under the seat.
Pedaltrain | Classic 2 | 159 | black | look=pedalboard
    Four rails, a soft case, and room for bad decisions.
""", margin=0.34),
    Shelf("strings-electric", 501, ("Accessories", "Strings", "Electric guitar strings"), "strings", """
Ernie Ball | Regular Slinky | 7.5 | yellow | gauge=10-46
    The set on most guitars that leave our workshop.
D'Addario | EXL110 | 7.9 | silver | gauge=10-46
    Round-wound nickel steel, even from string to string and from pack to pack.
Ernie Ball | Super Slinky | 7.5 | pink | gauge=9-42
    Light and quick, with bends that cost no effort.
Ernie Ball | Hybrid Slinky | 7.5 | orange | gauge=9-46
    Light at the top for leads, firm at the bottom for riffs.
D'Addario | EXL120 | 7.9 | purple | gauge=9-42
    Bright and soft under the finger.
Elixir | Nanoweb Light | 15.9 | blue | gauge=10-46
    A thin coating keeps sweat out of the windings, so they last for months.
D'Addario | NYXL1046 | 13.9 < 15.9 | black | gauge=10-46
    Stronger steel that comes back into tune after the widest bend.
Ernie Ball | Power Slinky | 7.5 | purple | gauge=11-48
    For lower tunings and heavier hands.
Fender | 250R Nickel Steel | 6.5 | red | gauge=10-46
    Made for three single coils and a long evening.
Ernie Ball | Not Even Slinky | 7.9 | black | gauge=12-56
    As thick as it gets before you need another guitar.
Gibson | Brite Wires | 8.9 | white | gauge=10-46
    A clear top end for thick-sounding guitars.
""", margin=0.42),
    Shelf("strings-acoustic", 515, ("Accessories", "Strings", "Acoustic guitar strings"), "bronze-strings", """
D'Addario | EJ16 Phosphor Bronze | 9.9 | orange | gauge=12-53
    Warm, balanced, and the first choice for dreadnoughts.
Elixir | Nanoweb Phosphor Bronze | 18.9 | brown | gauge=12-53
    Coated: the second month sounds like the first.
Martin | Authentic Acoustic SP | 9.5 | white | gauge=12-54
    Made by people who also build the guitars.
Ernie Ball | Earthwood Light | 8.9 | tweed | gauge=11-52
    Easy on new fingertips, bright on small bodies.
D'Addario | XS Phosphor Bronze | 17.9 | black | gauge=11-52
    A coating so thin that you only notice it by the calendar.
Elixir | Polyweb 80/20 | 18.5 | yellow? | gauge=11-52
    Smooth to the touch, with almost no squeak on recordings.
""", margin=0.42),
    Shelf("strings-nylon", 524, ("Accessories", "Strings", "Classical guitar strings"), "nylon-strings", """
D'Addario | EJ45 Pro-Arte | 9.5 | blue | tension=normal
    Clear nylon trebles, silvered basses: the teacher's default.
Augustine | Classic Blue | 9.9 | blue | tension=high
    A little more pull, and a singing first string.
Savarez | Alliance 540R | 14.9 | red | tension=normal
    Thin carbon trebles that carry to the last row.
D'Addario | EJ46 Pro-Arte | 9.5 | green | tension=high
    Firm under the right hand, loud without amplification.
""", margin=0.42),
    Shelf("strings-bass", 530, ("Accessories", "Strings", "Bass strings"), "bass-strings", """
D'Addario | EXL170 | 22.9 | silver | gauge=45-100, strings=4
    Bright nickel rounds for a long-scale bass.
Ernie Ball | Regular Slinky Bass | 23.9 | yellow | gauge=50-105, strings=4
    A firm middle gauge with a clear attack.
Rotosound | Swing Bass 66 | 24.9 | red | gauge=45-105, strings=4
    Stainless steel and a piano-like clang that lasts one tour.
Fender | 7250M Nickel Steel | 21.9 | cream | gauge=45-105, strings=4
    The sound of a new bass, whatever its age.
D'Addario | Chromes Flatwound | 39.9 < 44.9 | grey | gauge=45-100, strings=4
    Polished flat: thump, no squeak, and they last for years.
D'Addario | EXL170-5 | 28.9 | silver | gauge=45-130, strings=5
    With a low B that keeps its shape.
Elixir | Nanoweb Bass | 54.9 | blue | gauge=45-105, strings=4
    Costs twice as much, lasts four times as long.
""", margin=0.38),
    Shelf("strap", 555, ("Accessories", "Straps"), "leather-strap", """
Fender | Leather Strap | 49 | brown | material=leather, width=6 cm, introduced=2026-09-21
    Soft full-grain leather, suede inside, seven holes. Darkens with every rehearsal.
Ernie Ball | Polypro Strap | 9.9 | black, red, blue | material=polypropylene, width=5 cm, look=strap
    Plain, strong, adjustable: the strap that everybody has one of.
D'Addario | Woven Strap | 19.9 | red, turquoise | material=fabric, width=5 cm, look=strap
    A woven pattern on webbing that does not slip off the shoulder.
Levy's | Suede Strap | 34 | black, tweed | material=leather, width=6 cm
    Rough side down, so that the neck stays where you left it.
Fender | Monogram Strap | 22 | black, yellow | material=fabric, width=5 cm, look=strap
    Running letters on sturdy webbing with leather ends.
Gibson | Premium Leather Strap | 69 < 79 | black, brown | material=leather, width=6 cm
    Padded and broad, for guitars that take the word solid seriously.
Levy's | Padded Bass Strap | 59 | black | material=leather, width=9 cm
    Nine centimetres of padding under a heavy bass.
Souldier | Paisley Strap | 54 | purple!, orange | material=fabric, width=5 cm, look=strap
    Woven on an old loom, each a little different.
Ortega | Classical Guitar Strap | 18 | natural | material=cotton, width=4 cm, look=strap
    Hooks into the sound hole: no screw, no drill.
Ernie Ball | Strap Locks | 17.9 | silver, black | material=steel, look=locks
    Two buttons, two locks, no dropped guitar.
""", margin=0.52),
    Shelf("picks", 580, ("Accessories", "Picks"), "pick", """
Dunlop | Tortex Standard 12-Pack | 5.9 | yellow, green, orange | material=tortex
    Matt and grippy; the colour tells the gauge.
Dunlop | Jazz III 6-Pack | 4.9 | red, black | material=nylon
    Small, sharp and stiff: the fast player's pencil.
Fender | 351 Classic 12-Pack | 5.5 | brown, white | material=celluloid
    Rounded shoulders and a warm attack.
Dunlop | Nylon Standard 12-Pack | 5.9 | grey | material=nylon
    Bends before the string does. Lovely for strumming.
Ernie Ball | Everlast 12-Pack | 5.9 | blue | material=delrin
    Slow to wear, smooth off the string.
D'Addario | Duralin 10-Pack | 4.9 | purple | material=duralin
    A brushed grip for warm stages.
Dunlop | Big Stubby 6-Pack | 7.9 | purple? | material=lexan
    Three millimetres thick, with a hollow for the thumb.
""", margin=0.55),
    Shelf("cable", 600, ("Accessories", "Cables", "Instrument cables"), "cable", """
Fender | Professional Cable 3 m | 19.9 | black | length=3 m
    Thick shielding and plugs that can be screwed open.
Ernie Ball | Braided Cable 3 m | 24.9 | black, red | length=3 m
    A woven coat that does not tangle.
Fender | Deluxe Cable 5.5 m | 32 | tweed, black | length=5.5 m
    Tweed outside, quiet inside.
D'Addario | American Stage 4.5 m | 39 | black | length=4.5 m
    Low capacitance: the treble arrives as well.
Cordial | Peak 6 m | 44 < 49 | blue | length=6 m
    Built near here by people who answer the telephone.
Vox | Vintage Coil Cable 9 m | 39 | white, red | length=9 m
    A spiral that stretches across the stage and springs back.
Boss | Silent Cable 6 m | 36 | black | length=6 m
    Mutes itself when you change guitars.
""", margin=0.48),
    Shelf("patch", 615, ("Accessories", "Cables", "Patch cables"), "patch", """
Boss | Patch Cable 15 cm 3-Pack | 19.9 | black | length=15 cm
    Right angles at both ends, for pedals that stand close.
D'Addario | Classic Patch 3-Pack | 15.9 | black | length=15 cm
    Moulded plugs, three to a pack.
EBS | Flat Patch 18 cm | 11.9 | white | length=18 cm
    So flat that pedals stand side by side.
Ernie Ball | Flat Ribbon Patch | 13.9 | red | length=15 cm, introduced=2026-09-07
    A ribbon that folds round corners.
""", margin=0.5),
    Shelf("case-electric", 625, ("Accessories", "Cases and bags", "Electric guitar cases"), "gig-bag", """
Ritter | Bern Electric Bag | 69 | black, grey | case=gig bag
    Two centimetres of foam, rucksack straps and a pocket for the pedals.
Gator | Economy Electric Bag | 35 | black | case=gig bag
    Keeps rain and door frames away.
Fender | Tweed Hardshell Case | 179 | tweed | case=hard case, look=hard-case
    Wood, plush and four locks; opens like an old suitcase.
Gibson | Single-cut Hardshell Case | 199 | brown | case=hard case, look=hard-case
    Brown outside, pink plush inside, and fitted to the carved top.
Mono | Stealth Electric Case | 219 < 249 | black | case=gig bag
    A boot for the end pin and a collar for the neck.
""", margin=0.36),
    Shelf("case-acoustic", 633, ("Accessories", "Cases and bags", "Acoustic guitar cases"), "gig-bag", """
Ritter | Bern Acoustic Bag | 75 | black, brown | case=gig bag
    Made to measure for wide dreadnought hips.
Gator | Dreadnought Hardshell Case | 119 | black | case=hard case, look=hard-case
    Moulded, lockable, and light for what it survives.
Ortega | Classical Guitar Bag | 39 | brown | case=gig bag
    Full or three-quarter size, with a pocket for the footstool.
Martin | Arched Hardshell Case | 189 | black! | case=hard case, look=hard-case
    An arched lid keeps pressure off the top.
""", margin=0.36),
    Shelf("case-bass", 640, ("Accessories", "Cases and bags", "Bass cases"), "gig-bag", """
Ritter | Bern Bass Bag | 79 | black | case=gig bag
    The long one, with a padded neck cradle.
Gator | Bass Hardshell Case | 139 | black | case=hard case, look=hard-case
    For the back of the van, under the drums.
""", margin=0.36),
    Shelf("tuner", 650, ("Accessories", "Tuners"), "clip-tuner", """
Snark | ST-8 Super Tight | 19.9 | red, black
    Clips to any head, turns to any eye.
Boss | TU-3 Chromatic Tuner | 105 | white | look=pedal-tuner
    Bright lamps, a mute, and power for the pedal next to it.
D'Addario | Micro Headstock Tuner | 16.9 | black
    So small that the audience never sees it.
TC Electronic | PolyTune 3 | 99 < 109 | white | look=pedal-tuner
    Strum all six and see which one is out.
Korg | Pitchclip 2 | 14.9 | black
    Twenty-four hours of tuning from one coin cell.
Fender | Original Tuner | 17.9 | turquoise, orange | introduced=2026-07-06
    In the colours of the guitars, so it may stay on.
""", margin=0.4),
    Shelf("stand", 670, ("Accessories", "Stands"), "stand", """
Hercules | GS414B Stand | 45 | black
    The yoke closes by itself when the guitar hangs in it.
Fender | Mini Stand | 15.9 | black
    Folds flat and goes into the bag's pocket.
String Swing | Wall Hanger | 19.9 | natural, black, brown | look=hanger
    A guitar on the wall is a guitar that gets played.
K&M | Memphis 10 Stand | 39 | black, red
    Heavy foot, soft arms, spare parts for decades.
""", margin=0.4),
    Shelf("capo", 685, ("Accessories", "Capos"), "capo", """
Kyser | Quick-Change | 22 | black, silver, red
    One hand, one second, next key.
Dunlop | Trigger Capo | 19.9 | gold, black
    A strong spring and a curved pad for steel strings.
G7th | Performance 3 | 45 | silver
    Squeeze it closed: only as tight as the strings need.
D'Addario | NS Classical Capo | 17.9 | black
    Flat, for nylon-string necks.
""", margin=0.46),
    Shelf("care", 700, ("Accessories", "Care and tools"), "bottle", """
Dunlop | Formula 65 Polish | 8.9 | white
    Takes off fingerprints and leaves no film.
Dunlop | Lemon Oil 01 | 9.9 | yellow
    Once a year for dark fingerboards, and no more.
D'Addario | Pro-Winder | 12.9 | black | look=winder
    Winds, cuts and pulls pins: three tools in one hand.
Ernie Ball | Polish Cloth | 6.9 | yellow, grey | look=cloth
    Soft cotton for gloss and satin.
Fender | Care Kit | 24 | blue
    Polish, oil, cloth, and a page that says in which order.
Dunlop | Glass Slide | 12.9 | silver | look=slide
    Smooth and singing, for the ring finger.
Dunlop | Brass Slide | 14.9 | gold? | look=slide, introduced=2026-08-03
    Heavier and brighter: bottleneck with an edge.
D'Addario | Humidity Pack | 14.9 | green
    Keeps solid tops from cracking when the heating is on.
""", margin=0.44),
)  # fmt: skip
