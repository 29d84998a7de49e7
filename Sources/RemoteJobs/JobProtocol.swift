import LinuxSystem

/// The job protocol, format 1: what stands in a spool on the target, and the shell functions that write it.
///
/// ```
/// <root>/                    0700, /var/tmp/ecr-<uid> unless the profile says otherwise
///   lock                     one line: `lock 1 <controller id> <user@host> <since, UTC> end`
///   <run: 16 hex digits>/    made at start, never by a launch; its name is recorded in the run
///     contact                uptime of the target when the controller was last there, for jobs that stop without it
///     seats                  temporary names of uploads, anywhere on the target, which go with the spool at the latest
///     <job's number>/        claim, meta, stdout, stderr, commands, exit, out/ ($ECR_OUT), cancel, timeout, unreachable; ctl,
///                            root (sudo)
/// ```
/// - The folder of a job is named by its number alone, so that the dispatcher can make the next one ahead of its launch,
///   while nobody waits: a `mkdir` costs more than the rest of the launch.
/// - `claim`: `claim 1 end`, made with O_EXCL (`set -C`); whoever makes it may launch the job, nobody else ever. Its mtime
///   is the start to which artifacts are compared. Whoever has made it and finds no room for its line takes it back.
/// - `meta`: `meta 1 <wrapper pid> <its start> <job pid> <its start> <boot id> <uptime> end`; starts are field 22 of
///   /proc/PID/stat (proc(5)), so that a reused pid is told from the job.
/// - `commands` (several commands only): `S <index> <uptime>` and `E <index> <status> <uptime>` lines.
/// - `exit`: `exit 1 <status> <reason> <death> <start> <end> <stdout> <stderr> <files> end`: reason is exit, timeout,
///   unreachable, cancel, or sudo where that did not let the commands begin; death is `-`, confirmed or unconfirmed (of the process
///   group); start and end are uptimes; the byte counts are the write positions: 0 only for an empty file, and a lower
///   bound when the job reopened its own output; files is 1 when `out/` has something. It is made with O_EXCL: a job
///   that nothing could kill is given up with a record in its name, which its own must not replace.
///   Where the disk has no room for it, it is a second line of `meta`, whose block the job has already; where it had none
///   for `meta` either, the commands were not begun (reason disk), and it is the second line of `claim`.
/// - `seats`: a line for each name, written before the name is made, with `\\` for a backslash and `\n` for a newline;
///   the last component begins with `.ecr-`. Names stay when their files have got their places: they come again.
/// - `ctl`, `root`: of a job that runs under sudo, see `rootLibrary`.
/// - A job without a spool has no `stdout` and `stderr`: `ecr_attach` runs it in the shell of a channel of its own.
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
    /// Process groups, and how several commands run: what the login user's shell and root's both need.
    private static let groups = #"""
        ecr_setsid=; command -v setsid >/dev/null 2>&1 && ecr_setsid=setsid
        ecr_self() { read -r ecr_x </proc/self/stat; ecr_p=${ecr_x%% *}; set -- ${ecr_x##*) }; ecr_t=${20}; }
        ecr_nap() { sleep 0.1 || sleep 1; }
        ecr_signal() { if [ -n "$ecr_setsid" ]; then kill "-$1" "-$2"; else kill "-$1" "$2"; fi; }
        ecr_living() { kill -0 "-$1" || return 1; ecr_q=$1
        for ecr_x in /proc/[0-9]*/stat; do read -r ecr_y <"$ecr_x" || continue
        ecr_y=${ecr_y##*) }; case $ecr_y in [ZX]*) continue ;; esac
        ecr_y=${ecr_y#* }; ecr_y=${ecr_y#* }; [ "${ecr_y%% *}" != "$ecr_q" ] || return 0; done; return 1; }
        ecr_group() { if [ -n "$ecr_setsid" ]; then ecr_living "$1"; else kill -0 "$1"; fi; }
        ecr_bury() { ecr_i=0
        while ecr_group "$1" && [ $ecr_i -lt 50 ]; do ecr_nap; ecr_i=$((ecr_i+1)); done
        ecr_signal KILL "$1"; ecr_i=0
        while ecr_group "$1" && [ $ecr_i -lt 20 ]; do ecr_nap; ecr_i=$((ecr_i+1)); done
        if ecr_group "$1"; then ecr_dead=unconfirmed; else ecr_dead=confirmed; fi; }
        ecr_runner='i=0; for c do read -r u x </proc/uptime; echo "S $i $u" >>"$0"; sh -c "$c"; r=$?
        read -r u x </proc/uptime; echo "E $i $r $u" >>"$0"; [ "$r" -eq 0 ] || exit "$r"; i=$((i+1)); done'
        """#

    /// What root's shell runs of a job under sudo. It comes by stdin behind the password, then
    /// `ecr_d=<folder>; ecr_asroot <workdir> <NAME=value>... -- <command>...`.
    ///
    /// The login user cannot signal root's processes, and sudo passes a signal on to its child alone. So root's shell
    /// starts the commands in a session of their own and a guard beside it, which reads `ctl`, a FIFO:
    /// - `TERM` and `KILL` go to the commands' group; `END` says that the commands have ended.
    /// - The end of the FIFO says that root's shell was killed: the commands must not outlive it unnoticed.
    ///
    /// `root` holds `root 1 <pid> <start> end` of the commands' leader, written by itself before it looks for `cancel`
    /// and `timeout`, so that a signal that came too early for the guard is seen by it; then, if it was asked to die,
    /// `death <confirmed|unconfirmed> end`. An empty `root` says that sudo let nothing begin.
    ///
    /// What root has made in `out/` is given to the login user, who could neither read nor remove it otherwise.
    private static let rootLibrary = #"""
        ecr_rguard='d=$1 n=$2; k() { read -r x v p t y <"$d/root" && read -r y <"/proc/$p/stat" || return
        set -- "$1" ${y##*) }; [ "${21}" = "$t" ] || return; if [ -n "$n" ]; then kill "-$1" "-$p"; else kill "-$1" "$p"; fi; }
        while read -r s; do [ "$s" != END ] || exit 0; k "$s"; done; k TERM; sleep 5; k KILL'
        ecr_asroot() {
        exec </dev/null 3>&1 4>&2 >/dev/null 2>&1 9<>"$ecr_d/ctl"
        $ecr_setsid sh -c "$ecr_rguard" sh "$ecr_d" "$ecr_setsid" <"$ecr_d/ctl" 3>&- 4>&- 9>&- &
        ( ecr_self; echo "root 1 $ecr_p $ecr_t end" >>"$ecr_d/root"
        if [ -e "$ecr_d/cancel" ] || [ -e "$ecr_d/timeout" ] || [ -e "$ecr_d/unreachable" ]; then exit 143; fi
        if [ -n "$1" ]; then cd "$1" 2>&4 || exit 1; fi
        shift; export ECR_OUT="$ecr_d/out"
        while [ "$1" != -- ]; do export "$1"; shift; done
        shift; [ $# -eq 1 ] || set -- "$ecr_runner" "$ecr_d/commands" "$@"
        exec $ecr_setsid sh -c "$@" >&3 2>&4 3>&- 4>&- 9>&- ); ecr_r=$?
        if [ -e "$ecr_d/cancel" ] || [ -e "$ecr_d/timeout" ] || [ -e "$ecr_d/unreachable" ]; then
        read -r ecr_x ecr_v ecr_p ecr_t ecr_x <"$ecr_d/root"; ecr_bury "$ecr_p"; echo "death $ecr_dead end" >>"$ecr_d/root"; fi
        chown -Rh "$SUDO_UID:$SUDO_GID" "$ecr_d/out"
        echo END >&9; exit "$ecr_r"
        }
        """#

    /// Sent once to the dispatcher's stdin. Descriptor 7 is the channel's stderr, on which wrappers announce exits.
    static let library = userLibrary.replacing("GROUPS", with: groups)
        .replacing("ROOTTEXT", with: shellWord(groups + "\n" + rootLibrary))

    private static let userLibrary = #"""
        ecr_um=$(umask); umask 077; exec 7>&2; unset CDPATH
        trap : HUP PIPE INT TERM
        read -r ecr_boot </proc/sys/kernel/random/boot_id
        GROUPS
        ecr_up() { read -r ecr_u ecr_x </proc/uptime; }
        ecr_alive() { read -r ecr_x <"/proc/$1/stat" || return 1; ecr_t=$2; set -- ${ecr_x##*) }; [ "${20}" = "$ecr_t" ]; }
        ecr_yield='sleep 5; read -r x v w t p s b u e <"$1/meta"; read -r y <"/proc/$p/stat" || exit
        set -- "$1" "$2" ${y##*) }; [ "${22}" = "$s" ] || exit; read -r n y </proc/uptime; o=0 f=0
        [ ! -s "$1/stdout" ] || o=1; [ ! -s "$1/stderr" ] || f=1; h=0
        x=$(ls -A "$1/out") && [ -z "$x" ] || h=1; set -C; echo "exit 1 137 $2 unconfirmed $u $n $o $f $h end" >"$1/exit"'
        ecr_late='sleep "$1"; m=timeout; '
        ecr_alone='while sleep 1; do read -r u x </proc/uptime; read -r c x <"${2%/*}/contact" || continue
        [ $((${u%.*}-${c%.*})) -le "$1" ] || break; done; m=unreachable; '
        ecr_strike='d=$2; read -r x v w t p s b u e <"$d/meta" || exit; true >"$d/$m"; g=-$p; [ -n "$3" ] || g=$p
        if [ -p "$d/ctl" ]; then echo TERM 1<>"$d/ctl"; sleep 5; echo KILL 1<>"$d/ctl"; exec sh -c "$4" sh "$d" "$m"; fi
        read -r y <"/proc/$p/stat" || exit; set -- ${y##*) }; [ "${20}" = "$s" ] || exit; kill -TERM "$g"; sleep 5; kill -KILL "$g"'
        ecr_guard() { $ecr_setsid sh -c "$1$ecr_strike" sh "$2" "$ecr_d" "$ecr_setsid" "$ecr_yield" 3>&- 4>&- 7>&- & ecr_g="$ecr_g $!"; }
        ecr_root= ecr_silence= ecr_attached= ecr_text=ROOTTEXT
        ecr_door='while IFS= read -r l || exit 1; [ "$l" != "$0" ]; do :; done; eval "$(cat)"; exit 1'
        ecr_job() {
        ecr_d=$1 ecr_w=$2; shift 2; ecr_self0=$ecr_p ecr_self1=$ecr_t; ecr_self; ecr_up
        echo "meta 1 $ecr_self0 $ecr_self1 $ecr_p $ecr_t $ecr_boot $ecr_u end" >"$ecr_d/meta" || exit 1
        if [ -e "$ecr_d/cancel" ]; then exit 143; fi
        umask "$ecr_um"
        if [ -n "$ecr_root" ]; then trap - HUP PIPE INT TERM
        exec $ecr_setsid sudo "$ecr_root" -p '' -- sh -c "$ecr_door" "#ecr $ecr_j" >&3 2>&4 3>&- 4>&- 7>&-; fi
        if [ -n "$ecr_w" ]; then cd "$ecr_w" 2>&4 || exit 1; fi
        export ECR_OUT="$ecr_d/out"
        while [ "$1" != -- ]; do export "$1"; shift; done
        shift; [ $# -eq 1 ] || set -- "$ecr_runner" "$ecr_d/commands" "$@"
        trap - HUP PIPE INT TERM
        exec $ecr_setsid sh -c "$@" >&3 2>&4 3>&- 4>&- 7>&-
        }
        ecr_try() { ( cat <<ECR | LC_ALL=C sudo -S -k -p '' -- sh -c : >"$1" 2>&1
        $ecr_pw
        ECR
        echo "tried $?" >>"$1" ) >/dev/null 7>&- & }
        ecr_feed() { cat 3>&- 4>&- 7>&- <<ECR
        $ecr_pw
        #
        #ecr $ecr_j
        $ecr_text
        $ecr_call
        ECR
        }
        ecr_wrap() {
        ecr_d=$1/$2 ecr_j=$2 ecr_limit=$3 ecr_dir=$4 ecr_g=; shift 4
        if [ -z "$ecr_attached" ]; then exec 3>>"$ecr_d/stdout" 4>>"$ecr_d/stderr"; fi
        ecr_self; ecr_up; ecr_s=$ecr_u
        if [ -n "$ecr_root" ]; then mkfifo "$ecr_d/ctl"; true >"$ecr_d/root"; true >"$ecr_d/commands"; fi
        [ -z "$ecr_limit" ] || ecr_guard "$ecr_late" "$ecr_limit"
        [ -z "$ecr_silence" ] || ecr_guard "$ecr_alone" "$ecr_silence"
        if [ -n "$ecr_root" ]; then ecr_feed | ( ecr_job "$ecr_d" "$ecr_dir" "$@" )
        else ( ecr_job "$ecr_d" "$ecr_dir" "$@" ); fi; ecr_r=$?
        ecr_up; ecr_e=$ecr_u
        for ecr_x in $ecr_g; do ecr_signal KILL "$ecr_x" || kill -KILL "$ecr_x"; done
        ecr_why=exit ecr_dead=-
        [ -z "$ecr_root" ] || [ -s "$ecr_d/root" ] || ecr_why=sudo
        [ ! -e "$ecr_d/unreachable" ] || ecr_why=unreachable
        [ -s "$ecr_d/meta" ] || ecr_why=disk
        [ ! -e "$ecr_d/timeout" ] || ecr_why=timeout
        [ ! -e "$ecr_d/cancel" ] || ecr_why=cancel
        case $ecr_why in timeout | unreachable | cancel) ecr_end ;; esac
        read -r ecr_x ecr_o </proc/self/fdinfo/3; read -r ecr_x ecr_f </proc/self/fdinfo/4
        if [ ! -s "$ecr_d/stdout" ]; then ecr_o=0; elif [ "$ecr_o" = 0 ]; then ecr_o=1; fi
        if [ ! -s "$ecr_d/stderr" ]; then ecr_f=0; elif [ "$ecr_f" = 0 ]; then ecr_f=1; fi
        set -- "$ecr_d"/out/* "$ecr_d"/out/.[!.]* "$ecr_d"/out/..?*; ecr_n=0
        for ecr_x do if [ -e "$ecr_x" ] || [ -h "$ecr_x" ]; then ecr_n=1; break; fi; done
        ecr_x="exit 1 $ecr_r $ecr_why $ecr_dead $ecr_s $ecr_e $ecr_o $ecr_f $ecr_n end"
        set -C; echo "$ecr_x" >"$ecr_d/exit" || { [ ! -s "$ecr_d/exit" ] || return
        if [ -s "$ecr_d/meta" ]; then echo "$ecr_x" >>"$ecr_d/meta"; else echo "$ecr_x" >>"$ecr_d/claim"; fi; }
        echo "X $ecr_j $ecr_x" >&7
        }
        ecr_end() {
        if [ -z "$ecr_root" ]; then read -r ecr_x ecr_v ecr_w ecr_t ecr_p ecr_u <"$ecr_d/meta"; ecr_bury "$ecr_p"; return; fi
        ecr_dead=confirmed; [ ! -s "$ecr_d/root" ] || ecr_dead=unconfirmed
        while read -r ecr_x ecr_y ecr_z; do [ "$ecr_x" != death ] || ecr_dead=$ecr_y; done <"$ecr_d/root"
        }
        ecr_claim() {
        [ -d "$1" ] || { echo nospool; return 1; }
        [ -d "$1/$2/out" ] || mkdir "$1/$2" "$1/$2/out"
        set -C; true >"$1/$2/claim"; ecr_r=$?; set +C
        if [ $ecr_r -ne 0 ]; then if [ -e "$1/$2/claim" ]; then echo claimed; else echo nospace; fi; return 1; fi
        echo "claim 1 end" >>"$1/$2/claim" || { rm -f "$1/$2/claim"; echo nospace; return 1; }
        }
        ecr_launch() {
        ecr_claim "$1" "$2" || return 1
        ( read -r ecr_p ecr_x </proc/self/stat
        ecr_wrap "$@" </dev/null >/dev/null 2>&1 | { kill -s PIPE "$ecr_p"; kill -s KILL "$ecr_p"; } )
        echo launched
        }
        ecr_attach() {
        exec 3>&1 4>&2 7>/dev/null; ecr_attached=1
        ecr_claim "$1" "$2" >/dev/null 2>&1 || exit 1
        ecr_wrap "$@" </dev/null >/dev/null 2>&1; exit "$ecr_r"
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
        for ecr_x in exit meta claim; do while read -r ecr_m; do case $ecr_m in "exit "*) echo "$ecr_m" ;; esac
        done <"$ecr_d/$ecr_x"; done
        }
        ecr_cancel() {
        ecr_d=$1/$2; true >"$ecr_d/cancel"; read -r ecr_m <"$ecr_d/meta" || { echo nometa; return; }
        ecr_sig=$3; set -- $ecr_m
        if ! ecr_alive "$5" "$6"; then echo gone; return; fi
        if [ ! -p "$ecr_d/ctl" ]; then ecr_signal "$ecr_sig" "$5" && echo sent; return; fi
        echo "$ecr_sig" 1<>"$ecr_d/ctl" && echo sent
        if [ "$ecr_sig" = KILL ]; then $ecr_setsid sh -c "$ecr_yield" sh "$ecr_d" cancel >/dev/null 7>&- & fi
        }
        """#

    /// Asks for everything that a run needs to know of a target before its first job, as `key=value` lines.
    static let probe = #"""
        ecr_up; echo "boot=$ecr_boot"; echo "uptime=$ecr_u"; echo "uid=$(id -u)"; echo "user=$(id -un)"
        echo "kernel=$(uname -srm)"; echo "hostname=$(uname -n)"
        for ecr_x in setsid timeout stdbuf tar dd sha256sum base64 sudo mkfifo; do
        if command -v $ecr_x >/dev/null; then echo "tool=$ecr_x"; fi; done
        if [ "$(echo ab | head -c 1)" = a ]; then echo "tool=head"; fi
        if [ "$(echo ab | tail -c +2)" = b ]; then echo "tool=tail"; fi
        if sleep 0.01; then echo "tool=fractional-sleep"; fi
        if [ -r /etc/os-release ]; then ( . /etc/os-release; echo "os=$PRETTY_NAME" ); fi
        if [ -r /proc/device-tree/model ]; then tr -d '\0' </proc/device-tree/model | sed 's/^/model=/'; echo; fi
        """#
}
