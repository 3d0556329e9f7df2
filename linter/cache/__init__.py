"""Answers that are kept: a check whose files did not change is not made again."""
