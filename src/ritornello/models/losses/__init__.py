"""Losses, one file each; `interval` and the loss of 2018 use `curve`, the loss of a wrong pitch."""
