"""Tasks: data of other kinds than those that MinSyn's settings were chosen on."""
