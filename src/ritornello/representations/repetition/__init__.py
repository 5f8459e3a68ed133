"""Three candidates for the next row, told to the network so that it need not remember: echo, alone, form.

Each is there twice: for whole songs in numpy, and note by note for the cursor; tests prove them equal.
"""
