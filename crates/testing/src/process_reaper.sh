# Ends what one test process has started, should that process die before it does so itself.
#
# Reads lines from stdin: `started PID`, `ended PID`, `folder PATH`. The end of stdin is the end of the test
# process, however it came about: what runs still is killed, and the folders are deleted.
set -u
trap '' HUP INT TERM
running=' '
while read -r what which; do
    case $what in
    started) running="$running$which " ;;
    ended)
        case $running in
        *" $which "*) running="${running%% "$which" *} ${running#* "$which" }" ;;
        esac
        ;;
    folder) set -- "$@" "$which" ;;
    esac
done
for pid in $running; do
    kill -KILL "$pid" 2>/dev/null
done
[ $# -eq 0 ] || { sleep 0.2 && rm -rf "$@"; }
