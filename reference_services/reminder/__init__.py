"""Tickets: messages from the bus become tickets, and due tickets become mails."""
