"""Any moment of a finished run again, and where two runs part."""
