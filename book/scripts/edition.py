"""What a script has written into a folder, and what there is not, or no longer, as it was written.

The hashes of the files lie beside them: a file that differs from its hash is somebody's work, and so is one
without a hash, unless it says what would be written anyway.
"""

import hashlib
import json

WRITTEN = ".edition.json"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def hashes(folder):
    """{name: hash} of what was written to the folder; empty where nothing is known."""
    try:
        return dict(json.loads((folder / WRITTEN).read_text()))
    except (OSError, ValueError, TypeError):  # none, or one that cannot be read: no file is known
        return {}


def others(folder, texts):
    """The names in `texts` whose files are neither as they were written before nor as they would be now."""
    earlier = hashes(folder)
    there = {name: sha256((folder / name).read_bytes()) for name in texts if (folder / name).is_file()}
    return [
        name for name, now in there.items() if now not in (earlier.get(name), sha256(texts[name].encode()))
    ]


def write(folder, texts):
    """Write {name: text} to the folder, and their hashes beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    found = hashes(folder) | {name: sha256(text.encode()) for name, text in texts.items()}
    (folder / WRITTEN).write_text(json.dumps(found, indent=1) + "\n")
