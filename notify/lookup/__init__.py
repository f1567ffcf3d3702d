"""What an id is the id of: the one room that looks into the tables of all others."""
