"""Precompiled letters: PDFs that services make themselves. They are checked, rewritten for printing and shown as
pictures, in child processes with limits (docs/decisions/0031-pdfs-in-child-processes.md).
"""
