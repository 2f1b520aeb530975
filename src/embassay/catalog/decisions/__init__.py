"""Decision trees that others drew: walked step by step, and held against what the catalog knows today."""
