#!/bin/sh
# The image's entry point: airbourne-lab, with the platform of this compose file as the target unless another is named.
set -eu

case ${1-} in
    run | seed)
        command=$1
        shift
        # Of an option that is given twice, the last counts: the user's own --target comes later.
        exec airbourne-lab "$command" --target /app/target.toml "$@"
        ;;
esac
exec airbourne-lab "$@"
