"""What a Dask worker of the tests loads at its start: its readers then misbehave on files that say so."""

from ritornello.preparing.workers import pool
from tests.preparing.workers.test_pool import BAD

pool.COMMAND = BAD
