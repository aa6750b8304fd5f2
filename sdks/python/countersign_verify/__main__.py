"""`python -m countersign_verify`."""

import sys


def run() -> int:
    try:
        from .command import main
    except ModuleNotFoundError as missing:
        if not (missing.name or "").startswith("cryptography"):
            raise
        sys.stderr.write("the package cryptography is not installed: pip install cryptography\n")
        return 3
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
