"""What synergy is: measures of distributions and of samples. Needs neither torch nor matplotlib."""
