"""Simulate chest films and write them as a folder in the CheXpert layout.

    python data_scripts/simulate_chexpert.py films --images 20000 --size 64
    python data_scripts/simulate_chexpert.py rare --images 5000 --rare-boost 5 --twins --masks
    python data_scripts/simulate_chexpert.py both --images 4000 --views all --prevalence balanced

A run that was killed goes on when the same command is typed again. Nothing that exists is overwritten.
"""

import argparse
import json
import sys
from pathlib import Path

from medgan_helpers import simulator
from medgan_helpers.simulator import rows


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, help="folder to write; must be empty, new, or of the same command")
    parser.add_argument("--images", type=int, default=2000, help="number of films (default: %(default)s)")
    parser.add_argument(
        "--size", type=int, default=128, help="width and height in pixels (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="another seed, other patients (default: %(default)s)"
    )
    parser.add_argument("--views", choices=rows.VIEWS, default="frontal", help="default: %(default)s")
    parser.add_argument(
        "--prevalence", choices=("real", "balanced"), default="real",
        help="real: as in CheXpert's own table; balanced: every finding equally often (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--rare-boost", type=float, default=1.0, metavar="FACTOR",
        help="how much likelier patients with a rare finding are drawn (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, help="processes of one thread each (default: one per core)")
    parser.add_argument("--twins", action="store_true", help="also write every film without its findings")
    parser.add_argument("--masks", action="store_true", help="also write where each finding is seen")
    return vars(parser.parse_args())


def main():
    options = arguments()
    try:
        csv = simulator.write(**options)
    except json.JSONDecodeError:
        sys.exit(f"simulate_chexpert: simulation.json in {options['root']} is damaged: choose another folder")
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"simulate_chexpert: {error}")
    root = csv.parent.resolve()
    print(f"{options['images']} films are in {root}: train.csv (labels), truth.csv (what was drawn).")
    print(f"Use them: DATASET=chexpert DATA_ROOT={root} make book")


if __name__ == "__main__":
    main()
