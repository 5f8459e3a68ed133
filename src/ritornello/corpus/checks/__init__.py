"""From the bytes of a file to its fate, and the Score if it is worth keeping."""
