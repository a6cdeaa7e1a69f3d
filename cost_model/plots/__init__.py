"""Pictures of costs: Pareto fronts, heat maps, breakdowns by part, rooflines."""
