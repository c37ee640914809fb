"""Bookings: seats taken at flights, and a notification for each."""
