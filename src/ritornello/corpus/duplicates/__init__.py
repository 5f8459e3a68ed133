"""Find the songs that duplicate another song, by sketches of their notes and melodies."""
