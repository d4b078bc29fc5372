"""Methods that MinSyn is compared with, over the same training engine and file format."""
