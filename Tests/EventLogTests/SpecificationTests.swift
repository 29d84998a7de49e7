import EventLog
import LinuxSystem
import Testing

/// The table that `ecr help events` prints.
@Suite struct SpecificationTests {
    /// The raw values that the code records, read from the file that declares them.
    private static let declared: [String] = {
        let path = "\(#filePath)".split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        let source = (try? FileSystem.read(path + "/Sources/EventLog/EventType.swift")) ?? []
        return String(decoding: source, as: UTF8.self).split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ": EventType = \"")
            return parts.count == 2 ? String(parts[1].dropLast()) : nil
        }
    }()

    @Test func everyTypeHasOneRow() {
        #expect(Self.declared.contains("run_created"))
        #expect(EventType.specification.map(\.type.rawValue).sorted() == Self.declared.sorted())
    }

    @Test(arguments: EventType.specification.map(\.type.rawValue)) func aRowIsWhole(type: String) throws {
        let row = try #require(EventType.specification.first { $0.type.rawValue == type })
        #expect(!row.meaning.isEmpty && !row.meaning.hasSuffix("."))
        #expect(!row.fields.isEmpty)
        let names = row.fields.flatMap(\.names)
        #expect(Set(names).count == names.count)
        for name in names {
            #expect(
                name.utf8.allSatisfy {
                    $0 == UInt8(ascii: "_") || (0x61...0x7A).contains($0) || (0x30...0x39).contains($0)
                })
        }
    }

    @Test func fieldsAreWrittenAsTheyAreRead() throws {
        let row = try #require(EventType.specification.first { $0.type == .artifactPulled })
        let remote = try #require(row.fields.first { $0.names.contains("remote") })
        #expect(remote.names == ["remote", "remote_base64"] && !remote.isOptional)
        #expect(remote.notation == "remote|remote_base64")
        let changed = try #require(row.fields.first { $0.names.contains("changed") })
        #expect(changed.names == ["changed"] && changed.isOptional && changed.notation == "changed?")
    }
}
