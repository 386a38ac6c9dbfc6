"""Random histories: projects of nothing but migrations, right and wrong, for real Django and for lint-m2m."""

from __future__ import annotations

from .assembly import History, MigrationFile
from .generator import generate

__all__ = ["History", "MigrationFile", "generate"]
