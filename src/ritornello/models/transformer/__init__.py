"""The network `transformer` in torch, and its step in numpy."""
