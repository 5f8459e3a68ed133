"""Representations: Score to rows of a table and back, one file each."""
