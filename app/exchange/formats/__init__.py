"""One file for each format that bulk data comes in or goes out in."""
