"""Accepts messages: first decides without writing, then stores (contract: public-api 5 and 6).

One module per channel follows the contract's order of checks; `checks` has the checks that channels share. A refusal
is a typed error, raised before anything is stored.
"""
