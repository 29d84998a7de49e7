import Profiles
import Testing

/// The profiles that come with ecr.
@Suite struct ShippedProfileTests {
    static let directory =
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/Profiles"

    @Test func theyAreThere() {
        let names = Shell.names(in: Self.directory)
        for board in ["generic-linux", "raspberry-pi", "nvidia-jetson", "x86-nvidia-gpu", "openwrt"] {
            #expect(names.contains("\(board).yaml"))
        }
    }

    @Test(arguments: Shell.names(in: directory)) func isValid(file: String) throws {
        let profile = try Profile.parse(Shell.read(Self.directory + "/" + file), file: file)
        #expect(profile.warnings == [])
        #expect(file == profile.name + ".yaml")
        var commands: [String] = []
        for action in profile.actions {
            #expect(action.description != nil, "\(action.name)")
            let values = try profile.parameters(for: action, given: [], standing: [])
            commands += profile.prepare(action, with: values).commands
        }
        for collector in profile.collectors {
            let values = try profile.parameters(for: collector, standing: [])
            commands.append(profile.prepare(collector, with: values).command)
        }
        #expect(!commands.isEmpty)
        // Every shell that a target may have can read them; nothing of it is run.
        for command in commands {
            for shell in Shell.all {
                let outcome = shell.run("if false; then\n\(command)\nfi\necho read")
                #expect(outcome.output == Array("read\n".utf8), "\(shell.command): \(command)")
            }
        }
    }
}
