"""Doors for other frameworks, each an extra; `import daybook` loads none of them."""
