"""Diagnose the files of a folder: their outcomes, warnings about songs, and reports of both."""
