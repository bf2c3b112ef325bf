"""The first number that is not finite, and the rule that it broke."""
