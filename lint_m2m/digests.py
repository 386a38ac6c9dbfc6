"""Digests, and whether two of them are the same, without OpenSSL.

That comes with `hashlib` and `hmac`, and takes as long to load as a twentieth of a check that is remembered. They have
BLAKE2 from ``_blake2`` and the comparison from ``_operator``, and fall back to ``_md5``.
"""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # not CPython
    from hashlib import blake2b
try:
    from _md5 import md5  # type: ignore[import-not-found]
except ImportError:
    from hashlib import md5
try:
    from _operator import _compare_digest as same_digest
except ImportError:
    from hmac import compare_digest as same_digest  # type: ignore[no-redef]

__all__ = ["blake2b", "md5", "same_digest"]
