"""`makemigrations` writes the safe form: what the command of that name adds to Django's own.

Django's autodetector finds what has changed (`changes`), and says it in migrations as Django would write them. Where a
field gains, loses or swaps `through=` in them, their texts are laid over the project (`texts`), checked, and
mended as `check --fix` mends files (`safe`); what comes out is written instead. So there is one source of safe
sequences, `lint_m2m.sequences`, and one place that judges whether a mended project is better, `lint_m2m.rewrite`: a
sequence that is right for a finding is right here.

The mended thing is the text and not the operations of a `Migration` object, since those cannot carry everything that a
sequence is made of: MigrationWriter has no way to write down the functions that RunPython calls. For the same reason,
and because ``--update`` merges operations only after the autodetector has done its work, the autodetector is used to
find changes (Django's own extension point, ``Command.autodetector``, since 5.2), and `write_migration_files` is where
files are replaced: what other packages do around it sees the migrations that are really written.
"""
