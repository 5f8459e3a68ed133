"""An error because of a full disk says how many bytes are needed; other errors do not."""

import errno
import os
from pathlib import Path

import pytest

from ritornello.corpus.writing.shards import explain_full_disk
from ritornello.errors import OutputError
from ritornello.system.files import output_errors


@pytest.mark.parametrize(
    ("number", "is_told"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EACCES, False)]
)
def test_only_a_full_disk_is_explained(tmp_path: Path, number: int, is_told: bool) -> None:
    with (
        pytest.raises(OutputError) as told,
        explain_full_disk(tmp_path, lambda: 1234),
        output_errors(tmp_path),
    ):
        raise OSError(number, os.strerror(number))
    assert (": about 1,234 bytes are needed, " in str(told.value)) == is_told
    assert str(told.value).startswith(f"cannot write {str(tmp_path)!r}: {os.strerror(number)}")
