"""What monitoring keeps in a home: marks of searches, baselines, alerts, and what signals said."""
