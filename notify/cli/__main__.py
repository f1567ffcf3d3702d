"""`python -m notify.cli`: the `notify` command, run by the current interpreter."""

from notify.cli import main

main()
