"""Switches on trial: a set that was switched is watched for a time, and then kept as it is, or switched back."""
