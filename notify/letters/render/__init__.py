"""Rendering of templated letters: layout in Typst, assembly with logos and attachments, colours for printing."""
