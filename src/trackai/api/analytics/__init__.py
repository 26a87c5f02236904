"""/api/v1/analytics: numbers, lists and exports of a period, for programs and the dashboard."""
