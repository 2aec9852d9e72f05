#!/usr/bin/env bash
# environment.sh FOLDER ARGUMENTS OF pip install...: make the virtual environment FOLDER unless it is there,
# then install into it, with uv when there is one, else with pip. Needs a Python >= 3.11.
set -euo pipefail
folder=$1
shift

works() { "$1" -c "import sys; sys.exit(sys.version_info < (3, 11))" > /dev/null 2>&1; }

find_python() {
    for python in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
        if works "$python"; then echo "$python"; return; fi
    done
    echo "The course needs Python 3.11 or newer and found none. Install one (python.org, conda, or your" >&2
    echo "system's packages) and run again, or name it: make setup PYTHON=/path/to/python3.12" >&2
    return 1
}

has_uv() { uv --version > /dev/null 2>&1; }

# Killed between making the environment and putting pip into it, it has a Python and nothing to install with.
whole() { works "$folder/bin/python" && { has_uv || "$folder/bin/python" -m pip --version > /dev/null 2>&1; }; }

if ! whole; then
    python=$(find_python)
    [ -f "$folder/pyvenv.cfg" ] || rm -rf "$folder/bin" "$folder/lib" "$folder/lib64" # uv clears no other folder
    echo "== new environment $folder from $("$python" --version); what goes into it is about 3 GB to fetch"
    if has_uv; then
        uv venv --quiet --clear --python "$("$python" -c 'import sys; print(sys.executable)')" "$folder"
    elif ! "$python" -m venv --clear "$folder"; then
        echo "This Python cannot make environments: install its venv module (Debian, Ubuntu: python3-venv)." >&2
        exit 1
    fi
fi

echo "== $folder: pip install $*"
if has_uv; then
    uv pip install --python "$folder/bin/python" "$@"
else
    "$folder/bin/python" -m pip install --disable-pip-version-check --no-input "$@"
fi
