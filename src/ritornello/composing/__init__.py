"""How a song is composed, with numpy alone. The stages and their modules:

options > parse_options          the options of the user: as texts, then as numbers
given_music                      a prompt, a melody, or a song of which bars are redone
choose_plan > draw_sketch        the plan; its sketch, from a file or the sketch network
request, song_requests           one song to compose, with all that is decided before its notes
sampler                          row by row: logits > grammar > sampling_rules > sampling
                                 (the rules read sampling_state, planned_parts, style_stats)
recipe > replay > merge_notes    the data of a song; the song from them; new notes in given music
generate, song, compose          songs in batches; a song with its recipe; the public functions
"""
