"""Supervised processes that read files: of this machine, or of a Dask cluster."""
