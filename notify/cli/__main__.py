"""`python -m notify.cli`: the `notify` command of this very interpreter."""

from notify.cli import main

main()
