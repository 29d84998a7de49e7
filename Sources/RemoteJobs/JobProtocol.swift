/// The job protocol, format 1: what stands in a spool on the target, and the shell functions that write it.
///
/// ```
/// <root>/                    0700, /var/tmp/ecr-<uid> unless the profile says otherwise
///   lock                     one line: `lock 1 <controller id> <user@host> <since, UTC> end`
///   <run: 16 hex digits>/    made at start, never by a launch; its name is recorded in the run
///     <job's number>/        claim, meta, stdout, stderr, commands, exit, out/ ($ECR_OUT), cancel, timeout
/// ```
/// - The folder of a job is named by its number alone, so that the dispatcher can make the next one ahead of its launch,
///   while nobody waits: a `mkdir` costs more than the rest of the launch.
/// - `claim`: made with O_EXCL (`set -C`); whoever makes it may launch the job, nobody else ever. Its mtime is the start
///   to which artifacts are compared.
/// - `meta`: `meta 1 <wrapper pid> <its start> <job pid> <its start> <boot id> <uptime> end`; starts are field 22 of
///   /proc/PID/stat (proc(5)), so that a reused pid is told from the job.
/// - `commands` (several commands only): `S <index> <uptime>` and `E <index> <status> <uptime>` lines.
/// - `exit`: `exit 1 <status> <reason> <death> <start> <end> <stdout> <stderr> <files> end`: reason is exit, timeout or
///   cancel; death is `-`, confirmed or unconfirmed (of the process group); start and end are uptimes; the byte counts
///   are the write positions: 0 only for an empty file, and a lower bound when the job reopened its own output; files is 1 when `out/` has something.
///
/// A cancel that comes before `meta` is there finds nothing to signal: the job looks for `cancel` once `meta` is written,
/// so that one of the two always sees the other.
///
/// Every record is one write of one line by a builtin; a line without its `end` is not there yet. `status` is the shell's:
/// 128+N when signal N killed the command. Uptimes (/proc/uptime) are seconds of the target's boottime clock.
///
/// Six things in it need their reasons:
/// - A POSIX shell starts what stands before `&` with SIGINT and SIGQUIT ignored, and no program can undo that without
///   knowing of it: `timeout -s INT rosbag record` would never stop. So the wrapper is put into the background by a
///   pipeline whose second half ends the waiting subshell (SIGPIPE, silently), and the job is the wrapper's foreground.
///   Seen to hold in dash, bash, BusyBox ash: the job starts with no signal ignored.
/// - The wrapper is a fork of the dispatcher, not a new program: no exec, no parsing.
/// - A group is over when only zombies are left in it: `kill -0` counts those too, and an init that is slow to reap them
///   would hold up every cancel by seconds.
/// - The guard of a timeout may not have come to its `setsid` when a quick job ends, so its pid is killed as well.
/// - Groups are signalled as `kill -TERM -PID`: BusyBox takes `--` for a pid and fails.
/// - `trap :` rather than `trap ''`: a handler is reset in children, an ignored signal would be inherited by the job.
enum JobProtocol {
    /// Sent once to the dispatcher's stdin. Descriptor 7 is the channel's stderr, on which wrappers announce exits.
    static let library = #"""
        ecr_um=$(umask); umask 077; exec 7>&2; unset CDPATH
        trap : HUP PIPE INT TERM
        read -r ecr_boot </proc/sys/kernel/random/boot_id
        ecr_setsid=; command -v setsid >/dev/null 2>&1 && ecr_setsid=setsid
        ecr_up() { read -r ecr_u ecr_x </proc/uptime; }
        ecr_self() { read -r ecr_x </proc/self/stat; ecr_p=${ecr_x%% *}; set -- ${ecr_x##*) }; ecr_t=${20}; }
        ecr_alive() { read -r ecr_x <"/proc/$1/stat" || return 1; ecr_t=$2; set -- ${ecr_x##*) }; [ "${20}" = "$ecr_t" ]; }
        ecr_nap() { sleep 0.1 || sleep 1; }
        ecr_signal() { if [ -n "$ecr_setsid" ]; then kill "-$1" "-$2"; else kill "-$1" "$2"; fi; }
        ecr_living() { kill -0 "-$1" || return 1; ecr_q=$1
        for ecr_x in /proc/[0-9]*/stat; do read -r ecr_y <"$ecr_x" || continue
        ecr_y=${ecr_y##*) }; case $ecr_y in [ZX]*) continue ;; esac
        ecr_y=${ecr_y#* }; ecr_y=${ecr_y#* }; [ "${ecr_y%% *}" != "$ecr_q" ] || return 0; done; return 1; }
        ecr_group() { if [ -n "$ecr_setsid" ]; then ecr_living "$1"; else kill -0 "$1"; fi; }
        ecr_runner='i=0; for c do read -r u x </proc/uptime; echo "S $i $u" >>"$0"; sh -c "$c"; r=$?
        read -r u x </proc/uptime; echo "E $i $r $u" >>"$0"; [ "$r" -eq 0 ] || exit "$r"; i=$((i+1)); done'
        ecr_guard='sleep "$1"; read -r x v w t p s b u e <"$2/meta" || exit; true >"$2/timeout"; g=-$p; [ -n "$3" ] || g=$p
        read -r y <"/proc/$p/stat" || exit; set -- ${y##*) }; [ "${20}" = "$s" ] || exit; kill -TERM "$g"; sleep 5; kill -KILL "$g"'
        ecr_job() {
        ecr_d=$1 ecr_w=$2; shift 2; ecr_self0=$ecr_p ecr_self1=$ecr_t; ecr_self; ecr_up
        echo "meta 1 $ecr_self0 $ecr_self1 $ecr_p $ecr_t $ecr_boot $ecr_u end" >"$ecr_d/meta"
        if [ -e "$ecr_d/cancel" ]; then exit 143; fi
        umask "$ecr_um"
        if [ -n "$ecr_w" ]; then cd "$ecr_w" 2>&4 || exit 1; fi
        export ECR_OUT="$ecr_d/out"
        while [ "$1" != -- ]; do export "$1"; shift; done
        shift; [ $# -eq 1 ] || set -- "$ecr_runner" "$ecr_d/commands" "$@"
        trap - HUP PIPE INT TERM
        exec $ecr_setsid sh -c "$@" >&3 2>&4 3>&- 4>&- 7>&-
        }
        ecr_wrap() {
        ecr_d=$1/$2 ecr_j=$2 ecr_limit=$3 ecr_dir=$4 ecr_g=; shift 4
        exec 3>>"$ecr_d/stdout" 4>>"$ecr_d/stderr"
        ecr_self; ecr_up; ecr_s=$ecr_u
        if [ -n "$ecr_limit" ]; then $ecr_setsid sh -c "$ecr_guard" sh "$ecr_limit" "$ecr_d" "$ecr_setsid" 3>&- 4>&- 7>&- & ecr_g=$!; fi
        ( ecr_job "$ecr_d" "$ecr_dir" "$@" ); ecr_r=$?
        ecr_up; ecr_e=$ecr_u
        [ -z "$ecr_g" ] || ecr_signal KILL "$ecr_g" || kill -KILL "$ecr_g"
        ecr_why=exit ecr_dead=-
        [ ! -e "$ecr_d/timeout" ] || ecr_why=timeout
        [ ! -e "$ecr_d/cancel" ] || ecr_why=cancel
        [ "$ecr_why" = exit ] || ecr_bury
        read -r ecr_x ecr_o </proc/self/fdinfo/3; read -r ecr_x ecr_f </proc/self/fdinfo/4
        if [ ! -s "$ecr_d/stdout" ]; then ecr_o=0; elif [ "$ecr_o" = 0 ]; then ecr_o=1; fi
        if [ ! -s "$ecr_d/stderr" ]; then ecr_f=0; elif [ "$ecr_f" = 0 ]; then ecr_f=1; fi
        set -- "$ecr_d"/out/* "$ecr_d"/out/.[!.]* "$ecr_d"/out/..?*; ecr_n=0
        for ecr_x do if [ -e "$ecr_x" ] || [ -h "$ecr_x" ]; then ecr_n=1; break; fi; done
        ecr_x="exit 1 $ecr_r $ecr_why $ecr_dead $ecr_s $ecr_e $ecr_o $ecr_f $ecr_n end"
        echo "$ecr_x" >"$ecr_d/exit" && echo "X $ecr_j $ecr_x" >&7
        }
        ecr_bury() {
        read -r ecr_x ecr_v ecr_w ecr_t ecr_p ecr_u <"$ecr_d/meta"; ecr_i=0
        while ecr_group "$ecr_p" && [ $ecr_i -lt 50 ]; do ecr_nap; ecr_i=$((ecr_i+1)); done
        ecr_signal KILL "$ecr_p"; ecr_i=0
        while ecr_group "$ecr_p" && [ $ecr_i -lt 20 ]; do ecr_nap; ecr_i=$((ecr_i+1)); done
        if ecr_group "$ecr_p"; then ecr_dead=unconfirmed; else ecr_dead=confirmed; fi
        }
        ecr_launch() {
        [ -d "$1" ] || { echo nospool; return 1; }
        [ -d "$1/$2/out" ] || mkdir "$1/$2" "$1/$2/out"
        set -C; true >"$1/$2/claim"; ecr_r=$?; set +C
        if [ $ecr_r -ne 0 ]; then if [ -e "$1/$2/claim" ]; then echo claimed; else echo nospace; fi; return 1; fi
        ( read -r ecr_p ecr_x </proc/self/stat
        ecr_wrap "$@" </dev/null >/dev/null 2>&1 | { kill -s PIPE "$ecr_p"; kill -s KILL "$ecr_p"; } )
        echo launched
        }
        ecr_status() {
        [ -d "$1" ] || { echo nospool; return; }
        [ -e "$1/$2/claim" ] || { echo noclaim; return; }
        echo claimed; ecr_d=$1/$2
        if [ -e "$ecr_d/meta" ]; then
        read -r ecr_m <"$ecr_d/meta"; echo "$ecr_m"; set -- $ecr_m
        if ecr_alive "$5" "$6"; then echo job alive; fi
        if ecr_alive "$3" "$4"; then echo wrapper alive; fi
        fi
        if [ -e "$ecr_d/exit" ]; then read -r ecr_m <"$ecr_d/exit"; echo "$ecr_m"; fi
        }
        ecr_cancel() {
        ecr_d=$1/$2; true >"$ecr_d/cancel"; read -r ecr_m <"$ecr_d/meta" || { echo nometa; return; }
        ecr_sig=$3; set -- $ecr_m
        if ecr_alive "$5" "$6"; then ecr_signal "$ecr_sig" "$5" && echo sent; else echo gone; fi
        }
        """#

    /// Asks for everything that a run needs to know of a target before its first job, as `key=value` lines.
    static let probe = #"""
        ecr_up; echo "boot=$ecr_boot"; echo "uptime=$ecr_u"; echo "uid=$(id -u)"; echo "user=$(id -un)"
        echo "kernel=$(uname -srm)"; echo "hostname=$(uname -n)"
        for ecr_x in setsid timeout stdbuf tar dd sha256sum base64; do
        if command -v $ecr_x >/dev/null; then echo "tool=$ecr_x"; fi; done
        if sleep 0.01; then echo "tool=fractional-sleep"; fi
        if [ -r /etc/os-release ]; then ( . /etc/os-release; echo "os=$PRETTY_NAME" ); fi
        if [ -r /proc/device-tree/model ]; then tr -d '\0' </proc/device-tree/model | sed 's/^/model=/'; echo; fi
        """#
}
