"""Records of defects and tables of demand, read with errors that name the place."""
