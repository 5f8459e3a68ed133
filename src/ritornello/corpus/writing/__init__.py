"""Write a corpus: its shards, what an earlier run finished, and the index."""
