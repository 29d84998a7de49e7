import JSON
import Testing

@testable import ECRCore

@Suite struct LibraryFindingsTests {
    /// The examples of Debian Policy, and what libssh's packages are called.
    @Test(arguments: [
        ("0.10.6-0+deb12u2", "0.10.6-0+deb12u3"), ("0.10.6-0+deb12u3", "0.10.6-0+deb12u10"),
        ("0.10.6-0+deb12u3", "0.11.0-1"), ("0.9.8-1", "0.10.6-0+deb12u1"), ("1.0~rc1-1", "1.0-1"),
        ("1.0-1", "1:0.5-1"), ("1.0", "1.0+b1"), ("1.0a", "1.0b"), ("1.0", "1.0a"), ("1.0~~", "1.0~"),
        ("1.0-1", "1.0-1.1"), ("1.9", "1.10"),
    ]) func olderAndNewer(older: String, newer: String) {
        #expect(DebianVersion(older) < DebianVersion(newer))
        #expect(!(DebianVersion(newer) < DebianVersion(older)))
    }

    @Test(arguments: [("1.0", "1.00"), ("0:1.0-1", "1.0-1"), ("1.0-0", "1.0")]) func equal(left: String, right: String)
    {
        #expect(DebianVersion(left) == DebianVersion(right))
    }

    @Test(arguments: [
        ("0.10.6", "0.10.6-0+deb12u3", Finding.State.ok), ("0.10.6", "0.10.6-0+deb12u4", .ok),
        ("0.10.6", "0.10.6-0+deb12u2", .warning), ("0.10.5", "0.10.5-0+deb12u1", .warning),
        ("0.9.8", "", .warning), ("0.11.2", "", .ok), ("0.10.6", "0.10.6-2ubuntu0.1", .ok),
    ]) func libssh(loaded: String, package: String, state: Finding.State) {
        #expect(
            LibraryFindings.libssh(loaded: loaded, installed: package.isEmpty ? nil : DebianVersion(package)).state
                == state)
    }

    /// A library that was built by hand stands in the package's place.
    @Test func theLoadedLibraryCounts() {
        let finding = LibraryFindings.libssh(loaded: "0.9.1", installed: DebianVersion("0.10.6-0+deb12u3"))
        #expect(finding.state == .warning)
        #expect(finding.details["package"] == .null)
    }
}
