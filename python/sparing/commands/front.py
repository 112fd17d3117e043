def front() -> None:
    pass
