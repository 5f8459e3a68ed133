"""Write a corpus: its shards, the state from which a stopped run continues, and the index."""
