"""What turns the states of tokens into what a model gives: here one vector a text."""
