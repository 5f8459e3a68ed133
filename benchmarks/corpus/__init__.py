"""Benchmarks of `prepare`: speed, workers, damaged files, duplicates."""
