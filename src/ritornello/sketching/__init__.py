"""The sketch network: what it reads and predicts, its computation, and how it fills a plan."""
