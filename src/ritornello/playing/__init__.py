"""Play songs immediately, and play with a musician.

excerpt > sound > sound_output    choose bars and parts; render them as sound; send it to the loudspeaker
excerpt > messages > player       or turn them into MIDI messages; send each when it is due
ports, clocks                     MIDI ports, and the clock by which messages are timed
play                              the public function behind `ritornello play`

listening, beats                  collect the musician's notes; estimate their tempo, or follow a MIDI clock
answers, answer_process           compose the answer to a phrase, in another process
session > jam                     run a jam; the public function behind `ritornello jam`
"""
