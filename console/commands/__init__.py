"""One file per command. What a command needs is imported when it runs, so that the others stay quick."""
