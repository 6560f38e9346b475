"""AI Research Skills: the catalog, its checks and its coverage."""
