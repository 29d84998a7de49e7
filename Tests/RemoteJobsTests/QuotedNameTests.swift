import Testing

@testable import RemoteJobs

/// Names in the complaints of `find`.
@Suite struct QuotedNameTests {
    @Test(arguments: [
        ("/plain", "/plain"), ("'/plain'", "/plain"), (#"'/it\'s'"#, "/it's"), (#"'/a\\b'"#, #"/a\b"#),
        (#"'/a\nb\tc'"#, "/a\nb\tc"), (#"'/end\'"#, #"/end\"#), (#"'/a\12'"#, "/a12"), ("'", "'"), ("''", ""), ("", ""),
        ("/it's", "/it's"), (#"/a\b"#, #"/a\b"#),
    ]) func escapesAreUndoneBetweenQuotesOnly(_ quoted: String, _ name: String) {
        #expect(QuotedName.bytes(quoted[...]) == Array(name.utf8))
    }

    @Test func bytesThatAreNoTextComeBack() {
        #expect(QuotedName.bytes(#"'/\377x\303'"#) == [0x2F, 0xFF, 0x78, 0xC3])
    }
}
