"""Worker processes that read files, on this machine or in a Dask cluster, and their supervisor."""
