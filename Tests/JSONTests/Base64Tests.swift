import JSON
import Testing

/// Bytes in a JSON line.
@Suite struct Base64Tests {
    @Test func base64IsThatOfTheRFC() {
        let words = [
            "": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=",
            "foobar": "Zm9vYmFy",
        ]
        for (plain, coded) in words {
            #expect(Base64.encode(Array(plain.utf8)) == coded)
            #expect(Base64.decode(coded) == Array(plain.utf8))
        }
        for wrong in ["Zg=", "Z", "Zg==Zg==", "Z*==", "===="] { #expect(Base64.decode(wrong) == nil) }
    }
}
