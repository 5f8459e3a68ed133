"""Which songs repeat another: sketches, how they are compared, and what that says of a corpus."""
