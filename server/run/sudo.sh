#!/bin/sh
# For images without sudo: steps run as root already, so what asks for root has it. Last in PATH: a real one is found first.
user=
while [ $# -gt 0 ]; do
    case $1 in
    --) shift && break ;;
    -u | --user) user=$2 && shift 2 ;;
    --user=*) user=${1#*=} && shift ;;
    -u?*) user=${1#-u} && shift ;;
    -[!-]*u) user=$2 && shift 2 ;;
    -[gpChrtTURD]) shift 2 ;;
    -*) shift ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || exit 0
case $user in
'' | root | 0 | '#0') exec env "$@" ;;
*) exec su -s /bin/sh -c 'exec env "$@"' -- "$user" sh "$@" ;;
esac
