"""What a round found that must not be."""


class Violation(AssertionError):
    """A promise that was not kept; the text says which, and by how much."""
