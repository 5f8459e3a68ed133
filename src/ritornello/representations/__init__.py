"""Representations, which turn a Score into rows of fields and back; `table` is their interface."""
