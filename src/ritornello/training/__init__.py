"""Training, from a corpus to a model folder.

folder      the folder of a run: one configuration, nobody else's files
batches     rows of songs, and the batch of every step as a pure function of (corpus, seed, step)
loop        steps, held-out measurements, the best weights kept
checkpoint  one file with everything that a killed run needs to go on bit for bit
export      the model folder: weights, tables for composing, card
"""
