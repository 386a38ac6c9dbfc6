"""``LINT_M2M`` in the settings."""

from __future__ import annotations

from typing import Final

from django.conf import settings

KNOWN: Final = ("MAKEMIGRATIONS",)


def problems() -> list[str]:
    """What is wrong with the setting."""
    given = getattr(settings, "LINT_M2M", None)
    if given is None:
        return []
    from lint_m2m.config import listed, nearest

    if not isinstance(given, dict):
        return [f"`LINT_M2M` is {given!r}, but has to be a dictionary"]
    found = []
    for key, value in given.items():
        if key not in KNOWN:
            near = nearest(str(key).upper(), KNOWN, "the nearest known one is {}") or f"; known are {listed(KNOWN)}"
            found.append(f"unknown key `{key}` in `LINT_M2M`{near}")
        elif not isinstance(value, bool):
            found.append(f'`LINT_M2M["{key}"]` is {value!r}, but has to be True or False')
    return found


def makemigrations_is_safe() -> bool:
    """Whether the settings leave it to `makemigrations` to write the safe form: they do unless they say no."""
    given = getattr(settings, "LINT_M2M", {})
    return not (isinstance(given, dict) and given.get("MAKEMIGRATIONS") is False)
