"""Prepare a folder of MIDI files as a corpus, and diagnose what is wrong with its files."""
