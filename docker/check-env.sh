#!/bin/sh
# check-env.sh EXAMPLE: refuse passwords that cannot work, and those of the example file when other machines could use
# them. Each problem is a line on standard error; ends with 1 when there is one.
set -eu

example=$1
address=${BIND_ADDRESS:-127.0.0.1}
case $address in
    ::1 | '[::1]') loopback=yes ;;
    127.*[!0-9.]*) loopback=no ;;
    127.*) loopback=yes ;;
    *) loopback=no ;;
esac

problems=0
problem() {
    echo "Not started: $1" >&2
    problems=1
}

while IFS='=' read -r name value; do
    case $name in
        *[!A-Z0-9_]*) continue ;;
        *_PASSWORD | *_TOKEN | *_KEY) ;;
        *) continue ;;
    esac
    eval "given=\${$name-}"
    case $given in
        *[!A-Za-z0-9._~-]*)
            problem "$name holds a character that cannot stand in a URL; in .env, use letters, digits, and . _ ~ - only."
            continue
            ;;
    esac
    if [ "${#given}" -lt 12 ] || [ "${#given}" -gt 72 ]; then
        problem "$name has ${#given} characters; in .env, give it 12 to 72."
    elif [ "$loopback" = no ] && [ "$given" = "$value" ]; then
        problem "$name still has the value of .env.example, and BIND_ADDRESS=$address lets other machines in; change it in .env."
    fi
done <"$example"
exit "$problems"
