"""How a song is composed, with numpy alone. The stages and their modules:

options > parse_options          what the user asks, then as numbers
given_music                      a prompt, a melody, or a song of which bars are redone
choose_plan > draw_sketch        the plan; with its sketch, from a file and the sketch network
request                          one song to compose, with all that is decided before its notes
sampler                          row by row: logits > grammar > sampling_rules > sampling
                                 (the rules read sampling_state, closing_notes, style_stats)
recipe > replay > merge_notes    all that makes a song; the song from it; new notes in given music
generate, song, compose          songs in batches; a song with its recipe; the public functions
"""
