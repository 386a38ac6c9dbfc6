"""BLAKE2, and whether two digests are the same.

`hashlib` takes BLAKE2 from ``_blake2`` and `hmac` the comparison from ``_operator``; with either of them comes OpenSSL,
which takes as long to load as a tenth of a check that is remembered.
"""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # not CPython
    from hashlib import blake2b
try:
    from _operator import _compare_digest as same_digest
except ImportError:
    from hmac import compare_digest as same_digest  # type: ignore[no-redef]

__all__ = ["blake2b", "same_digest"]
