"""Music without files: scores, bars, plans, keys and chords."""
