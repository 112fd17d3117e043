"""From a folder of records to a plan: estimate, solve, compare, report."""
