"""Problems as frozen dataclasses, and how each becomes an epoch."""
