"""Problems as frozen dataclasses that check themselves."""
