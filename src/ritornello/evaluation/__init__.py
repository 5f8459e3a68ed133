"""Measure how well a model predicts songs, and compare its own songs with human songs."""
