"""``python -m console``: the same as the ``seawall`` program."""

from console.app import main

if __name__ == "__main__":
    main()
