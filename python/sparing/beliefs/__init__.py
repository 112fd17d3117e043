"""Beliefs about what is not seen: the Bayes filters, belief points and the solvers over them."""
