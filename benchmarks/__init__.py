"""Benchmarks of Ritornello: `python -m benchmarks` lists them, RESULTS.md has what they measured."""
