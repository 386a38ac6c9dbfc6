"""The automatic table of a many-to-many class that makes its own, told by having it made, in no database.

As Django does for each state of the project, the field is added to a model in a registry of its own.
"""

from __future__ import annotations

import warnings
from typing import Any

from lint_m2m.migration import ModelKey


def further_columns(field: Any, owner: ModelKey, target: ModelKey) -> tuple[str, ...] | None:
    """The columns beside id and the two foreign keys; None when the table is not what Django would call it, or none."""
    from django.apps.registry import Apps
    from django.db import models

    registry = Apps()

    def model(key: ModelKey, **fields: Any) -> Any:
        meta = type("Meta", (), {"app_label": key.app_label, "apps": registry})
        return type(key.name, (models.Model,), {"__module__": __name__, "Meta": meta, **fields})

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mine = field.clone()
            plain = models.ManyToManyField(f"{target.app_label}.{target.name}", related_name="+")
            if target != owner:
                model(target)
            made = model(owner, links=mine, plain_links=plain)
            through = mine.remote_field.through
            like = plain.remote_field.through._meta.db_table.replace("plain_links", "links")
            keys = {mine.m2m_column_name(), mine.m2m_reverse_name(), through._meta.pk.column}
            if not through._meta.auto_created or through._meta.auto_created is not made:
                return None
            if through._meta.db_table != (mine.db_table or like):
                return None
            return tuple(one.column for one in through._meta.local_fields if one.column not in keys)
    except Exception:  # a stranger's methods: whatever they raise, the table is not known
        return None
