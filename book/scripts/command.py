"""How the scripts of the book are called: `run` checks the arguments and answers --help."""

import inspect
import sys
from pathlib import Path

# nbformat asks jsonschema, which tries this package: a grammar of web addresses that takes a second to build,
# in every chapter, for a check that notebooks do not need. jsonschema does without.
sys.modules.setdefault("rfc3987_syntax", None)


def notebook(path):
    """An executed notebook; raises FileNotFoundError or ValueError that names the file."""
    import nbformat

    try:
        return nbformat.reads(Path(path).read_text(encoding="utf-8"), as_version=4)
    except (ValueError, AttributeError, KeyError) as error:
        raise ValueError(f"{path} is no whole notebook: remove it, and make book again") from error


def read_yaml(path):
    """What a YAML file holds; raises ValueError that names the file."""
    import yaml

    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {' '.join(str(error).split())}") from error


def run(main, doc, *options):
    """Call main with the arguments of the command line, all of them texts.

    --help prints `doc`, the script's docstring; a wrong number of arguments prints it too, as does an option
    that is not among `options`, and ends with status 2; an error that a person can mend ends with its message
    alone and status 1.
    """
    arguments = sys.argv[1:]
    if {"-h", "--help"} & set(arguments):
        print(doc.strip())
        return
    try:
        if strange := [word for word in arguments if word.startswith("-") and word not in options]:
            raise TypeError(f"unknown option {strange[0]}")
        inspect.signature(main).bind(*arguments)
    except TypeError as error:
        print(f"{error}, {len(arguments)} given. How to call it:\n\n{doc.strip()}", file=sys.stderr)
        sys.exit(2)
    try:
        main(*arguments)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
