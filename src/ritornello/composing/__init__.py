"""Composing, from a model and a plan to a song; numpy alone.

sampler   rows drawn one after another
recipe    what made a song, as data and in words
"""
