"""How well a model predicts songs, and how its own songs compare with human songs."""
