"""Pages for the browser that stand alone: nothing is fetched when they are read, from a server or from a disk."""
