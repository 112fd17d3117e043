"""Exact and learned policies for maintenance and spare parts."""
