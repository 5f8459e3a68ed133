"""The network `lstm` in torch, and its step in numpy."""
