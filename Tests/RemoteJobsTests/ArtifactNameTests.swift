import LinuxSystem
import TestSupport
import Testing

@testable import RemoteJobs

/// Names from a target that become names in the run.
@Suite struct ArtifactNameTests {
    private func local(_ text: String) -> String { ArtifactName.local(for: Array(text.utf8)) }

    @Test func ordinaryNamesStayAsTheyAre() {
        #expect(local("results.json") == "results.json")
        #expect(local("run 1/größe µ.csv") == "run 1/größe µ.csv")
        #expect(local(".hidden") == ".hidden")
        #expect(local("...") == "...")
    }

    @Test(arguments: [
        ("..", "%2E%2E"), (".", "%2E"), ("../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd"), ("/etc/passwd", "etc/passwd"),
        ("a//b/", "a/b"), ("", "unnamed"), ("/", "unnamed"), ("a\nb", "a%0Ab"), ("\u{1B}[2J", "%1B[2J"),
        ("100%", "100%25"), ("%2E%2E", "%252E%252E"), ("a\\b", "a%5Cb"), ("a\0b", "a%00b"),
        ("x\u{202E}gpj.exe", "x%E2%80%AEgpj.exe"), ("\u{2066}i", "%E2%81%A6i"), ("a\u{2028}b", "a%E2%80%A8b"),
        ("\u{FEFF}bom", "%EF%BB%BFbom"), ("\u{7F}", "%7F"), ("\u{85}", "%C2%85"),
    ])
    func hostileNamesLoseTheirSting(name: String, expected: String) {
        #expect(local(name) == expected)
    }

    @Test func bytesThatAreNotUTF8AreEncodedOneByOne() {
        #expect(ArtifactName.local(for: [0x61, 0xFF, 0x25, 0xC3]) == "a%FF%25%C3")
    }

    @Test func noNameLeavesTheFolderOrExceedsALimit() {
        var samples: [[UInt8]] = (0...255).map { [$0] } + (0...255).map { [0x2E, $0, 0x2E] }
        samples += [Array(repeating: 0x61, count: 300), Array(repeating: 0xFF, count: 300)]
        samples.append(Array(String(repeating: "ü", count: 200).utf8))
        for sample in samples {
            let name = ArtifactName.local(for: sample)
            #expect(!name.isEmpty && !name.hasPrefix("/"))
            for component in name.split(separator: "/", omittingEmptySubsequences: false) {
                #expect(!component.isEmpty && component != "." && component != ".." && component.utf8.count <= 255)
                #expect(component.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
            }
        }
    }

    @Test func aSecondFileOfANameGetsANumberBeforeItsSuffix() {
        #expect(ArtifactName.numbered("a.csv", 2) == "a_2.csv")
        #expect(ArtifactName.numbered("a.tar.gz", 3) == "a.tar_3.gz")
        #expect(ArtifactName.numbered("README", 2) == "README_2")
        #expect(ArtifactName.numbered(".profile", 2) == ".profile_2")
        #expect(ArtifactName.numbered("v1.2/out", 2) == "v1.2/out_2")
        #expect(ArtifactName.numbered("v1.2/out.txt", 10) == "v1.2/out_10.txt")
    }

    @Test(arguments: ["", ".csv", "." + String(repeating: "s", count: 253)])
    func aNumberedNameIsNotLongerThanAFileSystemTakes(suffix: String) {
        let name = String(repeating: "n", count: 255 - suffix.count) + suffix
        let numbered = ArtifactName.numbered("folder/\(name)", 12)
        #expect(numbered.hasPrefix("folder/n"))
        #expect(numbered.dropFirst("folder/".count).utf8.count <= 255)
        #expect(numbered.contains("_12"))
        #expect(suffix != ".csv" || numbered.hasSuffix("_12.csv"))
    }
}

/// Words and patterns.
@Suite struct PatternTests {
    private func matches(_ name: String, _ pattern: String) -> Bool {
        GlobPattern.matches(Array(name.utf8), Array(pattern.utf8))
    }

    @Test func patternsMatchAsInAShell() {
        #expect(matches("a.csv", "*.csv"))
        #expect(!matches("a.csvx", "*.csv"))
        #expect(matches("ab", "a?"))
        #expect(!matches("a", "a?"))
        #expect(matches("log3", "log[0-9]"))
        #expect(!matches("logx", "log[0-9]"))
        #expect(matches("logx", "log[!0-9]"))
        #expect(matches("a*b", #"a\*b"#))
        #expect(!matches("axb", #"a\*b"#))
    }

    @Test func aLeadingDotIsMatchedByNameOnly() {
        #expect(!matches(".hidden", "*"))
        #expect(!matches(".hidden", "?hidden"))
        #expect(matches(".hidden", ".h*"))
    }

    @Test func namesThatAreNotUTF8Match() {
        #expect(GlobPattern.matches([0x61, 0x2E, 0xFF], Array("a.*".utf8)))
        #expect(GlobPattern.matches([0xFF, 0x2E, 0x62], [0xFF, 0x2E, 0x2A]))
    }

    @Test func onlyUnescapedSignsMakeAPattern() {
        for text in ["*", "a?b", "x[1]", #"\\*"#] { #expect(GlobPattern.isGlob(Array(text.utf8)), "\(text)") }
        for text in ["a", #"\*"#, #"a\?b"#, #"x\[1]"#, #"\"#, "]", ""] {
            #expect(!GlobPattern.isGlob(Array(text.utf8)), "\(text)")
        }
    }

    @Test func aBackslashStandsBeforeALiteral() {
        for (text, plain) in [(#"a\*b"#, "a*b"), (#"a\\b"#, #"a\b"#), (#"a\"#, "a"), ("plain", "plain")] {
            #expect(GlobPattern.unescaped(Array(text.utf8)) == Array(plain.utf8))
        }
    }

    @Test func aServerCannotNameAWayOut() {
        for name in ["", ".", "..", "a/b", "/", "a\0"] { #expect(!SFTPListing.isPlainName(Array(name.utf8))) }
        for name in ["a", "...", ".a", "-rf", "\n"] { #expect(SFTPListing.isPlainName(Array(name.utf8))) }
    }

    @Test(arguments: Shells.all) func aShellReadsAWordAsOneLiteral(shell: [String]) async throws {
        let words = [
            "", "a b", "it's", "''", "$(touch x)", "`id`", "a\nb\n", "\\", "-n", "*", "~", "\u{1B}[0m", "ü\"&;|",
        ]
        let script = #"for w do printf '%s\0' "$w"; done"#
        let text = "set -- \(words.map(shellWord).joined(separator: " "))\n\(script)\n"
        let result = try await Command.run(shell[0], Array(shell.dropFirst()), input: Array(text.utf8))
        #expect(result.outputText == words.map { $0 + "\0" }.joined())
    }
}
