"""Helpers for the tests that run the example project with real Django."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# What `migrate` raises, on every supported version.
REFUSAL = (
    "Cannot alter field courses.Course.tags into courses.Course.tags - they are not compatible types "
    "(you cannot alter to or from M2M fields, or add or remove through= on M2M fields)"
)

# Rows as the released version has them: the models of today cannot write them, their columns do not exist yet.
SIX_LINKS = """
from django.contrib.auth.models import User
from django.db import connection

User.objects.create(username="teacher")
with connection.cursor() as cursor:
    for tag in (1, 2, 3):
        cursor.execute("INSERT INTO courses_tag (id, name, slug) VALUES (%s, %s, %s)", [tag, f"Tag {tag}", f"tag{tag}"])
    for course in (1, 2):
        cursor.execute(
            "INSERT INTO courses_course (id, title, slug, description, created_at, level, teacher_id)"
            " VALUES (%s, %s, %s, '', '2026-01-01 00:00:00', 'beginner', 1)",
            [course, f"course {course}", f"course-{course}"],
        )
        for tag in (1, 2, 3):
            cursor.execute("INSERT INTO courses_course_tags (course_id, tag_id) VALUES (%s, %s)", [course, tag])
"""


def manage(project: Path, *arguments: str, standard_input: str = "") -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` in a copy of the example."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=project,
        input=standard_input,
        capture_output=True,
        text=True,
        check=False,
    )
