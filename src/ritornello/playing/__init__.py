"""Play songs at once, and play with a musician.

excerpt > sound > sound_output    the bars and parts that are played; as sound; to the loudspeaker
excerpt > messages > player       or as MIDI messages, each sent when it is due
ports, clocks                     MIDI ports and time; those inside the process are for tests
play                              the public function behind `ritornello play`

listening, beats                  what a musician plays; its tempo, or that of a MIDI clock
answers, answer_process           composing the answer to a phrase, in another process
session > jam                     a jam: whose turn it is; the public function behind `ritornello jam`
"""
