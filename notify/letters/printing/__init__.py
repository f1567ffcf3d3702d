"""Printing letters: the printers behind one interface, the daily run, and what printers say of letters.

A printer is one module here and a line in `choice.py`.
"""
