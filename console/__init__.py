"""What people touch: the command line and the pieces it is made of."""
