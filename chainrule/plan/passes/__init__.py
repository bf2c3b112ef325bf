"""What makes a recorded step fast: passes over its program, each tested alone, each can be left out."""
