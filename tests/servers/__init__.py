"""Servers of the outside world, on loopback: real sockets, the providers' own rules, and every way to fail."""
