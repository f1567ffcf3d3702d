"""Proof that nothing is lost: the real product under load, while its parts are killed and its connections cut
(docs/reliability.md).
"""
