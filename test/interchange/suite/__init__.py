"""Store directories that change hands between our broker and Apache's, and what must hold each time."""
