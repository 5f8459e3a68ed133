"""The networks one row at a time in numpy, one file each, so that composing needs no torch."""
