"""The pitches that instruments of General MIDI can play.

These are sounding ranges with the extremes that soloists reach, as textbooks of orchestration give them
(Adler, The Study of Orchestration; Piston, Orchestration). They were written from memory and checked against
human songs, not against the books. Sections of strings, brass and voices have the range of all their members.
A program that is no single instrument (synthesisers, effects, tuned drums) has the range SYNTHESISER.
`python -m benchmarks rules FOLDER` counts the notes of human songs beyond them.
"""

from functools import lru_cache

SYNTHESISER = (12, 115)  # C0 to G8: lower pitches are hardly heard, higher ones only organs have

# (programs from 0, lowest pitch, highest pitch); middle C is 60
_RANGES: tuple[tuple[tuple[int, ...], int, int], ...] = (
    ((0, 1, 2, 3, 4, 5), 21, 108),  # pianos: A0-C8
    ((6,), 29, 91),  # harpsichord: F1-F6, in large ones to G6
    ((7,), 28, 96),  # clavinet
    ((8, 10), 48, 108),  # celesta, music box
    ((9,), 60, 108),  # glockenspiel, with the octave below of larger ones
    ((11,), 48, 96),  # vibraphone, of up to four octaves
    ((12,), 36, 96),  # marimba of five octaves
    ((13,), 53, 108),  # xylophone
    ((14,), 48, 84),  # tubular bells
    ((15,), 36, 96),  # dulcimer, hammered or cimbalom
    ((16, 17, 18), 24, 108),  # organs with drawbars: 16' to 1'
    ((19,), 12, 120),  # pipe organ: 32' to 1'
    ((20, 21), 29, 103),  # harmonium, accordion, with their octave stops
    ((22,), 43, 98),  # harmonica
    ((23,), 36, 95),  # bandoneon
    ((24, 25, 26, 27, 28, 29, 30), 28, 91),  # guitars: E2-E6, down to eight strings
    ((31,), 40, 103),  # harmonics of a guitar
    ((32, 33, 34, 35, 36, 37), 21, 79),  # basses: five strings up to the eighth harmonic
    ((40, 110), 55, 105),  # violin, fiddle
    ((41,), 48, 93),  # viola
    ((42,), 36, 88),  # cello
    ((43,), 23, 79),  # double bass, with harmonics
    ((44, 45, 48, 49), 23, 105),  # strings
    ((46,), 23, 104),  # harp
    ((47,), 33, 62),  # timpani
    ((52, 53), 34, 91),  # voices: the deepest basses to the highest sopranos
    ((56, 59), 52, 91),  # trumpets
    ((57,), 28, 79),  # trombone, with pedal notes
    ((58,), 21, 70),  # tuba
    ((60,), 29, 81),  # horn
    ((61,), 21, 91),  # brass
    ((64,), 56, 96),  # soprano saxophone
    ((65,), 49, 92),  # alto
    ((66,), 44, 88),  # tenor
    ((67,), 36, 81),  # baritone
    ((68,), 58, 93),  # oboe
    ((69,), 52, 85),  # English horn
    ((70,), 34, 79),  # bassoon
    ((71,), 49, 96),  # clarinets in B flat and A
    ((72,), 74, 108),  # piccolo
    ((73,), 59, 99),  # flute
    ((74,), 53, 101),  # recorders, from tenor to sopranino
    ((75,), 55, 98),  # pan flute
    ((76, 77), 48, 96),  # blown bottle, shakuhachi
    ((78,), 60, 110),  # whistle
    ((79,), 57, 101),  # ocarina
    ((104,), 36, 86),  # sitar
    ((105,), 45, 88),  # banjo
    ((106,), 45, 88),  # shamisen
    ((107,), 36, 98),  # koto
    ((108,), 45, 98),  # kalimba
    ((109,), 43, 91),  # bagpipes, with drones
    ((111,), 55, 93),  # shanai
    ((114,), 33, 96),  # steel drums, from bass to soprano
)


@lru_cache(maxsize=1)
def _by_program() -> tuple[tuple[int, int], ...]:
    ranges = [SYNTHESISER] * 128
    for programs, lowest, highest in _RANGES:
        for program in programs:
            ranges[program] = lowest, highest
    return tuple(ranges)


def pitch_range(program: int) -> tuple[int, int]:
    """The lowest and the highest pitch that the instrument of a program (0-127) can play."""
    return _by_program()[program]
