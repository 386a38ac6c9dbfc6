"""Readers: bytes, or Django's own loader, to the values of `lint_m2m.migration`."""
