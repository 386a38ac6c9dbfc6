"""Django's entry points."""
