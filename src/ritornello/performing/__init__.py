"""Perform songs: add timing, velocity, articulation, pedal and tempo changes to notes on the grid."""
