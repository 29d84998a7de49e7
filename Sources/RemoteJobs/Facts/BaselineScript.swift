import LinuxSystem

/// The shell text that takes down the state of a target: `key=value` lines, the parts of a value divided by tabs, and `end=`
/// behind the last one.
///
/// Nothing in it is a serial number, a MAC address or an SSID, unless they are asked for: so no kernel command line (a
/// Raspberry Pi's has both) and no id of a disk or a GPU. It runs beside the dispatcher, not in it: some of the tools take
/// seconds.
enum BaselineScript {
    /// Seconds for one tool. Origin: nvidia-smi without its daemon takes two.
    static let toolSeconds = 5

    /// - Parameters:
    ///   - facts: the user's own, by name.
    ///   - identifiers: whether serial numbers, MAC addresses and SSIDs are wanted.
    static func text(facts: [(name: String, command: String)], identifiers: Bool) -> String {
        let own = facts.map { "own \(shellWord($0.name)) \(shellWord($0.command))\n" }.joined()
        return common + (identifiers ? self.identifiers : "") + own + "echo end=\n"
    }

    private static let common = #"""
        T=$(printf '\t'); LC_ALL=C; export LC_ALL
        if command -v timeout >/dev/null; then bound() { timeout "$@"; }; else bound() { shift; "$@"; }; fi
        has() { command -v "$1" >/dev/null; }
        show() { x=; [ -r "$2" ] || return 0; IFS= read -r x <"$2"; [ -z "$x" ] || printf '%s=%s\n' "$1" "$x"; }
        first() { x=$(bound 5 "$@" </dev/null 2>&1 | head -n 1); }
        own() { q=$(mktemp) || q=/dev/null; x=$({ bound 10 sh -c "$2" </dev/null 2>&1; echo $? >"$q"; } | head -c 4097 | tr '\n\t' '\036 ')
        r=; read -r r <"$q"; [ "$q" = /dev/null ] || rm -f "$q"; printf 'own=%s\t%s\t%s\n' "$1" "$r" "$x"; }
        echo "kernel=$(uname -srm)"; echo "kernel_build=$(uname -v)"; echo "hostname=$(uname -n)"
        if [ -r /etc/os-release ]; then ( . /etc/os-release; echo "os=$PRETTY_NAME"; echo "os_version=$VERSION_ID" ); fi
        show l4t /etc/nv_tegra_release
        if [ -r /proc/device-tree/model ]; then echo "model=$(tr -d '\0' </proc/device-tree/model)"; fi
        for k in sys_vendor product_name product_version bios_vendor bios_version; do show "dmi_$k" "/sys/class/dmi/id/$k"; done
        n=0; m= p= i=; while IFS=: read -r k v; do v=${v# }; case $k in
        processor*) n=$((n+1)) ;; "model name"*|Hardware*|"cpu model"*|uarch*) [ -n "$m" ] || m=$v ;;
        "CPU implementer"*) i=$v ;; "CPU part"*) p="$p${p:+ }$v" ;; esac; done </proc/cpuinfo
        echo "cpu_count=$n"; [ -z "$m" ] || echo "cpu_model=$m"; [ -z "$p" ] || echo "cpu_parts=$i $p"
        show cpus_online /sys/devices/system/cpu/online
        while read -r k v x; do case $k in MemTotal:|MemAvailable:|SwapTotal:|SwapFree:) echo "memory=$k$T$v" ;; esac; done </proc/meminfo
        for d in /sys/block/*/device; do d=${d%/device}; [ -r "$d/size" ] || continue
        read -r s <"$d/size"; m=; [ ! -r "$d/device/model" ] || IFS= read -r m <"$d/device/model"; echo "block=${d##*/}$T$s$T$m"; done
        df -Pk | while read -r d s u a p m; do case $d in /*) echo "disk=$d$T$m$T$s$T$a" ;; esac; done
        for d in /sys/devices/system/cpu/cpufreq/policy*; do [ -d "$d" ] || continue; x=${d##*/}
        for k in scaling_governor scaling_min_freq scaling_max_freq scaling_cur_freq; do v=; read -r v <"$d/$k"; x="$x$T$v"; done
        echo "policy=$x"; done
        for d in /sys/class/devfreq/*; do [ -d "$d" ] || continue; x=${d##*/}
        for k in governor min_freq max_freq cur_freq; do v=; read -r v <"$d/$k"; x="$x$T$v"; done; echo "devfreq=$x"; done
        for d in /sys/class/thermal/thermal_zone*; do k=; v=; read -r k <"$d/type" && read -r v <"$d/temp" && echo "zone=$k$T$v"; done
        show load /proc/loadavg; show clocksource /sys/devices/system/clocksource/clocksource0/current_clocksource
        show selinux /sys/fs/selinux/enforce; show smt /sys/devices/system/cpu/smt/control
        if has vcgencmd; then first vcgencmd get_throttled; echo "throttled=${x#throttled=}"; fi
        if has nvidia-smi; then bound 5 nvidia-smi --format=csv,noheader \
        --query-gpu=name,driver_version,vbios_version,memory.total,power.limit,clocks.max.sm,persistence_mode,compute_mode </dev/null |
        while IFS= read -r x; do echo "nvidia=$x"; done; fi
        if has nvpmodel; then x=$(bound 5 nvpmodel -q </dev/null | tr '\n' ' '); echo "nvpmodel=$x"; fi
        for k in docker podman nerdctl containerd crun runc; do if has "$k"; then first "$k" --version; echo "container=$k$T$x"; fi; done
        for k in python3 perl gcc perf stress-ng iperf3 taskset chrt cpupower turbostat sensors tegrastats jetson_clocks nvpmodel \
        nvidia-smi vcgencmd trtexec ffmpeg gst-launch-1.0 hailortcli rknn_server systemctl chronyc ntpq timedatectl; do
        if has "$k"; then echo "tool=$k"; fi; done

        """#

    private static let identifiers = #"""
        if [ -r /proc/device-tree/serial-number ]; then echo "serial=$(tr -d '\0' </proc/device-tree/serial-number)"; fi
        show serial /sys/class/dmi/id/product_serial; show machine_id /etc/machine-id
        for d in /sys/class/net/*; do x=; read -r x <"$d/address" && echo "mac=${d##*/}$T$x"; done
        if has iwgetid; then first iwgetid -r; [ -z "$x" ] || echo "ssid=$x"; fi

        """#
}
