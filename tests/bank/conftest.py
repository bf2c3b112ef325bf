"""The scripts of the bank are run by its tests, and are no tests themselves."""

collect_ignore = ["broken", "healthy"]
