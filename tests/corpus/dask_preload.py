"""What a Dask worker of the tests loads at its start: its readers then misbehave on files that say so."""

from ritornello.corpus.workers import pool
from tests.corpus.workers.test_pool import BAD

pool.COMMAND = BAD
