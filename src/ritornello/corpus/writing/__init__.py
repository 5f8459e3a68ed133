"""The corpus as it is written: shards, what is there already, and the index over all."""
