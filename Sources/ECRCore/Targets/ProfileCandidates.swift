import Profiles

/// What a target may be able to tell of itself: each is tried there before it is written into a profile.
enum ProfileCandidates {
    static let snapshots: [ProfileDraft.Snapshot] = [
        .init("os-release.txt", "cat /etc/os-release"),
        .init("model.txt", "cat /proc/device-tree/model"),
        .init("cpuinfo.txt", "cat /proc/cpuinfo"),
        .init("meminfo.txt", "cat /proc/meminfo"),
        .init("cmdline.txt", "cat /proc/cmdline"),
        .init("modules.txt", "cat /proc/modules"),
        .init("disks.txt", "df -k"),
        .init("blocks.txt", "lsblk"),
        .init("pci.txt", "lspci"),
        .init("usb.txt", "lsusb"),
        .init("addresses.txt", "ip addr"),
        .init("processes.txt", "ps -ef"),
        .init("processes.txt", "ps"),
        .init("l4t-release.txt", "cat /etc/nv_tegra_release"),
        .init("nvpmodel.txt", "nvpmodel -q"),
        .init("gpu.txt", "nvidia-smi -q"),
    ]

    /// Sensors come before what every Linux has. A loop ends with `true`, so that a last sensor that is missing is no
    /// failure of the sample.
    static let samplers: [ProfileDraft.Sampler] = [
        .init("tegrastats", "tegrastats --interval 1000", .stream, "NVIDIA Jetson: load, temperatures and power"),
        .init(
            "gpu",
            "nvidia-smi --query-gpu=index,name,temperature.gpu,utilization.gpu,memory.used,clocks.sm,power.draw "
                + "--format=csv,noheader,nounits", .interval("5s"),
            "NVIDIA GPU: index, name, degrees C, % busy, MiB used, MHz, W"),
        .init(
            "vcgencmd", "vcgencmd measure_temp && vcgencmd measure_clock arm && vcgencmd get_throttled",
            .interval("5s"), "Raspberry Pi: temperature, clock, throttling"),
        .init(
            "temperature",
            #"for z in /sys/class/thermal/thermal_zone*; do echo "$(cat "$z/type") $(cat "$z/temp")"; done"#,
            .interval("5s"), "thermal zones, in thousandths of a degree"),
        .init(
            "sensors",
            #"for h in /sys/class/hwmon/hwmon*; do for f in "$h"/temp*_input "$h"/fan*_input "$h"/in*_input; "#
                + #"do [ -r "$f" ] && echo "$(cat "$h/name") ${f##*/} $(cat "$f")"; done; done; true"#,
            .interval("10s"), "hardware monitors: temperatures (1/1000 degree), fans (rpm), voltages (mV)"),
        .init(
            "power",
            #"for h in /sys/class/hwmon/hwmon*; do for f in "$h"/power*_input "$h"/power*_average "$h"/curr*_input; "#
                + #"do [ -r "$f" ] && echo "$(cat "$h/name") ${f##*/} $(cat "$f")"; done; done; true"#,
            .interval("5s"), "hardware monitors: power (µW), current (mA)"),
        .init(
            "energy", "cat /sys/class/powercap/*/energy_uj", .interval("5s"),
            "energy counters of the processor (µJ)"),
        .init(
            "supply", "cat /sys/class/power_supply/*/uevent", .interval("30s"), "batteries and power supplies"),
        .init(
            "frequency", "cat /sys/devices/system/cpu/cpu*/cpufreq/scaling_cur_freq", .interval("5s"),
            "clock of each core (kHz)"),
        .init("load", "cat /proc/loadavg", .interval("5s"), "runnable processes over 1, 5 and 15 minutes"),
        .init("cpu", "grep cpu /proc/stat", .interval("5s"), "time of each core in user, nice, system, idle, …"),
        .init("memory", "cat /proc/meminfo", .interval("30s"), "free and used memory"),
        .init("pressure", "grep . /proc/pressure/*", .interval("10s"), "stalls by lack of processor, memory, disk"),
        .init("network", "cat /proc/net/dev", .interval("10s"), "bytes and errors of each interface"),
        .init("disk_io", "cat /proc/diskstats", .interval("10s"), "reads and writes of each disk"),
        .init("disk", "df -k", .interval("5m"), "free space of every file system"),
        .init(
            "processes", "top -b -n 1 | head -n 20", .interval("30s"),
            "what runs; costs processor time on small targets, so only when asked for", isManual: true),
    ]
}
