"""What nobody asks for and somebody has to do: rows whose time is over, tenants that are gone."""
