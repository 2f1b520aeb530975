"""Components for the frameworks that applications are built with, each a module and an extra of its name."""
