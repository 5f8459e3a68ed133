"""Benchmarks of composing: songs of the bundled model, rules, speed."""
