"""Who is told of what, in which words, when, and how often it is tried. Nothing is sent here."""
