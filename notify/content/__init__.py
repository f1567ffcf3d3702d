"""Text in, message out; recipients checked. Pure: no Flask, database, network or clock."""
