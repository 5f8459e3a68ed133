"""What the representation `notes` is made of: codes, canonical songs, the clock, chords, the cursor."""
