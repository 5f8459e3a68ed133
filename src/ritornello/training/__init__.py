"""Train networks on a corpus, and write model folders."""
