"""What depends on the machine: files, locks, threads, optional dependencies, progress callbacks."""
