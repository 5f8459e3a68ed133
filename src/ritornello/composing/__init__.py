"""Composing, from a model and wishes to a song; numpy alone.

asking > planning > request      wishes in words, a plan in which nothing is open, one song to compose
sources                          what the user gave: a prompt, a tune, bars to redo
sampler > rules (ear) > draws    row by row: logits > grammar > rules > draw > put
making > usual                   jobs to songs with recipes; what is usual for a label, for the rules
recipe > building > splice       what made a song, the song from it, new notes written into old songs
reals                            the loop of networks of reals
"""
