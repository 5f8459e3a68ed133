"""The same as prepare without a corpus: what would become of the files, what is odd, and how it is shown."""
