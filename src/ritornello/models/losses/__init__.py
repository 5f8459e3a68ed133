"""Losses, one file each; `curve` is the shape of the note's, shared by all."""
