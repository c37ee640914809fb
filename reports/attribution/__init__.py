"""Where a request's time goes, by hop and kind of work, and what of it explains the difference between two runs."""
