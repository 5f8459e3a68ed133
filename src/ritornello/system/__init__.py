"""What the machine gives: files, locks, threads, optional dependencies, progress."""
