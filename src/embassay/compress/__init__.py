"""What fewer bytes a vector cost on a set of one's own: measured, proposed, and applied as a new generation."""
