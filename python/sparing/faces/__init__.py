"""Public functions for problems that are more than one epoch, one file a kind of problem."""
