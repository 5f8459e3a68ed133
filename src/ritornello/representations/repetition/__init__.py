"""Three candidates for the next note, computed for the network so that it need not find repetitions itself.

`echo`: the note that followed the longest matching context. `alone`: the same within one part, hand or drum.
`form`: the next note of the bar to which the present bar returns. Each module has a function for whole songs
(numpy, for `Notes.encode`) and a class for one note at a time (for the cursor). `test_cursor.py` checks that
both are equal, and `test_repetition.py` compares them with slow implementations of their definitions.
"""
