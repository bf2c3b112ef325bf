"""What is wrong with a training that computes without complaint: evidence, and the verdicts it allows."""
