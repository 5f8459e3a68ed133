"""How is a score played? Timing, velocity, articulation, pedal and tempo are added to notes on the grid."""
