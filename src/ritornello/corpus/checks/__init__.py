"""Check one file: its outcome, its Score, and chord labels written as notes."""
