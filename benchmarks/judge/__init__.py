"""Composed songs compared with held-out human songs."""
