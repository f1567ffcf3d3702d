"""Printing letters: print providers behind one interface, the daily run, and the providers' reports about letters.

A printer is one module here and a line in `choice.py`.
"""
