"""Losses, one file each; `curve` is the loss of a wrong pitch by its distance, which two of them use."""
