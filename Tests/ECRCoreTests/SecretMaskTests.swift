import JSON
import Testing

@testable import ECRCore

@Suite struct SecretMaskTests {
    private let secret = "hunter2-hunter2"

    /// What comes out of a stream, piece by piece.
    private func pieces(_ inputs: [String], _ mask: SecretMask) -> [String] {
        var stream = MaskedStream()
        var results = inputs.map { String(decoding: stream.take(Array($0.utf8), isLast: false, mask), as: UTF8.self) }
        results.append(String(decoding: stream.take([], isLast: true, mask), as: UTF8.self))
        return results
    }

    @Test func replacesByStarsOfEqualLength() {
        let mask = SecretMask([secret])
        #expect(
            mask.masked("a \(secret) b \(secret)\(secret)\n") == "a *************** b " + "*"
                + "****************************" + "*\n")
        #expect(mask.masked("hunter2-hunter") == "hunter2-hunter")
        #expect(SecretMask().masked(secret) == secret)
    }

    @Test func findsASecretThatIsCutAnywhere() {
        let mask = SecretMask([secret])
        let text = "before \(secret) behind"
        let masked = "before *************** behind"
        let bytes = Array(text.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var stream = MaskedStream()
                var result: [UInt8] = []
                for piece in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                    result += stream.take(Array(piece), isLast: false, mask)
                    #expect(stream.heldBytes < secret.utf8.count)
                }
                result += stream.take([], isLast: true, mask)
                #expect(String(decoding: result, as: UTF8.self) == masked, "cut at \(first) and \(second)")
                #expect(stream.maskedBytes == 15)
            }
        }
    }

    @Test func byteForByteToo() {
        let mask = SecretMask([secret, "another one"])
        let text = "x\(secret)another oneanother on"
        let one = text.map { String($0) }
        #expect(pieces(one, mask).joined() == "x**************************another on")
    }

    @Test func holdsBackOnlyWhatMayBeASecret() {
        let mask = SecretMask([secret])
        #expect(
            pieces(["progress: 50 %\n", "hunt", "ing\n", "hunter2-hunt"], mask)
                == ["progress: 50 %\n", "", "hunting\n", "", "hunter2-hunt"])
    }

    @Test func replacesSecretsThatOverlap() {
        let mask = SecretMask(["abab1234abab", "1234ababXY"])
        #expect(
            pieces(["abab1234abab1234abab", "-abab1234ababXY."], mask).joined()
                == "********************-**************.")
        #expect(pieces(["abab1234", "abab1234", "ababXY."], mask).joined() == "**********************.")
    }

    @Test func findsEachLineOfSeveral() {
        let mask = SecretMask(["first-line-of-it\nshort\r\nthe-third-line\r\n"])
        #expect(mask.masked("first-line-of-it|short|the-third-line") == "****************|short|**************")
    }

    @Test func shortOnesAreLeftOut() {
        var mask = SecretMask(["1234567"])
        #expect(mask.isEmpty)
        mask.add("12345678")
        #expect(mask.masked("12345678") == "********")
    }

    @Test(arguments: 8...17) func findsBase64AtEveryPlaceAndLength(length: Int) {
        let secret = String("s3cr3t/+%~ÿ-value".prefix(length - 1)) + "z"
        let mask = SecretMask([secret])
        for before in ["", "u", "us", "user:"] {
            for behind in ["", "\n", "@h", "@host/x"] {
                let encoded = Base64.encode(Array("\(before)\(secret)\(behind)".utf8))
                let masked = mask.masked("x \(encoded) y")
                let left = masked.filter { $0 != "*" }.utf8.count
                // At most two digits on each side have a part of a neighbour, too.
                let neighbours = (before.utf8.count * 8 + 5) / 6 + 1 + (behind.utf8.count * 8 + 5) / 6 + 3
                #expect(left <= 4 + neighbours, "\(encoded) \(masked)")
                #expect(masked.utf8.count == encoded.utf8.count + 4)
            }
        }
        let safe = Base64.encode(Array(secret.utf8)).map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
        #expect(!mask.masked(String(safe)).contains { $0 != "*" && $0 != "=" })
    }

    @Test func whatIsNotUTF8StaysWhole() {
        var stream = MaskedStream()
        let bytes: [UInt8] = [0xFF, 0x00] + Array(secret.utf8) + [0xC3]
        let result = stream.take(bytes, isLast: true, SecretMask([secret]))
        #expect(result == [0xFF, 0x00] + [UInt8](repeating: 0x2A, count: 15) + [0xC3])
    }

    @Test func ofEventsNamesStay() {
        let mask = SecretMask(["raspberry"])
        let data: JSONObject = [
            "job": "0001-raspberry", "action": "raspberry", "host": "raspberry", "reason": "no raspberry",
            "commands": ["echo raspberry", "true"], "parameters": ["p": "raspberry", "n": 1], "exit": 1,
        ]
        #expect(
            mask.masked(data) == [
                "job": "0001-raspberry", "action": "raspberry", "host": "raspberry", "reason": "no *********",
                "commands": ["echo *********", "true"], "parameters": ["p": "*********", "n": 1], "exit": 1,
            ])
    }
}
