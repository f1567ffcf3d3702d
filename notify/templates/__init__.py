"""Templates, their versions and folders."""
