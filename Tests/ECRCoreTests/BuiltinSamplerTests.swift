import JSON
import LinuxSystem
import Profiles
import TestSupport
import Testing

@testable import ECRCore

/// The samplers' shell text, run by real shells on a tree of files such as /proc and /sys have.
@Suite struct BuiltinSamplerTests {
    /// Debian's sh, and BusyBox's.
    private static let shells: [[String]] = [["/bin/sh"], ["busybox", "sh"]].filter {
        Command.find($0[0]) != nil || $0[0].hasPrefix("/")
    }

    private let scratch: ScratchDirectory

    init() throws {
        scratch = try ScratchDirectory()
        for folder in ["sys/class/hwmon", "sys/class/thermal", "sys/block", "sys/class/net", "proc", "bin"] {
            try FileSystem.makeDirectories(scratch.path(folder))
        }
        try scratch.write("proc/uptime", "100.00 50.00\n")
    }

    private func put(_ path: String, _ text: String) throws {
        try FileSystem.makeDirectories(FileSystem.parent(of: scratch.path(path)))
        try scratch.write(path, text + "\n")
    }

    /// What a sample prints, in the second sample where `between` changes something before it.
    private func sample(_ sampler: BuiltinSampler, _ shell: [String], between: String = ":") async throws
        -> CommandResult
    {
        let program: String
        switch sampler.program {
        case .shell(let text): program = "\(text)\n\(between)\ne_sample\n"
        case .stream: program = sampler.command(every: 0.5)
        }
        let moved = ["/sys/", "/proc/"].reduce(program) { text, root in
            text.split(separator: root, omittingEmptySubsequences: false).joined(
                separator: scratch.path(String(root.dropFirst())) + "/")
        }.split(separator: "//", omittingEmptySubsequences: false).joined(separator: "/")
        let path = Host.environment("PATH") ?? "/usr/bin:/bin"
        let program0 = shell[0].hasPrefix("/") ? shell[0] : Command.find(shell[0]) ?? ""
        return try await Command.run(
            program0, Array(shell.dropFirst()) + ["-c", moved], environment: ["PATH": "\(scratch.path("bin")):\(path)"])
    }

    private func values(_ sampler: BuiltinSampler, _ shell: [String], between: String = ":") async throws -> [String:
        Double]
    {
        let result = try await sample(sampler, shell, between: between)
        #expect(result.errorText == "", "\(sampler.name)")
        return Dictionary(
            (SampleReading(result.output, sampler.format).values.first ?? [:]).members.map {
                ($0.key, $0.value.double ?? .nan)
            },
            uniquingKeysWith: { $1 })
    }

    @Test(arguments: shells) func loadIsTheShareSinceTheSampleBefore(shell: [String]) async throws {
        try put("proc/loadavg", "0.52 0.58 0.59 3/512 12345")
        try put("proc/stat", "cpu 100 0 100 800 0 0 0 0 0 0\ncpu0 100 0 100 800 0 0 0 0 0 0\nintr 1")
        let next = "cpu 150 0 125 900 20 0 5 0 0 0\ncpu0 150 0 125 900 20 0 5 0 0 0\nintr 1"
        let values = try await values(.cpu, shell, between: "printf '%s\\n' '\(next)' >/proc/stat")
        #expect(
            values == ["usage": 40, "user": 25, "system": 15, "iowait": 10, "steal": 0, "load1": 0.52, "running": 3])
    }

    @Test(arguments: shells) func memoryIsInMebibytes(shell: [String]) async throws {
        try put(
            "proc/meminfo",
            "MemTotal: 4096000 kB\nMemFree: 1024000 kB\nMemAvailable: 3072000 kB\nBuffers: 0 kB\nCached: 512000 kB\nSwapTotal: 1024 kB\nSwapFree: 0 kB"
        )
        let values = try await values(.memory, shell)
        #expect(
            values == [
                "used": 1000, "available": 3000, "free": 1000, "cached": 500, "swap_used": 1, "used_percent": 25,
            ])
    }

    @Test(arguments: shells) func sensorsAreToldByTheirNames(shell: [String]) async throws {
        try put("sys/class/thermal/thermal_zone0/type", "CPU-therm")
        try put("sys/class/thermal/thermal_zone0/temp", "45500")
        try put("sys/class/thermal/thermal_zone1/type", "gpu-thermal")
        try put("sys/class/thermal/thermal_zone1/temp", "-250")
        try put("sys/class/thermal/thermal_zone2/type", "PMIC-Die")
        try put("sys/class/thermal/thermal_zone2/temp", "100000")
        try put("sys/class/thermal/thermal_zone3/type", "broken")
        try put("sys/class/thermal/thermal_zone3/temp", "")
        try put("sys/class/hwmon/hwmon0/name", "nvme")
        try put("sys/class/hwmon/hwmon0/temp1_input", "38850")
        let values = try await values(.temperature, shell)
        #expect(values == ["cpu": 45.5, "gpu": -0.25, "disk": 38.85, "max": 45.5])
        let text = try await sample(.temperature, shell).outputText
        #expect(text.contains("zone.CPU-therm=45.500") && text.contains("hwmon.nvme.temp1=38.850"))
    }

    @Test(arguments: shells) func powerIsThatOfTheRailThatFeedsTheBoard(shell: [String]) async throws {
        try put("sys/class/hwmon/hwmon0/name", "ina3221")
        for (index, label, volts, amperes) in [
            (1, "VDD_IN", 5000, 1200), (2, "VDD_CPU_CV", 5000, 300), (3, "VDD_SOC", 5000, 100),
        ] {
            try put("sys/class/hwmon/hwmon0/in\(index)_label", label)
            try put("sys/class/hwmon/hwmon0/in\(index)_input", "\(volts)")
            try put("sys/class/hwmon/hwmon0/curr\(index)_input", "\(amperes)")
        }
        var found = try await values(.power, shell)
        #expect(found == ["total": 6000, "cpu": 1500, "soc": 500])
        try put("sys/class/hwmon/hwmon1/name", "amdgpu")
        try put("sys/class/hwmon/hwmon1/power1_average", "15250000")
        found = try await values(.power, shell)
        #expect(found["gpu"] == 15250 && found["total"] == 6000)
    }

    /// An AGX Orin feeds its GPU and CPU beside the rail whose name begins with VIN; an amdgpu may tell one power twice.
    @Test(arguments: shells) func powerWithoutAFeedIsTheSumOfTheRails(shell: [String]) async throws {
        try put("sys/class/hwmon/hwmon0/name", "ina3221")
        for (index, label, amperes) in [(1, "VDD_GPU_SOC", 600), (2, "VDD_CPU_CV", 200), (3, "VIN_SYS_5V0", 400)] {
            try put("sys/class/hwmon/hwmon0/in\(index)_label", label)
            try put("sys/class/hwmon/hwmon0/in\(index)_input", "5000")
            try put("sys/class/hwmon/hwmon0/curr\(index)_input", "\(amperes)")
        }
        #expect(try await values(.power, shell) == ["total": 6000, "cpu": 1000, "gpu": 3000])
        try put("sys/class/hwmon/hwmon1/name", "amdgpu")
        try put("sys/class/hwmon/hwmon1/power1_average", "15250000")
        try put("sys/class/hwmon/hwmon1/power1_input", "15000000")
        try put("sys/class/hwmon/hwmon1/power2_average", "1000000")
        let found = try await values(.power, shell)
        #expect(found["gpu"] == 19000 && found["total"] == 22000)
    }

    @Test(arguments: shells) func aBatteryCountsWhileItIsDischarged(shell: [String]) async throws {
        try put("sys/class/power_supply/BAT0/status", "Discharging")
        try put("sys/class/power_supply/BAT0/current_now", "1500000")
        try put("sys/class/power_supply/BAT0/voltage_now", "12000000")
        #expect(try await values(.power, shell) == ["total": 18000, "battery": 18000])
        try put("sys/class/power_supply/BAT0/status", "Charging")
        #expect(try await values(.power, shell) == ["battery": 0])
    }

    @Test(arguments: shells) func clocksAreThoseOfTheCoresAndTheGPU(shell: [String]) async throws {
        for core in 0...1 { try put("sys/devices/system/cpu/cpu\(core)/cpufreq/scaling_cur_freq", "1\(core)00000") }
        try put("sys/class/devfreq/17000000.gpu/cur_freq", "918000000")
        try put("proc/cpuinfo", "processor: 0")
        #expect(try await values(.frequency, shell) == ["cpu": 1050, "cpu_min": 1000, "cpu_max": 1100, "gpu": 918])
    }

    @Test(arguments: shells) func trafficLeavesOutWhatIsCountedTwice(shell: [String]) async throws {
        try put("sys/block/mmcblk0/size", "1")
        try put("sys/block/loop0/size", "1")
        try put("proc/uptime", "100.00 50.00")
        func disks(_ read: Int, _ busy: Int) -> String {
            "179 0 mmcblk0 \(read) 0 \(read * 2) 0 0 0 0 0 0 \(busy) 0\n179 1 mmcblk0p1 9 0 99999 0 0 0 0 0 0 9 0\n7 0 loop0 9 0 99999 0 0 0 0 0 0 9 0"
        }
        try put("proc/diskstats", disks(1000, 100))
        let later = "printf '%s\\n' '\(disks(1100, 600))' >/proc/diskstats; echo '101.00 50.00' >/proc/uptime"
        #expect(
            try await values(.disk, shell, between: later)
                == ["read": 100, "written": 0, "reads": 100, "writes": 0, "busy": 50])
        try put("sys/class/net/eth0/device", "")
        func network(_ bytes: Int) -> String {
            "Inter-| Receive | Transmit\n face |bytes packets\n    lo: 9 9 9 9 0 0 0 0 9 9 9 9 0 0 0 0\n  eth0:\(bytes) 10 1 2 0 0 0 0 \(bytes * 2) 20 3 4 0 0 0 0\n docker0: 99999 9 9 9 0 0 0 0 9 9 9 9 0 0 0 0"
        }
        try put("proc/net/dev", network(0))
        try put("proc/uptime", "100.00 50.00")
        let more = "printf '%s\\n' '\(network(10240))' >/proc/net/dev; echo '102.00 50.00' >/proc/uptime"
        #expect(
            try await values(.network, shell, between: more)
                == ["received": 5, "sent": 10, "packets_in": 0, "packets_out": 0, "errors": 4, "drops": 6])
    }

    @Test(arguments: shells) func tegrastatsOfOldAndNewBoards(shell: [String]) async throws {
        let orin = """
            01-27-2026 14:30:52 RAM 2448/7772MB (lfb 2x2MB) SWAP 12/3886MB (cached 0MB) CPU [12%@1479,0%@1479,off,off] EMC_FREQ 3%@2133 \
            GR3D_FREQ 57%@[305] cpu@45.5C soc2@43C tj@46C gpu@-256C VDD_IN 4812mW/4812mW VDD_CPU_GPU_CV 600mW/600mW VDD_SOC 1200mW/1200mW
            """
        let nano = """
            RAM 1903/3964MB (lfb 3x4MB) IRAM 0/252kB(lfb 252kB) CPU [3%@102,5%@102] EMC_FREQ 4%@1600 GR3D_FREQ 0%@76 APE 25 PLL@25C \
            CPU@28C PMIC@100C GPU@27C POM_5V_IN 1532/1532 POM_5V_GPU 0/0 POM_5V_CPU 122/122
            """
        let agx = "RAM 1/2MB CPU [1%@1] VDD_GPU_SOC 3000mW/3000mW VDD_CPU_CV 1000mW/1000mW VIN_SYS_5V0 2000mW/2000mW"
        for (line, expected) in [
            (
                agx,
                [
                    "cpu": 1, "ram_used": 1, "ram_total": 2, "power_total": 6000, "power_cpu": 1000,
                    "power_gpu": 3000,
                ]
            ),
            (
                orin,
                [
                    "cpu": 6, "gpu": 57, "emc": 3, "ram_used": 2448, "ram_total": 7772, "swap_used": 12,
                    "temperature_cpu": 45.5,
                    "temperature_max": 46, "power_total": 4812, "power_cpu": 600, "power_soc": 1200,
                ]
            ),
            (
                nano,
                [
                    "cpu": 4, "gpu": 0, "emc": 4, "ram_used": 1903, "ram_total": 3964, "temperature_cpu": 28,
                    "temperature_gpu": 27,
                    "temperature_max": 28, "power_total": 1532, "power_cpu": 122, "power_gpu": 0,
                ]
            ),
        ] as [(String, [String: Double])] {
            try scratch.write(
                "bin/tegrastats", "#!/bin/sh\n[ \"$1 $2\" = '--interval 500' ] && echo '\(line)'\n", mode: 0o755)
            #expect(try await values(.tegrastats, shell) == expected)
        }
        try scratch.write("bin/tegrastats", "#!/bin/sh\nkill -9 $$\n", mode: 0o755)
        #expect(try await sample(.tegrastats, shell).status == 137)
    }

    @Test(arguments: shells) func nvidiaTellsTheFirstGPUAndTheOthersBeside(shell: [String]) async throws {
        try scratch.write(
            "bin/nvidia-smi",
            "#!/bin/sh\necho '37, 12, 1024, 8192, 61, 92.50, 1890, 7000, [N/A]'; echo '1, 2, 3, 4, 5, 6.00, 7, 8, 9'\n",
            mode: 0o755)
        let values = try await values(.nvidia, shell)
        #expect(
            values == [
                "utilization": 37, "memory_utilization": 12, "memory_used": 1024, "memory_total": 8192,
                "temperature": 61,
                "power": 92.5, "clock_sm": 1890, "clock_memory": 7000,
            ])
        #expect(try await sample(.nvidia, shell).outputText.contains("gpu1.power=6.00"))
        try scratch.write("bin/nvidia-smi", "#!/bin/sh\necho 'No devices were found'; exit 6\n", mode: 0o755)
        let failed = try await sample(.nvidia, shell)
        #expect(failed.status == 6 && failed.outputText == "No devices were found\n")
    }

    /// The loop around a sample has variables of its own.
    @Test func variablesAreTheSamplersOwn() throws {
        for sampler in BuiltinSampler.all {
            guard case .shell(let program) = sampler.program else { continue }
            let assigned = program.matches(of: /(?:^|[\s;(])([A-Za-z_][A-Za-z0-9_]*)=/).map { String($0.output.1) }
            let printed = Set(sampler.fields.map(\.name))
            #expect(
                assigned.filter { !$0.hasPrefix("e_") && $0 != "IFS" && !printed.contains($0) } == [], "\(sampler.name)"
            )
        }
    }
}
