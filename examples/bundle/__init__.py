"""The parts of examples/bundled.py.

rights       licences of the sources, notices of rights, and the ledger of all files used
abc_text     split ABC files into tunes > abc_music: parse them into bars > abc_tunes: convert them to Scores
music_xml    string quartets in MusicXML as Scores
chorales     the JSB chorales, which lack bar lines, as Scores
sources      the songs of each label, written as .mid
finishing    the trained model as it ships
"""
