"""Finds objects by id: the one room that reads the tables of all others."""
