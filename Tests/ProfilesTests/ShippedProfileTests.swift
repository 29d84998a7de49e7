import Profiles
import Testing

/// The profiles that come with ecr.
@Suite struct ShippedProfileTests {
    static let directory =
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/Profiles"

    @Test func thereIsOne() {
        #expect(Shell.names(in: Self.directory).contains("generic-linux.yaml"))
    }

    @Test(arguments: Shell.names(in: directory)) func isValid(file: String) throws {
        let profile = try Profile.parse(Shell.read(Self.directory + "/" + file), file: file)
        #expect(profile.warnings == [])
        #expect(file == profile.name + ".yaml")
        for action in profile.actions {
            let values = try profile.parameters(for: action, given: [], standing: [])
            #expect(profile.prepare(action, with: values).commands.isEmpty == false)
        }
        for collector in profile.collectors { _ = try profile.parameters(for: collector, standing: []) }
    }
}
