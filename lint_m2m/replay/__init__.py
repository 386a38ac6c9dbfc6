"""The replay: a history walked symbolically, with what Django believes and what exists kept side by side."""
