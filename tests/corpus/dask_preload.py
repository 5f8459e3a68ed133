"""Loaded by the Dask workers of the tests, so that their worker processes are bad_worker.py."""

from ritornello.corpus.workers import pool
from tests.corpus.workers.test_pool import BAD

pool.COMMAND = BAD
