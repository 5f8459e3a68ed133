"""The tests; folders mirror src/ritornello."""
