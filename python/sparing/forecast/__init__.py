"""Demand forecasts for spare parts: a combined model, baselines, and what they mean for stock."""
