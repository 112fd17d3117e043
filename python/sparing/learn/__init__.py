"""Learning in JAX: environments of any epoch, and networks as policies.

Importing this package is quick; its modules import JAX.
"""
