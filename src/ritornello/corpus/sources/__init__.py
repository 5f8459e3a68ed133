"""List the files of a folder, and read the songs inside its archives."""
