"""Pictures of songs and of curves; each function is in the module named after what it draws."""
