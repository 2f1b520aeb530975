"""Records of a set: documents that a program hands over, where files are found in folders."""
