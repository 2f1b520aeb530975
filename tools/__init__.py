"""What is run by hand to write generated files."""
