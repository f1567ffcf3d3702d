"""Load and micro benchmarks, each with the command that runs it."""
