"""What the checks of a new generation judge by: both generations side by side, gathered in few passes over the rows."""
