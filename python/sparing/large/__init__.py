"""Systems of many components, too large to list their states: rules, lookahead, bounds."""
