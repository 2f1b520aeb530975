"""What judged data says of moving a set to another model."""
