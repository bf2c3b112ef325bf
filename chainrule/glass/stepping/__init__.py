"""A step of training walked through, one operation at a time, forwards and backwards."""
