"""Migrations in the form that makemigrations gives them, read from their text without a tree of it.

Most of a project's migrations have nothing in them but imports, dependencies and a list of Django's own operations with
literal arguments. `read_plain` reads those in three quarters of the time that `ast` takes to build their trees, and in
less than half of what it takes to build and read them. What is written in any other way is left to the reader of
trees: an element of the list (a RunPython, a class of the project's), or the whole file. Both must yield the same
values to the last span; a test compares them on every migration that it can get.

    grammar.py   the subset of Python that is understood: tokens, arguments, values that nobody asks for
    header.py    what the names in it mean: the imports above the class
    fields.py    ``models.CharField(…)``
    operations.py    ``migrations.AddField(…)``
    migration.py     the file
"""

from __future__ import annotations

from lint_m2m.readers.plain.migration import read_plain, take_apart

__all__ = ["read_plain", "take_apart"]
