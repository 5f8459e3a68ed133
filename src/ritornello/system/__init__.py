"""Help for all folders: files, locks, processes, threads, optional dependencies, progress, templates."""
