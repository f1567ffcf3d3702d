"""Rendering of templated letters: layout in Typst, what is put together with the pages, colours for the printer."""
