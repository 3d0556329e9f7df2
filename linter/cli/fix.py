"""x"""


def fix() -> None:
    """Y"""
