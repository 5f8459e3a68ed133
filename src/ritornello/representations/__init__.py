"""Representations: a Score as rows of fields, and back. `table` says what one is."""
