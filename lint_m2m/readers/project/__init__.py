"""What `lint_m2m.discovery` is made of: a project's folders, apps and settings, read without running anything."""
