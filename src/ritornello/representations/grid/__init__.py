"""The pieces of `notes`: vocabulary, canonical songs, shifts, chords, given notes, cursor, augmentation."""
