"""From a folder of MIDI files to a corpus, and the doctor that says what is wrong with the files."""
