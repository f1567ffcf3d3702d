"""How everything does next to fifty million messages, compared with a database that has none."""
