"""Many problems at once, on any executor, with results that survive a kill."""
