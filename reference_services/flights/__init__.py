"""Cities, airports, airplanes, flights, and the seats that are left on them."""
