"""What examples/bundled.py is made of.

rights       who may use a file: notices, those that are allowed, the ledger of all files used
abc_text     ABC files cut into tunes > abc_music: the bars that are written > abc_tunes: Scores
music_xml    string quartets in MusicXML as Scores
chorales     the JSB chorales on their grid, put into bars
sources      the songs of each label, written as .mid
finishing    a trained model as it ships
"""
