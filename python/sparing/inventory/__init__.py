"""Classical inventory models with exact answers: base stocks in networks, (s, S), lost sales."""
