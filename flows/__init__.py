"""The processes, one file each: read aloud, they say how a label is awarded."""
