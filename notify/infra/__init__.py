"""External parts (database, cache, queue, files, HTTP) behind small interfaces. Knows nothing of the domain."""
