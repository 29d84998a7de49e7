// swift-tools-version: 6.1
import PackageDescription

// The rooms of the house, from the ground up. A room sees only what it lists here, so the compiler keeps the walls.

/// One strict set of rules for every room: errors and existentials are spelled out, imports say what they leak.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A module map and a header over a system library that pkg-config knows.
func library(_ name: String, pkgConfig: String, debian: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([debian])])
}

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "ecr",
    products: [.executable(name: "ecr", targets: ["ecr"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
    ],
    targets: [
        library("CLibSSH", pkgConfig: "libssh", debian: "libssh-dev"),
        library("CLibYAML", pkgConfig: "yaml-0.1", debian: "libyaml-dev"),
        library("CLibZip", pkgConfig: "libzip", debian: "libzip-dev"),
        library("CCrypto", pkgConfig: "libcrypto", debian: "libssl-dev"),
        library("CPCRE2", pkgConfig: "libpcre2-8", debian: "libpcre2-dev"),
        .target(name: "CLinux"),

        room("JSON"),
        room("LinuxSystem", ["CLinux"]),
        room("Hashing", ["CCrypto"]),
        room("Patterns", ["CPCRE2"]),
        room("SSH", ["CLibSSH", "CLinux", "LinuxSystem"]),
        room("YAML", ["CLibYAML"]),
        room("ZIP", ["CLibZip", "LinuxSystem"]),
        room("EventLog", ["JSON", "Hashing", "LinuxSystem"]),
        room("RunStore", ["EventLog", "Hashing", "JSON", "LinuxSystem"]),
        room("Profiles", ["YAML", "JSON", "EventLog", "Patterns", "LinuxSystem"]),
        room("RemoteJobs", ["SSH", "Hashing", "LinuxSystem"]),
        room(
            "ECRCore",
            [
                "EventLog", "RunStore", "Profiles", "Patterns", "RemoteJobs", "JSON", "LinuxSystem", "Hashing", "YAML",
            ]),
        room("Datasets", ["EventLog", "RunStore", "Hashing", "ZIP", "JSON", "LinuxSystem"]),
        .executableTarget(
            name: "ecr",
            dependencies: [
                "ECRCore", "Datasets", "EventLog", "RunStore", "Profiles", "YAML", "JSON", "LinuxSystem",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        .target(
            name: "TestSupport", dependencies: ["LinuxSystem", "JSON"], path: "Tests/TestSupport",
            swiftSettings: strict),
        tests("JSONTests", ["JSON"]),
        tests("LinuxSystemTests", ["LinuxSystem", "TestSupport"]),
        tests("PatternsTests", ["Patterns"]),
        tests("YAMLTests", ["YAML"]),
        tests("ProfilesTests", ["Profiles", "YAML", "JSON"]),
        tests("ZIPTests", ["ZIP", "TestSupport", "LinuxSystem"]),
        tests("EventLogTests", ["EventLog", "JSON", "Hashing", "LinuxSystem", "TestSupport"]),
        tests("RunStoreTests", ["RunStore", "EventLog", "JSON", "LinuxSystem", "TestSupport"]),
        tests(
            "ECRCoreTests",
            [
                "ECRCore", "TestSupport", "RunStore", "EventLog", "RemoteJobs", "SSH", "Hashing", "JSON", "LinuxSystem",
                "Profiles", "Patterns", "YAML",
            ]),
        tests(
            "ECRCommandTests",
            ["TestSupport", "RunStore", "EventLog", "Hashing", "Profiles", "JSON", "LinuxSystem", "ecr"],
            exclude: ["Snapshots"]),
        tests("SSHTests", ["SSH", "TestSupport", "LinuxSystem"]),
        tests("RemoteJobsTests", ["RemoteJobs", "SSH", "Hashing", "TestSupport", "LinuxSystem"]),
        tests("IntegrationTests", ["TestSupport", "JSON", "Hashing", "LinuxSystem", "EventLog", "RunStore", "ecr"]),
    ],
    swiftLanguageModes: [.v6]
)
