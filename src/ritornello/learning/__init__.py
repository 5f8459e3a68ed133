"""`ritornello learn`: from a folder of MIDI files to a model and songs in one command."""
