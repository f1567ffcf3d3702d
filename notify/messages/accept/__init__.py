"""Accepting messages: decide without writing, then store (contract: public-api 5 and 6).

One module for each channel follows the contract's order of checks; `checks` has the checks that channels share. A
refusal is a typed error, and nothing was stored then.
"""
