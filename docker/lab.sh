#!/bin/sh
# The image's entry point: airbourne-lab, with the platform of this compose file as the target unless another is named.
set -eu

# Of an option that is given twice the last counts, so what the user says comes after what is said here.
case ${1-} in
    run)
        shift
        for word; do
            # Workers are in other containers.
            if [ "$word" = --master ]; then
                set -- --bind 0.0.0.0 "$@"
                break
            fi
        done
        set -- run --target /app/target.toml "$@"
        ;;
    seed)
        shift
        set -- seed --target /app/target.toml "$@"
        ;;
esac
exec airbourne-lab "$@"
