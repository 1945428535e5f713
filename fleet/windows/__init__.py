"""When terminals are meant to serve, when they are worked on, when nobody is to be called."""
