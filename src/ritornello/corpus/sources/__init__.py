"""The files of a folder, and the songs inside its archives."""
