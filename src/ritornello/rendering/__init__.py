"""Pictures, sound and sheet music of songs; curves; each function is in the module named after it."""
